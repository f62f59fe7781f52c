"""Where the gripper closes on something."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp.data.grasps import closings, find_grasps


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=8, cameras=False)


def repeated(episode, times=2):
    """The same motion again and again."""
    return replace(
        episode,
        **{
            name: np.concatenate([getattr(episode, name)] * times)
            for name in ("states", "actions", "timestamps", "task_indices")
        },
    )


def test_each_sound_episode_has_its_one_grasp(sound):
    grasps = find_grasps(sound)
    assert [grasp.episode for grasp in grasps] == list(range(8))
    assert all(grasp.pressed for grasp in grasps)


def test_the_grasp_is_where_the_jaws_have_come_to_rest(sound):
    for grasp, episode in zip(find_grasps(sound), sound.episodes, strict=True):
        gripper = episode.states[:, 5]
        assert gripper[grasp.frame] < gripper[grasp.frame :].min() + 5
        assert gripper[grasp.frame - 10] > gripper[grasp.frame] + 5
        np.testing.assert_array_equal(grasp.pose, episode.states[grasp.frame])


def test_two_grasps_in_one_episode_are_two(sound):
    twice = sound.map_episodes(repeated, [3])
    assert [grasp.episode for grasp in find_grasps(twice)].count(3) == 2


def test_closing_on_nothing_counts_only_where_there_is_nothing_else(sound):
    def let_go(episode):
        """The jaws follow their command: nothing is between them."""
        return replace(episode, states=np.column_stack([episode.states[:, :5], episode.actions[:, 5]]))

    def grasp_then_nothing(episode):
        first, empty = episode, let_go(episode)
        joined = {
            name: np.concatenate([getattr(first, name), getattr(empty, name)])
            for name in ("states", "actions", "timestamps", "task_indices")
        }
        return replace(episode, **joined)

    both = find_grasps(sound.map_episodes(grasp_then_nothing, [2]))
    assert [
        (grasp.pressed, grasp.frame < sound.episodes[2].length) for grasp in both if grasp.episode == 2
    ] == [(True, True)]
    empty = find_grasps(sound.map_episodes(let_go, [2]))
    assert [grasp.pressed for grasp in empty if grasp.episode == 2] == [False]


def test_a_gripper_that_stays_shut_or_open_grasps_nothing(sound):
    for value in (0.0, 60.0):
        still = sound.map_episodes(
            lambda e, value=value: replace(
                e, states=np.column_stack([e.states[:, :5], np.full(e.length, value)])
            )
        )
        assert find_grasps(still) == ()


def test_no_gripper_no_grasp(sound):
    names = tuple(f"wheel_{number}" for number in range(6))
    assert find_grasps(replace(sound, joint_names=names)) == ()


def test_a_slip_that_is_too_short_neither_ends_nor_makes_a_grasp():
    gripper = np.array([50.0] * 10 + [5] * 10 + [30] * 2 + [5] * 10 + [50] * 10 + [5] * 2 + [50] * 5)
    assert list(closings(gripper, 20.0, 3)) == [(10, 32)]
    assert list(closings(gripper, 20.0, 2)) == [(10, 20), (22, 32), (42, 44)]


def test_shut_from_the_first_frame_on_is_no_closing():
    assert list(closings(np.array([0.0] * 9 + [50] * 9), 20.0, 2)) == []
