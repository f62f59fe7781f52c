"""The arm rests for long at the start of episodes, at their end, or in between."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.idle_stretches import idle_stretches
from regrasp.diagnosis import Severity
from regrasp.diagnosis.repair import TrimEpisodes
from regrasp.diagnosis.repair_plan import kept_frames
from regrasp.diagnosis.rest import KEPT_S


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=10, cameras=False)


@pytest.mark.parametrize("at", ["start", "middle", "end"])
def test_each_place_is_told_with_its_episodes_and_seconds(sound, at):
    broken = faults.idle_stretches(sound, episodes=[2, 5], at=at, share=0.6)
    (finding,) = idle_stretches(broken)
    held_s = [0.6 * sound.episodes[number].length / sound.fps for number in (2, 5)]
    assert finding.where.episodes == (2, 5)
    assert at in finding.summary
    assert finding.severity is Severity.WARNING
    assert max(held_s) - 0.1 <= finding.evidence[0].value <= max(held_s) + 1.2


def test_one_episode_comes_with_its_frames(sound):
    (finding,) = idle_stretches(faults.idle_stretches(sound, episodes=[3], at="start", share=0.6))
    first, last = finding.where.frames
    assert first == 0
    assert last == pytest.approx(0.6 * sound.episodes[3].length, abs=30)


def test_the_repair_keeps_the_motion_and_half_a_second(sound):
    broken = faults.idle_stretches(sound, episodes=[3], at="start", share=0.6)
    (finding,) = idle_stretches(broken)
    assert isinstance(finding.fix.repair, TrimEpisodes)
    first, last = finding.fix.repair.keep[3]
    assert last == broken.episodes[3].length - 1
    assert finding.where.frames[1] - first == pytest.approx(KEPT_S * sound.fps, abs=1.5)
    trimmed = broken.map_episodes(
        lambda e: replace(
            e,
            **{
                name: getattr(e, name)[first : last + 1]
                for name in ("states", "actions", "timestamps", "task_indices")
            },
        ),
        [3],
    )
    assert not list(idle_stretches(trimmed))


def test_both_ends_of_one_episode_are_two_findings(sound):
    broken = faults.idle_stretches(faults.idle_stretches(sound, at="start"), at="end", share=0.6)
    assert [finding.summary.split(" of episode")[0] for finding in idle_stretches(broken)] == [
        "The arm rests for long at the start",
        "The arm rests for long at the end",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_breath_before_and_after_is_fine(seed):
    assert not list(idle_stretches(sound_dataset(seed, episodes=20, cameras=False)))


def test_pauses_of_a_second_are_fine(sound):
    for at in ("start", "middle", "end"):
        share = 1.0 / (sound.episodes[0].length / sound.fps)
        rested = faults.idle_stretches(sound, at=at, share=min(share, 0.1))
        assert not list(idle_stretches(rested)), at


def test_a_rest_of_exactly_the_limit_is_fine(sound):
    broken = faults.idle_stretches(sound, at="start", share=0.6)
    (finding,) = idle_stretches(broken)
    longest = finding.evidence[0].value
    exact = longest / (np.median([e.length for e in broken.episodes]) / broken.fps)
    assert not list(idle_stretches(broken, max_start_share=exact, worth_knowing_s=longest))
    assert list(idle_stretches(broken, max_start_share=exact * 0.999, worth_knowing_s=longest))


def test_a_slow_reach_is_no_rest(sound):
    slow = sound.map_episodes(
        lambda e: replace(
            e,
            **{
                name: np.repeat(getattr(e, name), 3, axis=0)
                for name in ("states", "actions", "timestamps", "task_indices")
            },
        )
    )
    assert all(finding.severity is not Severity.WARNING for finding in idle_stretches(slow, min_idle_s=4.0))


def test_an_arm_that_rests_while_it_is_commanded_is_not_idle(sound):
    broken = faults.idle_stretches(sound, at="start", share=0.6)
    rng = np.random.default_rng(0)
    driven = broken.map_episodes(
        lambda e: replace(e, actions=e.actions + rng.choice([-20.0, 20.0], (e.length, 1)))
    )
    assert not list(idle_stretches(driven))


def test_rests_in_real_recordings(real_data):
    from regrasp.data import read_dataset

    starts, ends = idle_stretches(read_dataset(real_data / "record-test", video=False))
    assert starts.where.episodes == (2, 3)
    assert starts.severity is Severity.WARNING
    assert starts.evidence[0].value * 30 == pytest.approx(137, abs=3)
    assert "at the end" in ends.summary
    assert ends.severity is Severity.INFO
    assert not list(idle_stretches(read_dataset(real_data / "jackvial_screwdriver_e5", video=False)))


def test_an_episode_that_rests_from_its_start_to_its_end_is_left_out_and_not_cut(sound):
    still = sound.map_episodes(
        lambda e: replace(e, states=0 * e.states + e.states[0], actions=0 * e.actions + e.actions[0]), {1}
    )
    repairs = [finding.fix.repair for finding in idle_stretches(still) if 1 in finding.where.episodes]
    assert repairs
    assert not any(isinstance(repair, TrimEpisodes) and 1 in repair.keep for repair in repairs)
    kept_frames([repair for repair in repairs if repair is not None])
