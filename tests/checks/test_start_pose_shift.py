"""The arm starts in a pose that no demonstration started from."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, live, rollouts, training

from regrasp import faults
from regrasp.arm.so101 import HOME, JOINTS
from regrasp.checks.start_pose_shift import (
    SLACK_DEG,
    start_limits,
    start_pose_shift,
    start_pose_shift_deployed,
)
from regrasp.diagnosis import Undecided

KNOWN = contract()


@pytest.mark.parametrize("seed", range(20))
def test_starts_like_those_of_the_training_are_fine(seed):
    assert not list(start_pose_shift(KNOWN, live(seed=seed + 100)))


def test_a_joint_elsewhere_is_reported_with_its_limit():
    view = faults.start_pose_shift(live(), joint=2, shift_deg=30)
    (finding,) = start_pose_shift(KNOWN, view)
    (evidence,) = finding.evidence
    assert finding.where.joint == "elbow_flex"
    assert evidence.value == pytest.approx(view.joints[2], abs=0.01)
    assert evidence.limit == pytest.approx(start_limits(KNOWN.joints[2])[1], abs=0.01)


def test_an_open_gripper_is_reported():
    view = live(joints=np.array([*HOME[:5], 5.0]))
    (finding,) = start_pose_shift(KNOWN, view)
    assert finding.where.joint == "gripper"
    assert "Joint 'gripper' stands at 5.0" in finding.summary


def test_exactly_the_limit_is_fine_and_a_hair_beyond_is_not():
    high = start_limits(KNOWN.joints[0])[1]
    at, beyond = HOME.copy(), HOME.copy()
    at[0], beyond[0] = high, high + 1e-6
    assert not list(start_pose_shift(KNOWN, live(joints=at)))
    assert len(list(start_pose_shift(KNOWN, live(joints=beyond)))) == 1


def test_a_training_that_always_started_alike_still_allows_backlash():
    starts = training()
    fixed = [replace(e, states=np.vstack([HOME, e.states[1:]])) for e in starts.episodes]
    pan = contract(replace(starts, episodes=tuple(fixed))).joints[0]
    assert start_limits(pan) == pytest.approx((HOME[0] - SLACK_DEG, HOME[0] + SLACK_DEG))


def test_joints_are_told_apart_by_name_not_by_place():
    sound = live()
    turned = replace(sound, joints=sound.joints[::-1], joint_names=JOINTS[::-1])
    assert not list(start_pose_shift(KNOWN, turned))


def test_only_the_rollouts_that_started_elsewhere_are_named():
    deployed = rollouts(6)
    moved = faults.start_pose_shift(deployed)
    mixed = (*deployed.dataset.episodes[:4], *moved.dataset.episodes[4:])
    (finding,) = start_pose_shift_deployed(
        KNOWN, replace(deployed, dataset=replace(deployed.dataset, episodes=mixed))
    )
    assert finding.where.episodes == (4, 5)
    assert finding.where.joint == "shoulder_pan"
    assert "in 2 of 6 rollouts" in finding.summary


def test_sound_rollouts_are_fine():
    assert not list(start_pose_shift_deployed(KNOWN, rollouts(20)))


def test_on_the_twin_a_command_brings_it_home_and_on_a_real_arm_a_person_does():
    (finding,) = start_pose_shift(KNOWN, faults.start_pose_shift(live()))
    assert (finding.fix.command or "").endswith("--starts home")
    real = KNOWN.model_copy(update={"robot_type": "so101_follower"})
    (finding,) = start_pose_shift(real, faults.start_pose_shift(live()))
    assert finding.fix.command is None
    assert finding.fix.summary.startswith("Drive the arm to shoulder_pan -")


def test_too_few_demonstrations_leave_it_undecided():
    with pytest.raises(Undecided) as reason:
        list(start_pose_shift(contract(training(4)), live()))
    assert str(reason.value) == "needs the starts of 5 training episodes, got 4"


def test_a_robot_without_the_joint_leaves_it_undecided():
    with pytest.raises(Undecided, match="the robot does not report joint 'gripper'"):
        list(start_pose_shift(KNOWN, live(joints=HOME[:5], joint_names=JOINTS[:5])))


def test_radians_are_held_to_limits_in_radians():
    def as_radians(joint):
        turned = {
            n: np.deg2rad(getattr(joint, n)) for n in ("start_mean", "start_std", "start_low", "start_high")
        }
        return joint.model_copy(update=turned | {"unit": "rad"})

    for joint in contract().joints:
        np.testing.assert_allclose(np.rad2deg(start_limits(as_radians(joint))), start_limits(joint))


def test_a_start_that_is_no_number_is_left_out():
    run = rollouts(3)
    broken = run.dataset.map_episodes(
        lambda e: replace(e, states=np.where(np.arange(6) == 1, np.nan, e.states)), {0}
    )
    assert not list(start_pose_shift_deployed(contract(), replace(run, dataset=broken)))
