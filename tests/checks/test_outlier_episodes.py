"""An episode is unlike all the others."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.outlier_episodes import outlier_episodes
from regrasp.data import read_dataset
from regrasp.diagnosis import Undecided
from regrasp.faults.frames import with_frames


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=12, cameras=False)


def test_an_episode_several_times_as_long_is_named(sound):
    broken = faults.outlier_episodes(sound, episodes=[7], times=3)
    (finding,) = outlier_episodes(broken)
    assert finding.where.episodes == (7,)
    assert finding.summary.startswith(f"Episode 7 has {broken.episodes[7].length} frames, the median one ")
    assert finding.evidence[0].value > 2.5


def test_to_and_fro_in_the_usual_time_is_named_by_its_path(sound):
    def hurry(episode):
        there = np.arange(0, episode.length, 4)
        return with_frames(episode, np.concatenate([there, there[::-1]] * 2))

    (finding,) = outlier_episodes(sound.map_episodes(hurry, [3]))
    assert finding.where.episodes == (3,)
    assert "travels" in finding.summary


def test_an_arm_that_hardly_moves_is_named(sound):
    def still(episode):
        middle = episode.states.mean(axis=0)
        return replace(episode, states=middle + 0.1 * (episode.states - middle))

    (finding,) = outlier_episodes(sound.map_episodes(still, [5]))
    assert finding.where.episodes == (5,)
    assert "hardly moves" in finding.summary


def test_a_long_rest_does_not_make_an_episode_long(sound):
    assert not list(outlier_episodes(faults.idle_stretches(sound, at="start", share=3.0)))


@pytest.mark.parametrize("seed", range(5))
def test_lengths_that_differ_by_a_third_are_fine(seed):
    mixed = sound_dataset(seed, episodes=12, cameras=False)
    slow = mixed.map_episodes(
        lambda e: with_frames(e, np.repeat(np.arange(e.length), 2)[: round(1.35 * e.length)]), [2]
    )
    assert not list(outlier_episodes(slow))


def test_lengths_all_over_the_place_have_no_outlier(sound):
    rng = np.random.default_rng(0)
    slower = sound.map_episodes(
        lambda e: with_frames(
            e, np.linspace(0, e.length - 1, int(e.length * rng.uniform(0.5, 4))).astype(int)
        )
    )
    assert not [finding for finding in outlier_episodes(slower) if "frames" in finding.summary]


def test_a_ratio_of_exactly_the_limit_is_fine(sound):
    broken = faults.outlier_episodes(sound, episodes=[7], times=3)
    (finding,) = outlier_episodes(broken)
    exact = finding.evidence[0].value
    assert not [f for f in outlier_episodes(broken, max_ratio=exact) if "frames" in f.summary]


def test_two_episodes_have_no_usual_one(sound):
    with pytest.raises(Undecided, match=r"^needs 3 episodes to know the usual one, got 2$"):
        list(outlier_episodes(replace(sound, episodes=sound.episodes[:2])))


def test_five_times_as_long_in_a_real_recording(real_data):
    (finding,) = outlier_episodes(read_dataset(real_data / "techin517_so101_test", video=False))
    assert finding.where.episodes == (0,)
    assert finding.evidence[0].value == pytest.approx(1549 / 275)


@pytest.mark.parametrize("name", ["jackvial_screwdriver_e5", "chethantu_pick_place", "record-test"])
def test_real_recordings_without_an_outlier_are_clean(real_data, name):
    assert not list(outlier_episodes(read_dataset(real_data / name, video=False)))
