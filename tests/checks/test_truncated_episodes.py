"""An episode breaks off before the task is done."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.truncated_episodes import truncated_episodes
from regrasp.diagnosis import Undecided
from regrasp.faults.frames import with_frames


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=20, cameras=False)


@pytest.mark.parametrize("share", [0.1, 0.235, 0.4, 0.5])
def test_episodes_that_break_off_are_named(sound, share):
    (finding,) = truncated_episodes(faults.truncated_episodes(sound, episodes=[4, 9, 17], share=share))
    assert finding.where.episodes == (4, 9, 17)
    assert finding.summary.startswith("3 of 20 episodes break off")
    assert finding.fix.repair.episodes == (4, 9, 17)


def test_a_quick_but_complete_episode_is_fine(sound):
    def hurry(episode):
        return with_frames(episode, np.arange(0, episode.length, 3))

    quick = sound.map_episodes(hurry, [4, 9])
    assert quick.episodes[4].length < 0.4 * sound.episodes[5].length
    assert not list(truncated_episodes(quick))


def test_an_episode_of_exactly_the_limit_is_fine(sound):
    broken = faults.truncated_episodes(sound, episodes=[4], share=0.5)
    exact = broken.episodes[4].length / np.median([episode.length for episode in broken.episodes])
    assert not list(truncated_episodes(broken, min_length_share=exact))
    assert list(truncated_episodes(broken, min_length_share=exact * 1.001))


def test_a_missing_grasp_tells_even_where_the_arm_ends_anywhere(sound):
    rng = np.random.default_rng(0)
    ends = rng.uniform(-90, 90, (20, 6)) * np.array([1, 1, 1, 1, 1, 0])

    def end_anywhere(episode):
        share = np.clip((np.arange(episode.length) - 0.75 * episode.length) / (0.2 * episode.length), 0, 1)
        offset = share[:, None] * ends[episode.index]
        return replace(episode, states=episode.states + offset, actions=episode.actions + offset)

    anywhere = sound.map_episodes(end_anywhere)
    (finding,) = truncated_episodes(faults.truncated_episodes(anywhere, episodes=[6], share=0.3))
    assert finding.where.episodes == (6,)


def test_radians_are_judged_like_degrees(sound):
    broken = faults.truncated_episodes(sound, episodes=[4], share=0.3)
    radians = broken.map_episodes(
        lambda e: replace(e, states=np.deg2rad(e.states), actions=np.deg2rad(e.actions))
    )
    assert [f.where for f in truncated_episodes(radians)] == [f.where for f in truncated_episodes(broken)]


def test_three_episodes_have_no_usual_end(sound):
    with pytest.raises(Undecided, match=r"^needs 4 episodes to know where the task usually ends, got 3$"):
        list(truncated_episodes(replace(sound, episodes=sound.episodes[:3])))
