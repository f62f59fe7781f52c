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
    assert finding.summary == "Nine of ten of the 30 grasps are at one place: the policy need not look."
    assert finding.evidence[1].unit == "cm"
    assert "regrasp coverage" in finding.fix.command


@pytest.mark.parametrize("places", [2, 3])
def test_few_places_are_a_warning(sound, places):
    (finding,) = thin_coverage(faults.thin_coverage(sound, places=places))
    assert finding.severity is Severity.WARNING
    assert finding.evidence[0].value == places


@pytest.mark.parametrize("places", [1, 2, 3])
def test_few_places_are_seen_in_any_unit(sound, places):
    (finding,) = thin_coverage(in_other_unit(faults.thin_coverage(sound, places=places)))
    assert finding.evidence[0].value == places
    assert finding.evidence[1].unit == "%"


def test_sound_data_in_another_unit_are_fine(sound):
    assert not list(thin_coverage(in_other_unit(sound)))


def test_a_narrow_area_is_no_row_of_places():
    """Two inches wide, as people mark it."""

    def narrowed(episode):
        states, actions = episode.states.copy(), episode.actions.copy()
        for values in (states, actions):
            values[:, 0] = np.round(0.4 * values[:, 0] * 4096 / 360) * 360 / 4096
        return replace(episode, states=states, actions=actions)

    for seed in range(5):
        narrow = sound_dataset(seed, episodes=30, cameras=False).map_episodes(narrowed)
        assert np.ptp(places_of(narrow)[:, 1]) < 0.07
        assert not list(thin_coverage(narrow))


def with_a_hole(dataset, half_width_cm):
    """Without the episodes that grasp within so much of the middle; numbered anew."""
    y = places_of(dataset)[:, 1]
    kept = np.flatnonzero(np.abs(y - np.median(y)) > half_width_cm / 100)
    return replace(dataset, episodes=tuple(replace(dataset.episodes[e], index=i) for i, e in enumerate(kept)))


def test_a_gap_in_the_middle_is_a_hole():
    broken = with_a_hole(sound_dataset(0, episodes=120, cameras=False), 3.5)
    (finding,) = thin_coverage(broken)
    assert finding.severity is Severity.WARNING
    assert finding.summary.startswith("Nothing is grasped within ")
    assert finding.evidence[0].value == pytest.approx(3.5, abs=1.0)


def test_a_hole_of_exactly_the_limit_is_fine():
    broken = with_a_hole(sound_dataset(0, episodes=120, cameras=False), 3.5)
    (finding,) = thin_coverage(broken)
    assert not list(thin_coverage(broken, min_hole_cm=finding.evidence[0].value))
    assert list(thin_coverage(broken, min_hole_cm=0.999 * finding.evidence[0].value))


def test_more_places_than_the_limit_are_fine(sound):
    broken = faults.thin_coverage(sound, places=3)
    assert not [f for f in thin_coverage(broken, most_places=2) if "places, and" in f.summary]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("episodes", [6, 15, 50])
def test_places_at_random_are_fine(seed, episodes):
    assert not list(thin_coverage(sound_dataset(seed, episodes=episodes, cameras=False)))


def test_three_grasps_do_not_tell(sound):
    with pytest.raises(Undecided, match=r"^needs 4 grasps to see how they spread, got 3$"):
        list(thin_coverage(replace(sound, episodes=sound.episodes[:3])))


def test_no_gripper_is_undecided(sound):
    wheels = replace(sound, joint_names=tuple(f"wheel_{number}" for number in "abcdef"))
    with pytest.raises(Undecided, match=r"^sees no grasp: no joint is called gripper$"):
        list(thin_coverage(wheels))


def test_that_nothing_is_grasped_is_left_to_the_grippers_own_check(sound):
    assert not list(thin_coverage(faults.idle_gripper(sound)))
