"""A timer ended the episodes, not the person who showed the task."""

from dataclasses import replace

import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.idle_stretches import idle_stretches
from regrasp.checks.timer_ended_episodes import timer_ended_episodes
from regrasp.data import read_dataset
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.repair import TrimEpisodes


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=10, cameras=False)


def test_motion_cut_off_is_a_warning(sound):
    broken = faults.timer_ended_episodes(sound, share=0.75)
    (finding,) = timer_ended_episodes(broken)
    assert finding.severity is Severity.WARNING
    assert finding.where.episodes == tuple(range(10))
    assert "end in the middle of a motion" in finding.summary
    assert f"{broken.episodes[0].length} frames" in finding.summary


def test_rest_after_the_motion_is_worth_knowing(sound):
    (finding,) = timer_ended_episodes(faults.timer_ended_episodes(sound, share=1.5))
    assert finding.severity is Severity.INFO
    assert isinstance(finding.fix.repair, TrimEpisodes)
    assert set(finding.fix.repair.keep) <= set(range(10))


def test_rest_for_most_of_the_time_is_a_warning(sound):
    (finding,) = timer_ended_episodes(faults.timer_ended_episodes(sound, share=2.5))
    assert finding.severity is Severity.WARNING


def test_the_rest_that_a_timer_leaves_is_told_once(sound):
    assert not list(idle_stretches(faults.timer_ended_episodes(sound, share=2.5)))


def test_one_length_without_rest_or_cut_is_fine(sound):
    """As a steady script makes them: the motion ends when the episode does."""
    from regrasp.faults.frames import with_frames

    length = min(episode.length for episode in sound.episodes)

    def fit(episode):
        import numpy as np

        return with_frames(episode, np.linspace(0, episode.length - 1, length).round().astype(int))

    assert not list(timer_ended_episodes(sound.map_episodes(fit)))


def test_lengths_that_differ_are_no_timers(sound):
    assert not list(timer_ended_episodes(sound))
    padded = faults.idle_stretches(sound, episodes=range(10), at="end")
    assert not list(timer_ended_episodes(padded))


def test_a_quarter_exactly_is_enough_and_less_is_not(sound):
    broken = faults.timer_ended_episodes(sound, share=0.75)
    (finding,) = timer_ended_episodes(broken)
    share = finding.evidence[0].value / 10
    assert list(timer_ended_episodes(broken, min_episodes_share=share))
    assert not list(timer_ended_episodes(broken, min_episodes_share=share + 0.01))


def test_four_episodes_do_not_tell(sound):
    with pytest.raises(Undecided, match=r"^needs 5 episodes to tell a timer, got 4$"):
        list(timer_ended_episodes(replace(sound, episodes=sound.episodes[:4])))


def test_forty_seconds_by_the_clock_in_a_real_recording(real_data):
    (finding,) = timer_ended_episodes(read_dataset(real_data / "chethantu_pick_place", video=False))
    assert finding.summary.startswith("All 20 episodes have 799 frames")
    assert finding.where.episodes == tuple(range(20))


def test_four_of_five_screwdriver_episodes_of_one_length_are_no_timers(real_data):
    assert not list(timer_ended_episodes(read_dataset(real_data / "jackvial_screwdriver_e5", video=False)))
