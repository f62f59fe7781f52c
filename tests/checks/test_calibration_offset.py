"""A joint's zero lies elsewhere in some episodes, or leader and follower disagree about it."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import NumpyPolicy, contract, rollouts, training
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.calibration_offset import calibration_offset, calibration_offset_deployed
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import judge

TRAINED = training()


@pytest.fixture(scope="module")
def twelve():
    return sound_dataset(1, episodes=12, cameras=False)


@pytest.mark.parametrize("joint", range(5))
@pytest.mark.parametrize("degrees", [5, 10, -17])
@pytest.mark.parametrize("column", ["states", "actions"])
def test_a_follower_or_leader_calibrated_anew_is_found_in_every_joint(twelve, joint, degrees, column):
    broken = faults.calibration_offset(
        twelve, joint=joint, degrees=degrees, episodes=[2, 7], columns=[column]
    )
    (finding,) = calibration_offset(broken)
    assert finding.where.episodes == (2, 7)
    assert finding.where.joint == twelve.joint_names[joint]
    sign = 1 if column == "states" else -1
    assert finding.evidence[0].value == pytest.approx(sign * degrees, abs=0.3)


@pytest.mark.parametrize("joint", [1, 2])
@pytest.mark.parametrize("episodes", [(8, 9, 10, 11), (6, 7, 8, 9, 10, 11), (5,)])
def test_a_zero_that_moved_in_both_columns_is_found(twelve, joint, episodes):
    (finding,) = calibration_offset(faults.calibration_offset(twelve, joint=joint, episodes=episodes))
    assert (finding.where.episodes, finding.where.joint) == (episodes, twelve.joint_names[joint])
    assert finding.evidence[0].value == pytest.approx(10, abs=1)


def test_the_sign_tells_in_which_direction(twelve):
    (finding,) = calibration_offset(faults.calibration_offset(twelve, degrees=-12))
    assert finding.summary.startswith("shoulder_lift is off by -1")


def test_leader_and_follower_that_disagree_everywhere_are_found(twelve):
    broken = faults.calibration_offset(twelve, joint=3, episodes=range(12), degrees=-8, columns=["states"])
    (finding,) = calibration_offset(broken)
    assert finding.summary == "wrist_flex rests 8.0 degrees below its command in all episodes."


@pytest.mark.parametrize("degrees", [10, 25, 40])
@pytest.mark.parametrize("seed", range(3))
def test_an_episode_that_starts_elsewhere_and_returns_is_not_an_offset(seed, degrees):
    sound = sound_dataset(seed, episodes=10, cameras=False)
    assert not list(calibration_offset(faults.scattered_starts(sound, episodes=[2, 5], degrees=degrees)))


def test_droop_that_all_episodes_share_is_fine(twelve):
    droop = np.array([0, -2.6, -1.8, 1.0, 0, 0])
    assert not list(calibration_offset(twelve.map_episodes(lambda e: replace(e, states=e.states + droop))))


def test_one_change_between_other_episodes_stays_unnamed(twelve):
    def drift(e):
        return replace(e, states=e.states + 0.8 * e.index * np.eye(6)[1])

    assert not list(calibration_offset(twelve.map_episodes(drift)))


def test_radians_are_judged_by_the_same_angles(twelve):
    broken = faults.calibration_offset(twelve, episodes=[3], columns=["states"])
    radians = faults.mixed_units(broken, episodes=range(12))
    (finding,) = calibration_offset(radians)
    assert finding.where.episodes == (3,)
    assert finding.evidence[0].value == pytest.approx(10, abs=0.3)


def test_an_offset_below_the_limit_is_fine(twelve):
    broken = faults.calibration_offset(twelve, joint=0, episodes=[3], columns=["states"])
    (finding,) = calibration_offset(broken)
    offset = abs(finding.evidence[0].value)
    assert list(calibration_offset(broken, min_offset_deg=offset))
    assert not list(calibration_offset(broken, min_offset_deg=offset + 1e-6))


def test_two_episodes_cannot_be_compared(dataset):
    with pytest.raises(Undecided, match=r"^needs 3 episodes to compare, got 2$"):
        list(calibration_offset(replace(dataset, episodes=dataset.episodes[:2])))


def deployed(broken, train=TRAINED):
    return list(calibration_offset_deployed(contract(train), train, broken))


@pytest.mark.parametrize(("joint", "degrees"), [(1, 12.0), (2, -6.0), (5, 20.0)])
def test_a_joint_that_reads_elsewhere_than_the_cameras_show_it_is_measured(joint, degrees):
    (finding,) = deployed(faults.calibration_offset(rollouts(8), joint=joint, degrees=degrees))
    assert finding.where.joint == TRAINED.joint_names[joint]
    assert finding.where.episodes == tuple(range(8))
    assert finding.evidence[0].value == pytest.approx(degrees, abs=2)
    assert ("more" if degrees > 0 else "less") in finding.summary


def test_rollouts_that_start_as_in_training_have_none():
    assert deployed(rollouts(8)) == []


def test_an_arm_that_the_cameras_see_elsewhere_is_left_to_another_check():
    with pytest.raises(Undecided, match="starts with another view than in training"):
        deployed(faults.start_pose_shift(rollouts(8)))


def test_an_offset_below_the_limit_is_let_be():
    shifted = faults.calibration_offset(rollouts(8), joint=2, degrees=3.0)
    assert deployed(shifted) == []
    assert list(calibration_offset_deployed(contract(TRAINED), TRAINED, shifted, min_offset_deg=2.0))


def test_few_rollouts_or_demonstrations_leave_it_undecided():
    with pytest.raises(Undecided, match="needs 20 training episodes and 3 rollouts, got 40 and 2"):
        deployed(rollouts(2))
    few = training(10)
    with pytest.raises(Undecided, match="got 10 and 8"):
        deployed(rollouts(8), few)


def test_the_offset_explains_the_start_pose_and_the_probe_shifts_it_back():
    broken = faults.calibration_offset(rollouts(12, successes=1), joint=1, degrees=12.0)
    found = judge(contract(TRAINED), TRAINED, broken, NumpyPolicy(), Address("runs/x", "twin"))
    assert found.verdict == "calibration-offset"
    (cause,) = found.causes
    assert "shoulder_lift by -1" in cause.probe.intervention
