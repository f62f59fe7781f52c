"""Demonstrations grasp in too few places."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.arm.kinematics import tip_positions
from regrasp.checks.thin_coverage import thin_coverage
from regrasp.data.grasps import find_grasps
from regrasp.diagnosis import Severity, Undecided


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=30, cameras=False)


def in_other_unit(dataset):
    """The same joints from -100 to 100 of ranges that differ."""
    scale = np.array([0.9, 0.87, 0.95, 0.97, 0.6, 1.0])
    return dataset.map_episodes(lambda e: replace(e, states=e.states * scale, actions=e.actions * scale))


def places_of(dataset):
    return tip_positions(np.array([grasp.pose for grasp in find_grasps(dataset)]))[:, :2]


def test_one_place_is_worth_knowing(sound):
    (finding,) = thin_coverage(faults.thin_coverage(sound, places=1))
    assert finding.severity is Severity.INFO
    assert finding.where.episodes == tuple(range(30))
    assert finding.evidence[0].unit == "cm"
    assert finding.evidence[0].value < 1
    assert "regrasp coverage" in finding.fix.command


def test_one_place_is_seen_in_any_unit(sound):
    (finding,) = thin_coverage(in_other_unit(faults.thin_coverage(sound, places=1)))
    assert finding.evidence[0].unit == "%"
    assert not list(thin_coverage(in_other_unit(sound)))


def test_two_places_leave_a_hole_between_them(sound):
    broken = faults.thin_coverage(sound, places=2)
    (finding,) = thin_coverage(broken)
    assert finding.severity is Severity.WARNING
    left, right = places_of(broken)[:, 1].max(), places_of(broken)[:, 1].min()
    assert finding.evidence[0].value == pytest.approx(100 * (left - right) / 2, rel=0.2)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("episodes", [6, 15, 50])
def test_places_at_random_are_fine(seed, episodes):
    assert not list(thin_coverage(sound_dataset(seed, episodes=episodes, cameras=False)))


def test_a_hole_of_exactly_the_limit_is_fine(sound):
    broken = faults.thin_coverage(sound, places=2)
    (finding,) = thin_coverage(broken)
    assert not list(thin_coverage(broken, min_hole_cm=finding.evidence[0].value))
    assert list(thin_coverage(broken, min_hole_cm=0.999 * finding.evidence[0].value))


def test_a_spread_of_exactly_the_limit_is_fine(sound):
    broken = faults.thin_coverage(sound, places=1)
    (finding,) = thin_coverage(broken)
    assert not list(thin_coverage(broken, one_place_cm=finding.evidence[0].value))


def test_three_grasps_do_not_tell(sound):
    with pytest.raises(Undecided, match=r"^needs 4 grasps to see how they spread, got 3$"):
        list(thin_coverage(replace(sound, episodes=sound.episodes[:3])))


def test_no_gripper_is_undecided(sound):
    wheels = replace(sound, joint_names=tuple(f"wheel_{number}" for number in "abcdef"))
    with pytest.raises(Undecided, match=r"^sees no grasp: no joint is called gripper$"):
        list(thin_coverage(wheels))


def test_that_nothing_is_grasped_is_left_to_the_grippers_own_check(sound):
    assert not list(thin_coverage(faults.idle_gripper(sound)))
