"""The quantiles in the statistics are averages over episodes, not those of the data."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.averaged_quantiles import averaged_quantiles
from regrasp.data import read_dataset
from regrasp.diagnosis import Severity, Undecided


def test_the_joint_that_is_off_most_is_named_with_both_ranges(dataset):
    (finding,) = averaged_quantiles(faults.averaged_quantiles(dataset, features=["observation.state"]))
    assert finding.severity is Severity.INFO
    assert finding.where.joint == "shoulder_pan"
    low, high = np.quantile(dataset.states[:, 0], [0.01, 0.99])
    assert f"in the data {low:.4g} to {high:.4g}" in finding.summary
    off, beyond = finding.evidence
    assert off.value > off.limit == 5
    assert beyond.value > beyond.limit == 2


def test_one_episode_is_its_own_average():
    assert not list(averaged_quantiles(faults.averaged_quantiles(sound_dataset(episodes=1, cameras=False))))


def test_quantiles_off_by_exactly_the_limit_are_fine(dataset):
    one = faults.averaged_quantiles(dataset, features=("action",))
    (finding,) = averaged_quantiles(one)
    share = finding.evidence[0].value / 100
    assert not list(averaged_quantiles(one, max_off=share * (1 + 1e-9)))
    assert list(averaged_quantiles(one, max_off=share * (1 - 1e-9)))


def test_a_joint_that_never_moves_has_no_quantiles_to_compare(dataset):
    still = dataset.map_episodes(lambda e: replace(e, states=0 * e.states, actions=0 * e.actions))
    assert not list(averaged_quantiles(still))


def test_numbers_that_are_not_finite_are_left_to_their_own_check(dataset):
    assert not list(averaged_quantiles(faults.nan_values(dataset)))


def test_statistics_without_quantiles_are_undecided(dataset):
    bare = {
        feature: {name: values for name, values in stats.items() if not name.startswith("q")}
        for feature, stats in dataset.stats.items()
    }
    with pytest.raises(Undecided, match="no quantiles"):
        list(averaged_quantiles(replace(dataset, stats=bare)))


def test_a_real_recording_of_several_episodes_has_averages(real_data):
    (finding,) = averaged_quantiles(read_dataset(real_data / "chethantu_pick_place", video=False))
    assert finding.evidence[0].value > 20


def test_a_dead_joint_is_not_the_one_that_is_named(real_data):
    (finding,) = averaged_quantiles(read_dataset(real_data / "techin517_so101_test", video=False))
    assert finding.where.joint != "wrist_roll"
