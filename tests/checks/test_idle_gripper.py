"""The gripper is never closed on anything."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.idle_gripper import idle_gripper
from regrasp.diagnosis import Undecided


def test_gripper_that_never_moves_is_reported_with_its_episodes(dataset):
    (finding,) = idle_gripper(faults.idle_gripper(dataset, episodes=[1, 2]))
    assert str(finding.where) == "episodes 1 and 2, joint 'gripper'"
    assert finding.summary == "The gripper is never moved in 2 episodes."
    assert (finding.evidence[0].value, finding.evidence[0].limit) == (0, 10)


def test_gripper_that_moves_but_stays_open_is_reported(dataset):
    opened = dataset.map_episodes(
        lambda e: replace(e, actions=e.actions + np.where(np.arange(6) == 5, 45.0, 0.0))
    )
    (finding,) = idle_gripper(opened)
    assert finding.summary == "The gripper never closes in any episode."
    assert finding.evidence[0].value == pytest.approx(45, abs=2)


@pytest.mark.parametrize("resting_at", [0.5, 2.0, 50.0])
def test_a_gripper_that_is_never_touched_is_reported_wherever_it_rests(dataset, resting_at):
    idle = dataset.map_episodes(
        lambda e: replace(e, actions=np.where(np.arange(6) == 5, resting_at, e.actions))
    )
    assert [f.summary for f in idle_gripper(idle)] == ["The gripper is never moved in any episode."]


def test_two_positions_are_enough(dataset):
    snapping = dataset.map_episodes(
        lambda e: replace(e, actions=np.where(np.arange(6) == 5, 40 * (e.actions > 25), e.actions))
    )
    assert not list(idle_gripper(snapping))


def test_in_radians_an_episode_is_judged_by_the_others(dataset):
    broken = faults.idle_gripper(dataset, episodes=[3])
    radians = broken.map_episodes(lambda e: replace(e, actions=np.deg2rad(e.actions)))
    (finding,) = idle_gripper(radians)
    assert finding.where.episodes == (3,)


def test_span_of_exactly_the_limit_is_fine(dataset):
    narrow = dataset.map_episodes(
        lambda e: replace(e, actions=np.where(np.arange(6) == 5, np.clip(e.actions, 10, 20), e.actions))
    )
    assert not list(idle_gripper(narrow))
    assert list(idle_gripper(narrow, min_span=10.001))


def test_an_arm_without_a_gripper_is_undecided(dataset):
    names = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "screwdriver.vel")
    with pytest.raises(Undecided, match=r"is called gripper$"):
        list(idle_gripper(replace(dataset, joint_names=names, action_names=names)))
