"""An instruction does not say in words what to do."""

import pytest

from regrasp import faults
from regrasp.checks.unspecific_instruction import unspecific_instruction
from regrasp.data import read_dataset
from regrasp.diagnosis import Severity

IDENTIFIERS = [
    "pick_and_place",
    "PickCube",
    "pick-and-place",
    "lerobot/svla_so101",
    "pick.cube",
    "grasp2",
    "pickPlace",
]
PLACEHOLDERS = [
    "task",
    "Test",
    "test 2",
    "my task",
    "Task description",
    "new_task_3",
    "TODO",
    "n/a",
    "None",
    "demo",
]
SINGLE_WORDS = ["grasp", "Pick", "Würfel", "Взять"]
SENTENCES = [
    "Grab the brain",
    "pick up",
    "Put the so101 test cube in the box",
    "Greif den Würfel",
    "Pick-and-place the cube",
    "拿起红色方块",
    "キューブを拾う",
    "หยิบลูกบาศก์",
    "큐브를집어",
    "Aufräumen!",
    "Place cube_2 in bin_A",
    "",
]


@pytest.mark.parametrize(
    ("wording", "what"),
    [
        *((text, "an identifier") for text in IDENTIFIERS),
        *((text, "a placeholder") for text in PLACEHOLDERS),
        *((text, "a single word") for text in SINGLE_WORDS),
    ],
)
def test_what_is_no_request_is_called_what_it_is(dataset, wording, what):
    (finding,) = unspecific_instruction(faults.unspecific_instruction(dataset, wording=wording))
    assert finding.summary == f"The instruction '{wording}' of 6 episodes is {what}."
    assert finding.severity is Severity.WARNING
    assert finding.where.episodes == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("wording", SENTENCES)
def test_requests_in_any_language_are_fine(dataset, wording):
    assert not list(unspecific_instruction(faults.unspecific_instruction(dataset, wording=wording)))


def test_only_the_episodes_under_it_are_named(dataset):
    (finding,) = unspecific_instruction(faults.unspecific_instruction(dataset, episodes=(2, 4)))
    assert finding.where.episodes == (2, 4)


@pytest.mark.parametrize(
    "wording", ["Grab the the brain", "Pick pick the cube", "Wait until it is has moved"]
)
def test_a_word_too_many_is_a_remark(dataset, wording):
    (finding,) = unspecific_instruction(faults.unspecific_instruction(dataset, wording=wording))
    assert finding.severity is Severity.INFO
    assert "has a word too many" in finding.summary


@pytest.mark.parametrize(
    "wording",
    ["Move left, left again", "Turn it 2 2 times", "Stop. Stop there", "Check that that lid is shut"],
)
def test_words_that_may_follow_themselves_are_fine(dataset, wording):
    assert not list(unspecific_instruction(faults.unspecific_instruction(dataset, wording=wording)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("chethantu_pick_place", ["The instruction 'pick_and_place' of 20 episodes is an identifier."]),
        ("record-test", []),
        ("saintyuqi_test_data", []),
        ("techin517_so101_test", []),
    ],
)
def test_real_instructions(real_data, name, said):
    dataset = read_dataset(real_data / name, video=False)
    assert [finding.summary for finding in unspecific_instruction(dataset)] == said


def test_the_doubled_verb_of_a_real_instruction_is_a_remark(real_data):
    (finding,) = unspecific_instruction(read_dataset(real_data / "jackvial_screwdriver_e5", video=False))
    assert (finding.severity, '"is has"' in finding.summary) == (Severity.INFO, True)


def test_several_identifiers_are_one_finding(dataset):
    two = faults.unspecific_instruction(dataset, wording="place_cube", episodes=(1, 2))
    (finding,) = unspecific_instruction(faults.unspecific_instruction(two, episodes=(4,)))
    assert finding.summary == "The instruction 'place_cube' is an identifier, like 1 other, in 3 episodes."
