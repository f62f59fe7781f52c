"""Timestamps do not follow the frames."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.irregular_timestamps import irregular_timestamps
from regrasp.diagnosis import Severity
from regrasp.diagnosis.repair import DropEpisodes


@pytest.fixture(scope="module")
def bare():
    return sound_dataset(cameras=False)


def retimed(dataset, change):
    return dataset.map_episodes(lambda e: replace(e, timestamps=change(e.timestamps)), [2])


def test_a_hole_is_reported_with_its_place_and_length(bare):
    (finding,) = irregular_timestamps(faults.irregular_timestamps(bare, episodes=[3]))
    frame = bare.episodes[3].length // 2 + 1
    assert finding.summary == f"0.3 s are missing at frame {frame} of episode 3."
    assert str(finding.where) == f"episode 3, frame {frame}"
    assert finding.fix.repair == DropEpisodes((3,))


def test_holes_and_jitter_in_different_episodes_are_two_findings(bare):
    both = faults.irregular_timestamps(
        faults.irregular_timestamps(bare, episodes=[1, 4]), episodes=[2], hole_s=0, jitter_s=0.004
    )
    hole, jitter = irregular_timestamps(both)
    assert (hole.where.episodes, jitter.where.episodes) == ((1, 4), (2,))
    assert "2 episodes have such holes" in hole.summary
    assert jitter.fix.repair is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: np.where(np.arange(len(t)) == 40, t[39], t),
        lambda t: np.where(np.arange(len(t)) >= 40, t - 0.5, t),
        lambda t: t[::-1],
        lambda t: 0 * t,
    ],
)
def test_time_that_stands_still_or_runs_backwards(bare, change):
    (finding,) = irregular_timestamps(retimed(bare, change))
    assert finding.summary.startswith("Time stands still or runs backwards in 1 episode, most at frame ")
    assert finding.where.episodes == (2,)


def test_an_episode_that_does_not_begin_at_0(bare):
    (finding,) = irregular_timestamps(retimed(bare, lambda t: t + 1.0))
    assert finding.evidence[0].value == pytest.approx(1000)


@pytest.mark.parametrize(("off_s", "found"), [(0.99e-4, 0), (1.1e-4, 1)])
def test_a_tenth_of_a_millisecond_is_what_lerobot_allows(bare, off_s, found):
    shifted = retimed(bare, lambda t: t + off_s * (np.arange(len(t)) == 20))
    assert len(list(irregular_timestamps(shifted))) == found


def test_single_precision_after_an_hour_is_no_jitter():
    frames = np.arange(30 * 3600)
    (episode,) = sound_dataset(episodes=1, cameras=False).episodes
    still = np.zeros((len(frames), 6))
    hour = replace(
        episode,
        timestamps=(frames / np.float32(30)).astype(np.float32).astype(float),
        states=still,
        actions=still,
        task_indices=0 * frames,
    )
    assert not list(irregular_timestamps(replace(sound_dataset(episodes=1, cameras=False), episodes=(hour,))))


def test_with_pictures_it_is_an_error_because_lerobot_looks_them_up_by_time(bare, dataset):
    (warning,) = irregular_timestamps(faults.irregular_timestamps(bare))
    (error,) = irregular_timestamps(faults.irregular_timestamps(dataset))
    assert (warning.severity, error.severity) == (Severity.WARNING, Severity.ERROR)


def test_times_that_are_no_numbers_are_left_to_their_own_check(bare):
    assert not list(irregular_timestamps(retimed(bare, lambda t: np.where(t > 1, np.nan, t))))
