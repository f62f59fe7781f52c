"""What a dataset's owner declares as meant is shown as expected, and what to leave out is told."""

import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.data.expected import FILE, Expected, of_parts, read_expected, renumber_expected
from regrasp.diagnosis.audit import audit
from regrasp.errors import DatasetError, UsageError


@pytest.fixture
def scattered(tmp_path):
    started_anywhere = faults.scattered_starts(sound_dataset(cameras=False), episodes=[1, 4])
    return write_v3(started_anywhere, tmp_path / "scattered")


def declare(folder, text):
    (folder / FILE).write_text(text)
    return folder


def test_what_is_declared_is_expected_and_its_reason_is_told(scattered):
    audited = audit(declare(scattered, "- check: scattered-starts\n  reason: on purpose\n"))
    assert audited.sound
    assert [(finding.check, reason) for finding, reason in audited.expected] == [
        ("scattered-starts", "on purpose")
    ]
    assert audited.to_json()["expected"][0]["reason"] == "on purpose"


def test_a_declaration_for_other_episodes_does_not_cover(scattered):
    covered, uncovered = (
        audit(declare(scattered, f"- {{check: scattered-starts, reason: on purpose, episodes: {episodes}}}"))
        for episodes in ("[1, 4, 5]", "[1]")
    )
    assert covered.sound
    assert not uncovered.sound


def test_a_check_that_is_not_known_is_met_with_the_nearest(scattered):
    with pytest.raises(UsageError) as raised:
        audit(declare(scattered, "- {check: scattered-start, reason: on purpose}"))
    assert str(raised.value) == "No check named 'scattered-start'. Did you mean 'scattered-starts'?"


@pytest.mark.parametrize(
    "text",
    [
        "- check: scattered-starts",
        "{a",
        "5",
        "- {check: x, reason: y, frames: 3}",
        "- {check: x, reason: ''}",
    ],
)
def test_a_malformed_declaration_gets_one_sentence(tmp_path, text):
    (tmp_path / "meta").mkdir()
    with pytest.raises(DatasetError) as raised:
        read_expected(declare(tmp_path, text))
    assert str(FILE) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_empty_declaration_declares_nothing(tmp_path):
    (tmp_path / "meta").mkdir()
    assert read_expected(declare(tmp_path, "")) == read_expected(tmp_path / "elsewhere") == ()


def test_episodes_with_a_defect_are_left_out_and_say_why(scattered):
    audited = audit(scattered, only=["scattered-starts"])
    assert audited.dropped == {1: ("scattered-starts",), 4: ("scattered-starts",)}
    assert audited.kept == (0, 2, 3, 5)


def test_nothing_is_left_out_for_what_concerns_every_episode_or_can_be_put_right():
    sound = sound_dataset(cameras=False)
    everywhere = faults.idle_gripper(sound)
    misspelt = faults.near_duplicate_instructions(sound)
    for dataset in (everywhere, misspelt):
        audited = audit(dataset)
        assert not audited.sound
        assert audited.kept == (0, 1, 2, 3, 4, 5)


def test_what_can_be_put_right_says_so_with_the_command(tmp_path):
    folder = write_v3(faults.near_duplicate_instructions(sound_dataset(cameras=False)), tmp_path / "typo")
    (finding,) = audit(folder, only=["near-duplicate-instructions"]).findings
    assert finding.fix.command == f"regrasp fix {folder} --into {folder}_fixed near-duplicate-instructions"


def test_what_was_declared_of_parts_is_declared_of_the_whole():
    first = (Expected("a", "r"), Expected("b", "r", (1, 2)), Expected("d", "one"))
    second = (Expected("b", "r", (0,)), Expected("d", "other"))
    assert of_parts([(first, range(3)), (second, range(3, 5))]) == (
        Expected("d", "one"),
        Expected("a", "r", (0, 1, 2)),
        Expected("b", "r", (1, 2)),
        Expected("b", "r", (3,)),
    )
    assert of_parts([((), range(3)), ((), range(3, 5))]) == ()


def test_what_was_declared_keeps_to_its_episodes_when_others_are_left_out(tmp_path):
    (tmp_path / "meta").mkdir()
    entries = ("a, episodes: [1, 3]", "b, episodes: [0]", "c")
    declare(tmp_path, "\n".join(f"- {{reason: r, check: {entry}}}" for entry in entries))
    renumber_expected(tmp_path, {1: 0, 2: 1, 3: 2})
    assert [(one.check, one.episodes) for one in read_expected(tmp_path)] == [("a", (0, 2)), ("c", ())]
