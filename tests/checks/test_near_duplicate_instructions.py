"""Two spellings of one instruction."""

import time
from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.near_duplicate_instructions import near_duplicate_instructions

LOOK_ALIKE = "Grab the br\N{CYRILLIC SMALL LETTER A}in"


@pytest.mark.parametrize(
    "wording",
    [
        "grab the brain",
        "Grab  the brain ",
        "Grab_the_brain.",
        LOOK_ALIKE,
        "Grab the\N{NO-BREAK SPACE}brain",
        "Grabthe brain",
    ],
)
def test_wordings_that_look_alike_are_one_whatever_their_share(dataset, wording):
    (finding,) = near_duplicate_instructions(
        faults.near_duplicate_instructions(dataset, wording=wording, episodes=(0, 1, 2))
    )
    assert finding.where.episodes in {(0, 1, 2), (3, 4, 5)}
    assert finding.summary.startswith("An instruction is written in two ways: ")


@pytest.mark.parametrize("wording", ["Grab the brian", "Grab the bran", "Grab the braain", "Grap the brain"])
def test_a_rare_slip_is_reported_with_its_episodes_and_command(dataset, wording):
    (finding,) = near_duplicate_instructions(faults.near_duplicate_instructions(dataset, wording=wording))
    assert finding.summary == f'An instruction has a slip in it: "{wording}" beside "Grab the brain".'
    assert finding.where.episodes == (5,)
    assert f'{{"{wording}": "Grab the brain"}}' in (finding.fix.command or "")


def test_a_deceptive_character_is_spelled_out(dataset):
    (finding,) = near_duplicate_instructions(faults.near_duplicate_instructions(dataset, wording=LOOK_ALIKE))
    assert '"Grab the br\\u0430in"' in finding.summary


@pytest.mark.parametrize("wording", ["Grab the drain", "Grab the train"])
def test_balanced_instructions_are_taken_at_their_word(dataset, wording):
    two_tasks = faults.near_duplicate_instructions(dataset, wording=wording, episodes=(0, 1, 2))
    assert not list(near_duplicate_instructions(two_tasks))


@pytest.mark.parametrize(
    "wording", ["Grab the brain 2", "Drop the brain", "Grab the brain and lift it", "Grab a toy", ""]
)
def test_other_instructions_are_other_tasks(dataset, wording):
    assert not list(near_duplicate_instructions(faults.near_duplicate_instructions(dataset, wording=wording)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pick the red cube", "Pick the green cube"),
        ("Move the arm left", "Move the arm right"),
        ("Put it in the box", "Put it on the box"),
        ("Pick up one cube", "Pick up two cubes"),
        ("Place cube 1", "Place cube 11"),
        ("Open the drawer", "Close the drawer"),
        ("拿起红色方块", "拿起绿色方块"),
        ("Heb het blok op", "Leg het blok neer"),
    ],
)
def test_a_rare_task_of_other_words_is_another_task(dataset, one, other):
    every = faults.near_duplicate_instructions(dataset, wording=one, episodes=range(6))
    assert not list(near_duplicate_instructions(faults.near_duplicate_instructions(every, wording=other)))


def test_numbered_objects_are_different(dataset):
    numbered = faults.near_duplicate_instructions(
        faults.near_duplicate_instructions(dataset, wording="Grab toy1", episodes=range(6)),
        wording="Grab toy2",
    )
    assert not list(near_duplicate_instructions(numbered))


def test_share_of_exactly_the_limit_is_a_slip(dataset):
    broken = faults.near_duplicate_instructions(dataset, wording="Grab the bran")
    rare = dataset.episodes[5].length / sum(e.length for e in dataset.episodes[:5])
    assert list(near_duplicate_instructions(broken, rare_share=rare))
    assert not list(near_duplicate_instructions(broken, rare_share=np.nextafter(rare, 0)))


def test_hundreds_of_instructions_are_compared_in_no_time(dataset):
    texts = [f"Put part {chr(97 + n // 26)}{chr(97 + n % 26)} on the table" for n in range(600)]
    (episode,) = dataset.episodes[:1]
    many = replace(
        dataset,
        episodes=tuple(
            replace(episode, task_indices=np.full(episode.length, n), tasks=(texts[n],)) for n in range(600)
        ),
        tasks=tuple(texts),
    )
    started = time.process_time()
    assert not list(near_duplicate_instructions(many))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(("change", "sure"), [(str.upper, True), (lambda text: text[:-1], False)])
def test_only_wordings_that_look_alike_are_surely_one(dataset, change, sure):
    wording = change(dataset.tasks[0])
    (finding,) = near_duplicate_instructions(faults.near_duplicate_instructions(dataset, wording=wording))
    assert finding.fix.repair.sure is sure
