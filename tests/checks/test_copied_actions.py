"""The recorded commands are the measurements, written down a second time."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.copied_actions import copied_actions
from regrasp.diagnosis import Severity


@pytest.mark.parametrize(("later", "frame"), [(0, "the same frame"), (1, "the next frame")])
def test_copies_of_this_frame_and_of_the_next_are_found(dataset, later, frame):
    (finding,) = copied_actions(faults.copied_actions(dataset, later=later))
    assert finding.severity is Severity.WARNING
    assert finding.where.episodes == (0, 1, 2, 3, 4, 5)
    assert finding.evidence[0].value == 100
    assert finding.summary.startswith(f"Commands are the measurements of {frame} in shoulder_pan, ")


def test_single_joints_and_episodes_are_named(dataset):
    (finding,) = copied_actions(faults.copied_actions(dataset, episodes=[2, 5], joints=[1]))
    assert str(finding.where) == "episodes 2 and 5, joint 'shoulder_lift'"


def test_rounding_to_float32_does_not_hide_it(dataset):
    def rounded(e):
        return replace(e, actions=e.actions.astype(np.float32).astype(np.float64))

    assert list(copied_actions(faults.copied_actions(dataset).map_episodes(rounded)))


def test_a_perfect_follower_that_lags_is_fine(dataset):
    def perfect(e):
        return replace(e, states=np.concatenate([e.actions[:1], e.actions[:1], e.actions[:-2]]))

    assert not list(copied_actions(dataset.map_episodes(perfect)))


def test_a_perfect_follower_within_a_frame_is_only_worth_knowing(dataset):
    def perfect(e):
        followed = np.concatenate([e.actions[:1], e.actions[:-1]])
        return replace(e, states=np.maximum(followed, [-np.inf] * 5 + [12.0]) + 0.5 * np.eye(6)[5])

    (finding,) = copied_actions(dataset.map_episodes(perfect))
    assert finding.severity is Severity.INFO


def test_an_arm_that_rests_where_it_was_told_is_fine(dataset):
    def rest(e):
        return replace(
            e, actions=np.repeat(e.actions[:1], e.length, axis=0), states=0 * e.states + e.actions[0]
        )

    assert not list(copied_actions(dataset.map_episodes(rest)))


def test_a_share_of_exactly_the_limit_is_fine(dataset):
    assert not list(copied_actions(faults.copied_actions(dataset), max_equal_share=1.0))
