"""Arithmetic that checks share."""

import gc
import weakref
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sound_dataset import sound_dataset

from regrasp.diagnosis.signals import gripper_joints, joint_scale, longest_run, steps_out_of_line


@given(st.lists(st.booleans()))
def test_longest_run_is_a_run_and_none_is_longer(flags):
    mask = np.array(flags, dtype=bool)
    start, length = longest_run(mask)
    runs = [len(run) for run in "".join("x" if flag else " " for flag in flags).split()]
    assert length == max(runs, default=0)
    assert mask[start : start + length].all()


@given(st.floats(-50, 50), st.integers(5, 40))
def test_steady_motion_is_in_line_at_any_speed(speed, length):
    ramp = speed * np.arange(length)[:, None]
    assert np.allclose(steps_out_of_line(ramp), 0, atol=1e-9)


def test_the_scale_of_joints_has_their_unit(dataset):
    degrees = joint_scale(dataset)
    in_radians = dataset.map_episodes(lambda e: replace(e, states=np.deg2rad(e.states)))
    assert np.allclose(np.rad2deg(joint_scale(in_radians)), degrees)


def test_what_is_remembered_of_a_dataset_goes_with_it():
    made = sound_dataset(cameras=False, episodes=2)
    joint_scale(made)
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None


def test_grippers_are_found_by_name_or_by_place():
    assert gripper_joints(("left_gripper", "wrist", "right_gripper")) == (0, 2)
    assert gripper_joints(("joint_1", "joint_2", "joint_3")) == (2,)
    assert gripper_joints(("shoulder_pan", "wrist_roll")) == ()
    assert gripper_joints(()) == ()
