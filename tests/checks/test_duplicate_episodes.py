"""An episode is a copy of another."""

import time
from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.duplicate_episodes import duplicate_episodes
from regrasp.data import read_dataset
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.repair import DropEpisodes


@pytest.fixture(scope="module")
def bare():
    return sound_dataset(episodes=8, cameras=False)


def named(dataset):
    return [number for finding in duplicate_episodes(dataset) for number in finding.where.episodes]


def test_copies_are_named_with_what_they_copy(bare):
    (finding,) = duplicate_episodes(faults.duplicate_episodes(bare, copies={6: 2, 7: 3}))
    assert finding.summary == "2 episodes are copies: 6 of 2, 7 of 3."
    assert finding.where.episodes == (6, 7)
    assert finding.fix.repair == DropEpisodes((6, 7))


def test_many_copies_of_one_are_copies_of_the_first(bare):
    (finding,) = duplicate_episodes(faults.duplicate_episodes(bare, copies={2: 1, 5: 1, 7: 1}))
    assert finding.summary == "3 episodes are copies: 2 of 1, 5 of 1, 7 of 1."


@pytest.mark.parametrize("trimmed", [1, 10, 30])
@pytest.mark.parametrize("rounding", [0.0, 1e-6])
def test_a_copy_with_frames_cut_off_or_rounded_is_still_a_copy(bare, trimmed, rounding):
    broken = faults.duplicate_episodes(bare, copies={7: 0}, trimmed=trimmed, rounding=rounding)
    assert named(broken) == [7]


def test_a_copy_that_passed_through_radians_and_single_precision(bare):
    def there_and_back(values):
        return np.rad2deg(np.deg2rad(values).astype(np.float32)).astype(np.float32).astype(float)

    copied = faults.duplicate_episodes(bare, copies={7: 0})
    saved = copied.map_episodes(
        lambda e: replace(e, states=there_and_back(e.states), actions=there_and_back(e.actions)), [7]
    )
    assert named(saved) == [7]


def test_a_replay_with_noise_is_a_demonstration_of_its_own(bare):
    def noisy(episode):
        rng = np.random.default_rng(episode.index)
        return replace(episode, states=episode.states + rng.normal(0, 0.03, episode.states.shape))

    copied = faults.duplicate_episodes(bare, copies={7: 0})
    assert not named(copied.map_episodes(noisy, [7]))


@pytest.mark.parametrize(("same", "found"), [(0.79, []), (0.81, [7])])
def test_four_fifths_of_the_frames_make_a_copy(bare, same, found):
    def diverge(episode):
        states = episode.states.copy()
        states[round(same * episode.length) :] += 1.0
        return replace(episode, states=states)

    assert named(faults.duplicate_episodes(bare, copies={7: 0}).map_episodes(diverge, [7])) == found


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("pose", [0.0, 68.0])
def test_arms_at_rest_are_no_copies(bare, pose):
    still = bare.map_episodes(lambda e: replace(e, states=0 * e.states + pose, actions=0 * e.actions + pose))
    assert not named(still)


def test_numbers_that_are_not_finite_do_not_hide_a_copy(bare):
    assert named(faults.duplicate_episodes(faults.nan_values(bare), copies={7: 0})) == [7]


def test_one_episode_has_nothing_to_copy():
    with pytest.raises(Undecided, match="needs 2 episodes"):
        list(duplicate_episodes(sound_dataset(episodes=1, cameras=False)))


def test_241_episodes_of_418_frames_take_a_quarter_of_a_second():
    rng = np.random.default_rng(0)
    small = sound_dataset(episodes=1, cameras=False)
    (episode,) = small.episodes

    def made(number):
        walk = np.cumsum(rng.normal(0, 1, (418, 6)), axis=0)
        zeros = np.zeros(418, dtype=np.int64)
        return replace(
            episode,
            index=number,
            states=walk,
            actions=walk,
            timestamps=np.arange(418) / 30,
            task_indices=zeros,
        )

    large = replace(small, episodes=tuple(made(number) for number in range(241)))
    large.states, large.actions  # noqa: B018 - joined once for all checks
    started = time.process_time()
    assert not named(large)
    assert time.process_time() - started < 0.25


@pytest.mark.parametrize(
    "name", ["record-test", "chethantu_pick_place", "techin517_so101_test", "jackvial_screwdriver_e5"]
)
def test_real_demonstrations_share_next_to_nothing(real_data, name):
    dataset = read_dataset(real_data / name, video=False)
    assert not list(duplicate_episodes(dataset, min_share=0.01, min_frames=2))
