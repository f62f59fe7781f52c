"""Commands are cut off at one value while the leader goes on."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import ENCODER_STEP_DEG, sound_dataset

from regrasp import faults
from regrasp.checks.clipped_actions import clipped_actions
from regrasp.diagnosis import Undecided


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_a_joint_that_is_cut_off_is_named_with_the_value(dataset, share):
    low, high = dataset.actions[:, 1].min(), dataset.actions[:, 1].max()
    (finding,) = clipped_actions(faults.clipped_actions(dataset, share=share))
    assert str(finding.where) == "episodes 0-5, joint 'shoulder_lift'"
    assert f"cut off at {high - share * (high - low):.4g} in 6 of 6" in finding.summary


def test_the_lower_end_is_found_too(dataset):
    upside_down = dataset.map_episodes(lambda e: replace(e, actions=-e.actions, states=-e.states))

    def clip(e):
        return replace(e, actions=np.maximum(e.actions, [-np.inf, -10.0] + [-np.inf] * 4))

    (finding,) = clipped_actions(upside_down.map_episodes(clip))
    assert finding.summary.startswith("Commands of shoulder_lift are cut off at -10 in 6 of 6")


def test_two_episodes_are_enough_and_named(dataset):
    (finding,) = clipped_actions(faults.clipped_actions(dataset, episodes=[1, 4]))
    assert finding.where.episodes == (1, 4)
    assert not list(clipped_actions(faults.clipped_actions(dataset, episodes=[1])))


def test_rounding_to_float32_does_not_hide_it(dataset):
    def rounded(e):
        return replace(e, actions=e.actions.astype(np.float32).astype(np.float64))

    assert list(clipped_actions(faults.clipped_actions(dataset).map_episodes(rounded)))


def test_an_arm_that_rests_at_its_stop_before_and_after_is_fine(dataset):
    def fold(e):
        actions = e.actions.copy()
        actions[:25] = np.where(np.arange(6) == 2, 100.0, actions[:25])
        actions[:, 2] = np.minimum(actions[:, 2], 100.0)
        actions[-25:, 2] = 100.0
        return replace(e, actions=actions)

    assert not list(clipped_actions(dataset.map_episodes(fold)))


def test_a_leader_in_encoder_steps_that_turns_back_is_fine(dataset):
    def step(e):
        return replace(e, actions=np.round(e.actions / ENCODER_STEP_DEG) * ENCODER_STEP_DEG)

    assert not list(clipped_actions(dataset.map_episodes(step)))


def test_a_motor_that_is_switched_on_and_off_is_fine(dataset):
    def switch(e):
        actions = e.actions.copy()
        actions[:, 4] = 195.0 * (np.arange(e.length) // 40 % 2)
        return replace(e, actions=actions)

    assert not list(clipped_actions(dataset.map_episodes(switch)))


def test_a_closed_gripper_is_fine(dataset):
    def close(e):
        return replace(e, actions=np.maximum(e.actions, [-np.inf] * 5 + [8.0]))

    assert not list(clipped_actions(dataset.map_episodes(close)))


def test_one_episode_cannot_be_compared():
    with pytest.raises(Undecided, match=r"^needs 2 episodes to compare, got 1$"):
        list(clipped_actions(sound_dataset(episodes=1, cameras=False)))
