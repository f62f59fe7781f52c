"""The statistics are not those of the data."""

from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.stale_statistics import stale_statistics
from regrasp.data import read_dataset
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.repair import RecomputeStatistics
from regrasp.diagnosis.runner import run_checks


def with_statistic(dataset, name, change, feature="action"):
    changed = {**dataset.stats[feature], name: change(dataset.stats[feature][name])}
    return replace(dataset, stats={**dataset.stats, feature: changed})


def test_values_of_other_data_are_reported_beside_the_true_ones(dataset):
    (finding,) = stale_statistics(faults.stale_statistics(dataset))
    assert finding.severity is Severity.WARNING
    assert "11 more joints are off too" in finding.summary
    assert finding.evidence[0].value > finding.evidence[0].limit
    assert finding.fix.repair == RecomputeStatistics()


@pytest.mark.parametrize("name", ["min", "max", "mean", "std"])
def test_one_number_of_one_joint_is_enough(dataset, name):
    def bend(values):
        return values + np.where(np.arange(6) == 3, 0.1 * np.ptp(dataset.actions[:, 3]), 0)

    (finding,) = stale_statistics(with_statistic(dataset, name, bend))
    assert finding.summary.startswith(f"meta/stats.json says that the {name} of wrist_flex in 'action' is ")
    assert finding.where.joint == "wrist_flex"


def test_episodes_added_without_computing_anew_are_found(dataset):
    moved = dataset.map_episodes(lambda e: replace(e, states=e.states + 40), [0, 1])
    assert list(stale_statistics(replace(moved, stats=dataset.stats)))
    assert not list(stale_statistics(moved))


def test_a_count_alone_is_a_remark(dataset):
    (finding,) = stale_statistics(with_statistic(dataset, "count", lambda count: count + 5))
    assert (finding.severity, finding.evidence[0].value) == (Severity.INFO, 5)


def test_the_deviation_that_lerobot_gives_a_joint_that_never_moves_is_no_alarm(dataset):
    """0.077 instead of 0, measured on a joint at 68.027 degrees."""

    def rest(episode):
        states = episode.states.copy()
        states[:, 3] = 68.027
        return replace(episode, states=states)

    resting = dataset.map_episodes(rest)
    rounded = with_statistic(
        resting, "std", lambda std: np.where(np.arange(6) == 3, 0.077, std), "observation.state"
    )
    assert not list(stale_statistics(rounded))
    wrong = with_statistic(
        resting, "std", lambda std: np.where(np.arange(6) == 3, 0.77, std), "observation.state"
    )
    assert list(stale_statistics(wrong))


@pytest.mark.parametrize(("share", "found"), [(0.0199, 0), (0.03, 1)])
def test_the_limit_is_a_share_of_the_deviation(dataset, share, found):
    std = dataset.actions.std(axis=0)
    bent = with_statistic(dataset, "mean", lambda mean: mean + share * std)
    assert len(list(stale_statistics(bent))) == found


def test_a_fault_in_the_statistics_is_told_once_though_the_quantiles_are_wrong_too(dataset):
    broken = faults.stale_statistics(faults.averaged_quantiles(dataset))
    result = run_checks({"dataset": broken}, only=["stale-statistics", "averaged-quantiles"])
    assert [f.check for f in result.findings] == ["stale-statistics"]


def test_statistics_of_another_number_of_joints(dataset):
    (finding,) = stale_statistics(with_statistic(dataset, "mean", lambda mean: mean[:5]))
    assert finding.severity is Severity.ERROR


def test_statistics_that_are_no_numbers_although_the_data_are(dataset):
    assert list(stale_statistics(with_statistic(dataset, "mean", lambda mean: mean * np.nan)))


def test_numbers_that_are_not_finite_are_left_to_their_own_check(dataset):
    assert not list(stale_statistics(faults.nan_values(dataset, joint=2)))
    everywhere = dataset.map_episodes(
        lambda e: replace(e, states=e.states * np.nan, actions=e.actions * np.nan)
    )
    with pytest.raises(Undecided, match="not finite"):
        list(stale_statistics(everywhere))


def test_a_dataset_on_disk_fits_its_statistics_in_single_precision(tmp_path):
    folder = write_v3(sound_dataset(cameras=False), tmp_path / "d")
    assert not list(stale_statistics(read_dataset(folder)))


def test_without_statistics_or_with_a_part_of_the_episodes_it_is_undecided(tmp_path):
    with pytest.raises(Undecided, match="no statistics"):
        list(stale_statistics(read_dataset(write_v21(sound_dataset(cameras=False), tmp_path / "v21"))))
    with pytest.raises(Undecided, match="all episodes"):
        list(
            stale_statistics(
                read_dataset(write_v3(sound_dataset(cameras=False), tmp_path / "d"), episodes=[0])
            )
        )


@pytest.mark.parametrize("name", ["record-test", "chethantu_pick_place", "techin517_so101_test"])
def test_statistics_that_lerobot_wrote_fit_its_tables(real_data, name):
    assert not list(stale_statistics(read_dataset(real_data / name, video=False)))
