"""The policy is told something else than it was trained with."""

import shlex

import pytest
from deployments import TASK, contract, live, rollouts

from regrasp import faults
from regrasp.checks.instruction_mismatch import (
    instruction_mismatch,
    instruction_mismatch_deployed,
    nearest_instruction,
)
from regrasp.diagnosis import Severity, Undecided

KNOWN = contract()


def test_the_trained_instruction_is_fine():
    assert not list(instruction_mismatch(KNOWN, live()))
    assert not list(instruction_mismatch_deployed(KNOWN, rollouts(3)))


def test_another_instruction_is_reported_with_the_nearest_and_the_command():
    (finding,) = instruction_mismatch(KNOWN, faults.instruction_mismatch(live()))
    assert finding.summary == "Told 'Grasp a brain and put it in the bin.', trained with 'Grab the brain'."
    assert finding.severity is Severity.ERROR
    assert shlex.split(finding.fix.command or "")[-2:] == ["--task", TASK]


def test_rollouts_under_another_instruction_are_named_by_episode():
    (finding,) = instruction_mismatch_deployed(KNOWN, faults.instruction_mismatch(rollouts(4)))
    assert finding.where.episodes == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("grab the brain", "(they differ in capitals only)"),
        ("Grab  the brain ", "(they differ in spaces only)"),
        ("Gr\u0430b the br\u0430in", "(they differ in letters that look alike)"),  # Cyrillic a
        ("grab  the brain", "(they differ in capitals, spaces, marks or look-alike letters only)"),
        ("Grab the brain.", "(they differ in capitals, spaces, marks or look-alike letters only)"),
        ("", "(the instruction is empty)"),
        ("   ", "(the instruction is empty)"),
    ],
)
def test_small_differences_are_mismatches_and_are_named(told, said):
    (finding,) = instruction_mismatch(KNOWN, faults.instruction_mismatch(live(), told=told))
    assert said in finding.summary
    assert f"trained with '{TASK}'" in finding.summary


def test_a_policy_that_reads_no_instruction_is_only_warned_about():
    (finding,) = instruction_mismatch(contract(type="act"), faults.instruction_mismatch(live()))
    assert finding.severity is Severity.WARNING
    assert finding.summary.endswith("A policy of type act does not read it.")


def test_a_contract_without_instructions_leaves_it_undecided():
    for empty in ({}, {"": 100}):
        with pytest.raises(Undecided, match="the contract holds no instruction"):
            list(instruction_mismatch(KNOWN.model_copy(update={"instructions": empty}), live()))


@pytest.mark.parametrize(
    ("told", "nearest"),
    [
        ("grasp a brain", "Grab the brain"),
        ("put brain into bin", "Put the brain in the bin"),
        ("Fold the towel!", "Fold the towel"),
        ("please fold that towel", "Fold the towel"),
        ("stack a red cube", "Stack the red cube on the blue one"),
    ],
)
def test_the_nearest_instruction_is_the_one_a_person_means(told, nearest):
    known = [
        "Put the brain in the bin",
        "Grab the brain",
        "Fold the towel",
        "Stack the red cube on the blue one",
    ]
    assert nearest_instruction(told, known) == nearest


def test_the_fault_leaves_the_sound_view_as_it_was():
    sound = live()
    faults.instruction_mismatch(sound)
    assert sound.instruction == TASK
