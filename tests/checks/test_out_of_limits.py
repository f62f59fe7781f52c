"""Joints are commanded or measured where the arm cannot go."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.arm.so101 import LIMITS
from regrasp.checks.out_of_limits import out_of_limits
from regrasp.diagnosis import Undecided


def with_value(dataset, value, joint, column="states", frames=slice(60, 61), episodes=(1,)):
    def put(e):
        values = getattr(e, column).copy()
        values[frames, joint] = value
        return replace(e, **{column: values})

    return dataset.map_episodes(put, episodes)


@pytest.mark.parametrize("joint", range(5))
def test_a_joint_that_runs_past_its_limit_is_named_with_the_limit(dataset, joint):
    past = LIMITS[joint, 1] + 40
    (finding,) = out_of_limits(faults.out_of_limits(dataset, joint=joint, episodes=[2, 4], degrees=40))
    assert str(finding.where) == f"episodes 2 and 4, joint '{dataset.joint_names[joint]}'"
    assert finding.evidence[0].value == pytest.approx(past, abs=0.5)
    assert finding.evidence[0].limit < past


def test_an_encoder_that_wraps_is_found_from_one_frame_of_its_measurement(dataset):
    (finding,) = out_of_limits(with_value(dataset, 300.0, joint=4))
    assert finding.summary.startswith("wrist_roll is measured at 300.0, where an SO-101 does not reach")


def test_a_command_must_be_held_unless_it_is_far_beyond(dataset):
    def commanded(value, frames):
        return list(out_of_limits(with_value(dataset, value, 3, "actions", slice(60, 60 + frames))))

    assert not commanded(115.0, 14)
    assert len(commanded(115.0, 15)) == 1
    assert len(commanded(400.0, 1)) == 1


def test_the_limit_itself_is_within_reach(dataset):
    at_limit = LIMITS[2, 1] + 10.0
    assert not list(out_of_limits(with_value(dataset, at_limit, joint=2)))
    assert list(out_of_limits(with_value(dataset, at_limit + 0.1, joint=2)))


def test_on_the_scale_of_100_the_driver_cuts_off(dataset):
    scaled = faults.mixed_units(dataset, episodes=range(6), unit="-100..100")
    scaled = scaled.map_episodes(lambda e: replace(e, states=np.clip(e.states, -100, 100)))
    assert not list(out_of_limits(scaled))
    (finding,) = out_of_limits(with_value(scaled, 109.0, 0, "actions", slice(40, 60)))
    assert finding.evidence[0].limit == 102


def test_radians_are_judged_as_degrees(dataset):
    radians = faults.mixed_units(faults.out_of_limits(dataset), episodes=range(6))
    (finding,) = out_of_limits(radians)
    assert finding.evidence[0].value == pytest.approx(np.deg2rad(LIMITS[2, 1] + 40), abs=0.01)
    assert not list(out_of_limits(faults.mixed_units(dataset, episodes=range(6))))


def test_both_arms_of_two_are_judged():
    one = sound_dataset(episodes=2, cameras=False)
    names = tuple(f"{side}_{name}.pos" for side in ("left", "right") for name in one.joint_names)

    def double(e):
        return replace(
            e, states=np.hstack([e.states] * 2), actions=np.hstack([e.actions] * 2), joint_names=names
        )

    two = replace(one, robot_type="bi_so101_follower", joint_names=names, action_names=names)
    two = two.map_episodes(double)
    assert not list(out_of_limits(two))
    (finding,) = out_of_limits(with_value(two, 200.0, joint=7))
    assert finding.where.joint == "right_shoulder_lift.pos"


def test_other_robots_are_left_undecided(dataset):
    with pytest.raises(Undecided, match="limits of robot 'koch_follower' are not known"):
        list(out_of_limits(replace(dataset, robot_type="koch_follower")))
