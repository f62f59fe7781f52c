"""A joint does not go where it is told."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.unfollowed_joint import unfollowed_joint
from regrasp.diagnosis import Severity, Undecided


def test_dead_joint_is_an_error_with_both_spans(dataset):
    (finding,) = unfollowed_joint(faults.unfollowed_joint(dataset, joint=4, episodes=[2, 3]))
    assert finding.severity is Severity.ERROR
    assert str(finding.where) == "episodes 2 and 3, joint 'wrist_roll'"
    assert finding.summary.startswith("wrist_roll is commanded from -5")


def test_joint_that_stops_short_is_a_warning_with_its_stop(dataset):
    (finding,) = unfollowed_joint(faults.unfollowed_joint(dataset, joint=1, stop=-5.0))
    assert finding.severity is Severity.WARNING
    assert finding.summary == "shoulder_lift is commanded to 25.4 but always stops at -5.0."
    assert finding.evidence[0].value == pytest.approx(30.4, abs=0.2)


def test_a_stop_at_the_other_end_is_found_too(dataset):
    def upside_down(e):
        return replace(e, states=-e.states, actions=-e.actions)

    broken = faults.unfollowed_joint(dataset, joint=1, stop=-5.0).map_episodes(upside_down)
    (finding,) = unfollowed_joint(broken)
    assert finding.summary == "shoulder_lift is commanded to -25.4 but always stops at 5.0."


def test_a_gripper_stopped_by_an_object_is_fine(dataset):
    held = dataset.map_episodes(lambda e: replace(e, states=np.maximum(e.states, [-np.inf] * 5 + [30.0])))
    assert not list(unfollowed_joint(held))


def test_a_joint_pressed_against_things_in_different_places_is_fine(dataset):
    def press(episode):
        limits = np.full(6, np.inf)
        limits[1] = -5.0 - 4 * episode.index
        return replace(episode, states=np.minimum(episode.states, limits))

    assert not list(unfollowed_joint(dataset.map_episodes(press), min_frames_share=0.1))


def test_a_joint_that_is_not_asked_to_move_may_rest(dataset):
    def rest(e):
        still = np.eye(6)[4]
        return replace(e, states=e.states * (1 - still), actions=e.actions * (1 - still))

    assert not list(unfollowed_joint(dataset.map_episodes(rest)))


def test_actions_of_other_joints_leave_it_undecided(dataset):
    other = replace(dataset, action_names=tuple(reversed(dataset.joint_names)))
    with pytest.raises(Undecided, match=r"^actions and states name different joints"):
        list(unfollowed_joint(other))
