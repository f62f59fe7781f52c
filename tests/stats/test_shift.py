"""Two sets of episodes are compared as sets of episodes, not of frames."""

import numpy as np
import pytest
from scipy.stats import energy_distance

from regrasp.stats.shift import compare_episodes, exceeding_by_chance


def slow_walks(rng, episodes, shift=0.0):
    """Episodes that each stay near a level of their own: their frames resemble each other."""
    return [rng.normal(shift) + 0.05 * rng.normal(size=(100, 1)) for _ in range(episodes)]


def test_the_distance_is_that_of_scipy():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(500, 1)), 1.5 * rng.normal(size=(300, 1)) + 0.7
    found = compare_episodes([one], [other]).distance[0]
    assert found == pytest.approx(energy_distance(one[:, 0], other[:, 0]), rel=0.02)


def test_episodes_that_resemble_themselves_are_no_difference():
    alarms = [
        compare_episodes(slow_walks(rng, 20), slow_walks(rng, 8)).p[0] <= 0.05
        for rng in map(np.random.default_rng, range(40))
    ]
    assert sum(alarms) <= 6  # 2 are expected, and more than 6 come once in a hundred times


def test_a_shift_of_all_episodes_is_found():
    rng = np.random.default_rng(1)
    found = compare_episodes(slow_walks(rng, 20), slow_walks(rng, 8, shift=3.0))
    assert found.p[0] == pytest.approx(0.001)
    assert found.distance[0] > np.median(found.single)


def test_a_long_episode_counts_as_much_as_a_short_one():
    rng = np.random.default_rng(2)
    here, there = slow_walks(rng, 10), slow_walks(rng, 4)
    longer = [np.tile(there[0], (9, 1)), *there[1:]]
    assert compare_episodes(here, there).distance == pytest.approx(compare_episodes(here, longer).distance)


def test_what_is_not_finite_is_left_out():
    rng = np.random.default_rng(3)
    here, there = slow_walks(rng, 6), slow_walks(rng, 6)
    holed = [np.concatenate([episode, np.full((40, 1), np.nan)]) for episode in there]
    assert compare_episodes(here, holed).distance == pytest.approx(compare_episodes(here, there).distance)


@pytest.mark.parametrize(("k", "m", "n", "rank"), [(1, 5, 12, 1), (3, 8, 20, 2), (2, 4, 9, 3)])
def test_the_chance_of_exceeding_is_that_of_drawing(k, m, n, rank):
    rng = np.random.default_rng(4)
    drawn = rng.random((20_000, n + m))
    limits = np.sort(drawn[:, :n], axis=1)[:, -rank]
    share = np.mean((drawn[:, n:] > limits[:, None]).sum(axis=1) >= k)
    assert exceeding_by_chance(k, m, n, rank) == pytest.approx(share, abs=0.012)
