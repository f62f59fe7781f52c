"""A number in the tables is missing, infinite or not a number."""

from dataclasses import replace

import numpy as np

from regrasp import faults
from regrasp.checks.nan_values import nan_values


def test_place_and_number_of_bad_values_are_reported(dataset):
    (finding,) = nan_values(faults.nan_values(dataset, episodes=[3], joint=4))
    assert str(finding.where) == "episode 3, frames 10-12, joint 'wrist_roll'"
    assert [(e.value, e.limit) for e in finding.evidence] == [(3, 0)]
    assert "'action'" in finding.summary


def test_several_episodes_are_one_finding(dataset):
    (finding,) = nan_values(faults.nan_values(dataset, episodes=[1, 3, 4]))
    assert finding.where.episodes == (1, 3, 4)
    assert finding.evidence[0].value == 9
    assert "--operation.episode_indices=[1, 3, 4]" in (finding.fix.command or "")


def test_infinity_in_another_column_is_reported_under_its_name(dataset):
    with_forces = dataset.map_episodes(
        lambda e: replace(e, extras={"force": np.full(e.length, np.inf if e.index == 0 else 1.0)})
    )
    (finding,) = nan_values(with_forces)
    assert "'force'" in finding.summary
    assert finding.where.joint is None


def test_nothing_is_dropped_when_every_episode_is_bad(dataset):
    (finding,) = nan_values(faults.nan_values(dataset, episodes=range(6)))
    assert finding.fix.command is None


def test_a_column_that_is_commanded_and_not_measured_has_its_own_name(dataset):
    wide = replace(
        dataset.map_episodes(lambda e: replace(e, states=e.states[:, :3])),
        joint_names=dataset.joint_names[:3],
        action_names=dataset.joint_names,
    )
    (finding,) = nan_values(faults.nan_values(wide, episodes=[3], joint=4))
    assert finding.where.joint == "wrist_roll"
