"""The measured joints run too late behind the commands, or before them."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import FPS, LAG_FRAMES, sound_dataset

from regrasp import faults
from regrasp.checks.action_lag import action_lag
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.joint_signals import lags


def test_late_joints_are_reported_with_their_lag_in_seconds_and_frames(dataset):
    (finding,) = action_lag(faults.action_lag(dataset, seconds=0.4))
    assert str(finding.where) == "the whole dataset"
    assert finding.evidence[0].value == pytest.approx(0.4 + LAG_FRAMES / 30, abs=0.02)
    assert finding.evidence[1].value == pytest.approx(12 + LAG_FRAMES, abs=0.5)
    assert "(0.50 s) after their commands." in finding.summary


def test_joints_that_move_before_their_commands_have_a_negative_lag(dataset):
    (finding,) = action_lag(faults.action_lag(dataset, seconds=-0.2))
    assert finding.evidence[0].value == pytest.approx(LAG_FRAMES / 30 - 0.2, abs=0.02)
    assert "before their commands" in finding.summary


def test_single_episodes_that_stray_are_named(dataset):
    (finding,) = action_lag(faults.action_lag(dataset, episodes=[1, 4], seconds=0.17))
    assert finding.where.episodes == (1, 4)
    assert finding.fix.repair is not None


@pytest.mark.parametrize("fps", [10.0, 15.0, 20.0, 30.0, 50.0, 60.0])
def test_the_lag_is_a_time_at_any_rate(fps):
    sound = sound_dataset(episodes=4, cameras=False, fps=fps)
    lag_s = round(LAG_FRAMES / FPS * fps) / fps  # whole frames
    assert lags(sound).usual == pytest.approx(lag_s, abs=0.1 / fps)
    (finding,) = action_lag(faults.action_lag(sound, seconds=0.4))
    assert finding.evidence[0].value == pytest.approx(lag_s + 0.4, abs=0.3 / fps)


def test_a_part_of_a_frame_is_seen(dataset):
    def halfway(e):
        return replace(e, states=(e.states + np.vstack([e.states[:1], e.states[:-1]])) / 2)

    assert lags(dataset.map_episodes(halfway)).usual * 30 == pytest.approx(LAG_FRAMES + 0.5, abs=0.1)


def test_a_lag_of_exactly_the_limit_is_fine(dataset):
    late = faults.action_lag(dataset, seconds=0.4)
    assert not list(action_lag(late, max_lag_s=lags(late).usual))
    assert list(action_lag(late, max_lag_s=lags(late).usual - 1e-9))


def test_a_gripper_that_is_held_by_an_object_does_not_count(dataset):
    def hold(e):
        return replace(e, states=np.maximum(e.states, [-np.inf] * 5 + [40.0]))

    assert lags(dataset.map_episodes(hold)).usual == lags(dataset).usual


def test_dead_joints_and_missing_values_do_not_count(dataset):
    def spoil(e):
        states = e.states.copy()
        states[:, 4] = 3.0
        states[10:20, 1] = np.nan
        return replace(e, states=states)

    assert lags(dataset.map_episodes(spoil)).usual == pytest.approx(LAG_FRAMES / 30, abs=0.01)


def test_arms_at_rest_leave_it_undecided(dataset):
    def rest(e):
        return replace(e, states=0 * e.states, actions=0 * e.actions)

    with pytest.raises(Undecided, match=r"^no joint moves enough to tell"):
        list(action_lag(dataset.map_episodes(rest)))


def test_episodes_of_one_frame_say_nothing(dataset):
    def first(e):
        return replace(
            e,
            states=e.states[:1],
            actions=e.actions[:1],
            timestamps=e.timestamps[:1],
            task_indices=e.task_indices[:1],
            cameras={},
        )

    with pytest.raises(Undecided):
        list(action_lag(dataset.map_episodes(first)))
