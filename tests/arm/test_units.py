"""The only converter between what LeRobot reports and what the simulation computes with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrasp.arm.so101 import GRIPPER, HOME, HOME_SPREAD, JOINTS, LIMITS, within_limits
from regrasp.arm.units import GRIPPER_RANGE_RAD, to_degrees, to_radians

POSES = st.lists(st.floats(-200, 200), min_size=6, max_size=6).map(np.array)


@given(POSES)
def test_radians_and_back_is_the_same_pose(pose):
    assert to_degrees(to_radians(pose)) == pytest.approx(pose, abs=1e-9)


@given(POSES)
def test_converting_leaves_its_argument_alone(pose):
    before = pose.copy()
    to_degrees(to_radians(pose))
    assert (pose == before).all()


def test_a_closed_and_an_open_gripper_are_the_ends_of_its_joint():
    closed, opened = np.zeros(6), np.zeros(6)
    opened[GRIPPER] = 100.0
    assert to_radians(closed)[GRIPPER] == GRIPPER_RANGE_RAD[0]
    assert to_radians(opened)[GRIPPER] == pytest.approx(GRIPPER_RANGE_RAD[1])


def test_many_poses_convert_at_once():
    poses = np.arange(24.0).reshape(4, 6)
    assert (to_radians(poses) == np.array([to_radians(pose) for pose in poses])).all()


def test_the_home_pose_and_its_spread_lie_within_the_limits():
    assert (within_limits(HOME) == HOME).all()
    assert (HOME[:GRIPPER] + HOME_SPREAD[:GRIPPER] <= LIMITS[:GRIPPER, 1]).all()
    assert (HOME[:GRIPPER] - HOME_SPREAD[:GRIPPER] >= LIMITS[:GRIPPER, 0]).all()


def test_the_joints_are_named_as_lerobot_names_the_motors():
    assert JOINTS == ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
