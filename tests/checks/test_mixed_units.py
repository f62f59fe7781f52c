"""Episodes of one dataset are in different units."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.mixed_units import mixed_units
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.repair import ConvertUnits
from regrasp.diagnosis.unit_signals import in_one_unit

WORDS = {"radians": "radians", "counts": "encoder counts", "-100..100": "the scale of -100 to 100"}


@pytest.mark.parametrize("unit", WORDS)
@pytest.mark.parametrize("episodes", [(3,), (0, 5)])
def test_episodes_in_another_unit_are_named_with_both_units(dataset, unit, episodes):
    (finding,) = mixed_units(faults.mixed_units(dataset, episodes=episodes, unit=unit))
    assert finding.where.episodes == episodes
    assert f"are in {WORDS[unit]} in " in finding.summary
    assert finding.summary.endswith(" and in degrees in the others.")


def test_the_joints_alone_are_enough(dataset):
    (finding,) = mixed_units(faults.mixed_units(dataset, episodes=[2], gripper=False))
    assert finding.where.episodes == (2,)
    assert set(finding.fix.repair.lines) == set(dataset.joint_names[:5])


def test_the_gripper_alone_is_enough(dataset):
    (finding,) = mixed_units(faults.mixed_units(dataset, episodes=[2], unit="degrees"))
    assert str(finding.where) == "episode 2, joint 'gripper'"
    assert finding.fix.repair.lines["gripper"](0.5) == 50


def test_degrees_among_radians_are_the_odd_ones(dataset):
    (finding,) = mixed_units(faults.mixed_units(dataset, episodes=[0, 1, 2, 3, 4]))
    assert finding.where.episodes == (5,)
    assert finding.summary == "The joints are in degrees in 1 episode and in radians in the others."


def test_the_repair_puts_the_values_back(dataset):
    broken = faults.mixed_units(dataset, episodes=[1])
    (finding,) = mixed_units(broken)
    assert isinstance(finding.fix.repair, ConvertUnits)
    for joint, name in enumerate(dataset.joint_names):
        line = finding.fix.repair.lines[name]
        np.testing.assert_allclose(
            line(broken.episodes[1].states[:, joint]), dataset.episodes[1].states[:, joint]
        )


def test_other_checks_see_the_episodes_in_one_unit(dataset):
    for unit in ("radians", "counts"):
        same = in_one_unit(faults.mixed_units(dataset, episodes=[1], unit=unit))
        np.testing.assert_allclose(same.states[:, :5], dataset.states[:, :5], atol=1e-9)
        assert np.abs(same.states[:, 5] - dataset.states[:, 5]).max() < 5
    assert in_one_unit(dataset) is dataset


@pytest.mark.parametrize("unit", WORDS)
def test_a_whole_dataset_in_any_unit_is_fine(dataset, unit):
    assert not list(mixed_units(faults.mixed_units(dataset, episodes=range(6), unit=unit)))


def test_an_arm_at_rest_near_its_zero_pose_is_in_degrees(dataset):
    def rest(e):
        return replace(e, states=e.states * 0 + 2.0, actions=e.actions * 0 + 2.0)

    near = dataset.map_episodes(lambda e: replace(e, states=e.states * 0.2, actions=e.actions * 0.2))
    assert not list(mixed_units(near.map_episodes(rest, [3])))


def test_a_gripper_that_rests_closed_is_no_fraction(dataset):
    def rest(e):
        closed = np.round(np.random.default_rng(0).uniform(0, 1, e.length), 1)
        states, actions = e.states.copy(), e.actions.copy()
        states[:, 5], actions[:, 5] = closed, 0.5
        return replace(e, states=states, actions=actions)

    assert not list(mixed_units(dataset.map_episodes(rest, [3])))


def test_values_without_steps_are_not_taken_for_another_unit(dataset):
    def smooth(e):
        return replace(e, states=e.states + np.random.default_rng(0).uniform(-0.05, 0.05, e.states.shape))

    assert not list(mixed_units(dataset.map_episodes(smooth, [2, 4])))


def test_commands_in_another_unit_than_the_measurements_are_found(dataset):
    (finding,) = mixed_units(
        faults.mixed_units(dataset, episodes=range(6), columns=["actions"], gripper=False)
    )
    assert finding.summary == "Commands are in radians and measurements in degrees in 6 episodes."


def test_one_episode_cannot_be_compared():
    with pytest.raises(Undecided, match=r"^needs 2 episodes to compare their units, got 1$"):
        list(mixed_units(sound_dataset(episodes=1, cameras=False)))
