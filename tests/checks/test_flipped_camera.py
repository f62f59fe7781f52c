"""A camera's pictures are mirrored or stand on their head in some episodes."""

import numpy as np
import pytest
from deployments import contract, rollouts
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.flipped_camera import flipped_camera, flipped_camera_deployed
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.repair import DropEpisodes
from regrasp.diagnosis.runner import run_checks
from regrasp.faults.pictures import change_pictures

NAMED = {
    "left-right": "mirrored left-right",
    "upside-down": "mirrored upside down",
    "half-turn": "turned by 180 degrees",
}


@pytest.mark.parametrize("camera", ["front", "wrist"])
@pytest.mark.parametrize("turn", NAMED)
def test_episodes_camera_and_kind_are_named(dataset, camera, turn):
    (finding,) = flipped_camera(faults.flipped_camera(dataset, camera=camera, turn=turn, episodes=(0, 3)))
    assert str(finding.where) == f"episodes 0 and 3, camera '{camera}'"
    assert finding.summary == f"Pictures of camera '{camera}' are {NAMED[turn]} in 2 episodes."
    assert finding.fix.repair == DropEpisodes((0, 3))


def test_beyond_the_half_the_others_are_the_odd_ones(dataset):
    (finding,) = flipped_camera(faults.flipped_camera(dataset, episodes=(0, 1, 2, 5)))
    assert finding.where.episodes == (3, 4)


def test_of_equal_halves_both_are_named_and_nothing_is_dropped(dataset):
    (finding,) = flipped_camera(faults.flipped_camera(dataset, episodes=(0, 2, 4)))
    assert finding.summary == (
        "Pictures of camera 'front' are turned by 180 degrees here, or else in episodes 0, 2 and 4."
    )
    assert (finding.fix.command, finding.fix.repair) == (None, None)


def test_two_kinds_are_told_apart(dataset):
    once = faults.flipped_camera(dataset, episodes=(1,), turn="left-right")
    found = list(flipped_camera(faults.flipped_camera(once, episodes=(4,), turn="upside-down")))
    assert [(f.where.episodes, NAMED["left-right"] in f.summary) for f in found] == [
        ((1,), True),
        ((4,), False),
    ]


def test_a_moved_camera_is_not_flipped(dataset):
    assert not list(flipped_camera(faults.moved_camera(dataset, right=0.1, turn_deg=10)))


def test_a_view_that_is_its_own_mirror_image_says_nothing(dataset):
    def symmetric(picture, _):
        half = picture[:, :32]
        return np.concatenate([half, half[:, ::-1]], axis=1)

    mirrored = change_pictures(dataset, "front", symmetric, range(6))
    assert not list(flipped_camera(faults.flipped_camera(mirrored, turn="left-right")))


def test_a_lead_of_no_more_than_the_margin_is_fine(dataset):
    broken = faults.flipped_camera(dataset)
    (finding,) = flipped_camera(broken)
    lead = finding.evidence[0].value
    assert not list(flipped_camera(broken, margin=lead + 0.01))
    assert list(flipped_camera(broken, margin=lead - 0.01))


@pytest.mark.parametrize("turn", NAMED)
def test_a_flip_is_not_called_moved_as_well(dataset, turn):
    found = run_checks({"dataset": faults.flipped_camera(dataset, turn=turn)}).findings
    assert [finding.check for finding in found] == ["flipped-camera"]


def test_one_episode_leaves_it_undecided():
    with pytest.raises(Undecided, match=r"^needs 2 episodes to compare, got 1$"):
        list(flipped_camera(sound_dataset(0, 1)))


@pytest.mark.parametrize("turn", NAMED)
def test_rollouts_that_are_flipped_since_the_training_are_named(turn):
    deployed = faults.flipped_camera(rollouts(6), camera="wrist", turn=turn, episodes=(1, 4))
    (finding,) = flipped_camera_deployed(contract(), deployed)
    assert str(finding.where) == "episodes 1 and 4, camera 'wrist'"
    assert (
        finding.summary
        == f"Pictures of camera 'wrist' are {NAMED[turn]} since the training, in 2 of 6 rollouts."
    )


def test_rollouts_as_trained_are_not_flipped():
    assert not list(flipped_camera_deployed(contract(), rollouts(6)))
    assert not list(flipped_camera_deployed(contract(), rollouts(0)))


def test_rollouts_are_named_from_the_margin_on():
    deployed = faults.flipped_camera(rollouts(6))
    (finding,) = flipped_camera_deployed(contract(), deployed)
    lead = finding.evidence[0].value
    for margin, named in ((lead - 1e-6, 6), (lead, 5)):
        (again,) = flipped_camera_deployed(contract(), deployed, margin=margin)
        assert len(again.where.episodes) == named
