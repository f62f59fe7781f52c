"""Commands jump back and forth instead of running smoothly."""

from dataclasses import replace

import numpy as np
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.jerky_motion import jerky_motion


def test_jerky_episodes_are_named_with_their_rate(dataset):
    (finding,) = jerky_motion(faults.jerky_motion(dataset, episodes=[1, 4]))
    assert finding.where.episodes == (1, 4)
    assert 4 < finding.evidence[0].value < 8  # a new plan 7.5 times a second, most of them out of line
    assert finding.evidence[0].limit == 2


def test_a_tool_that_is_switched_now_and_then_is_fine(dataset):
    def switch(episode):
        on = (np.arange(episode.length) // 40) % 2
        return replace(
            episode, actions=episode.actions * (1 - np.eye(6)[5]) + np.outer(195 * on, np.eye(6)[5])
        )

    assert not list(jerky_motion(dataset.map_episodes(switch)))


def test_fast_motion_is_fine(dataset):
    fast = dataset.map_episodes(
        lambda e: replace(
            e, actions=e.actions[::3].repeat(1, axis=0), states=e.states[::3], timestamps=e.timestamps[::3],
            task_indices=e.task_indices[::3], cameras={},
        )
    )  # fmt: skip
    assert not list(jerky_motion(fast))


def test_a_recorder_that_sees_the_leader_every_other_frame_is_fine():
    held = sound_dataset(seconds=12, cameras=False).map_episodes(
        lambda e: replace(e, actions=e.actions[np.arange(e.length) // 2 * 2])
    )
    assert not list(jerky_motion(held))


def test_tremor_in_a_joint_that_hardly_works_is_fine(dataset):
    rng = np.random.default_rng(0)

    def tremble(episode):
        actions = episode.actions.copy()
        actions[:, 0] = 0.1 * actions[:, 0] + rng.normal(0, 0.35, episode.length)
        return replace(episode, actions=actions)

    assert not list(jerky_motion(dataset.map_episodes(tremble)))


def test_rate_of_exactly_the_limit_is_fine(dataset):
    broken = faults.jerky_motion(dataset, episodes=[1])
    (finding,) = jerky_motion(broken)
    assert not list(jerky_motion(broken, max_jumps_per_s=finding.evidence[0].value))
