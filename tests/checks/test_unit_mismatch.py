"""The station's joints are in another unit than those of the training data."""

import numpy as np
import pytest
from deployments import contract, live, rollouts
from hypothesis import given
from hypothesis import strategies as st

from regrasp import faults
from regrasp.arm.so101 import LIMITS
from regrasp.checks.unit_mismatch import unit_mismatch, unit_mismatch_deployed
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.preflight import preflight
from regrasp.faults.unit_mismatch import FROM_DEGREES, TO_DEGREES

KNOWN = contract()
REAL = KNOWN.model_copy(update={"robot_type": "so_follower"})


def real(**changes):
    return live(**{"robot_type": "so_follower", "robot": {"use_degrees": True}, **changes})


@pytest.mark.parametrize("unit", FROM_DEGREES)
def test_another_unit_is_reported_with_both(unit):
    (finding,) = unit_mismatch(KNOWN, faults.unit_mismatch(live(), unit=unit))
    words = {"-100..100": "the scale of -100 to 100", "rad": "radians", "counts": "counts of the encoder"}
    assert finding.summary == f"The station's joints are in {words[unit]}; the training data are in degrees."
    assert finding.fix.summary == "Set `use_degrees: true` for the robot in the station file."


@pytest.mark.parametrize("unit", FROM_DEGREES)
def test_it_is_told_once_and_not_as_a_start_pose(unit):
    judged = preflight(KNOWN, faults.unit_mismatch(live(), unit=unit))
    assert [finding.check for finding in judged.findings] == ["unit-mismatch"]


def test_the_option_tells_where_the_numbers_do_not():
    assert not list(unit_mismatch(REAL, real()))
    assert len(list(unit_mismatch(REAL, real(robot={"use_degrees": False})))) == 1


def test_the_other_way_round_is_told_as_well():
    scaled = KNOWN.joints[0].model_copy(update={"unit": "-100..100"})
    joints = [scaled, *(joint.model_copy(update={"unit": scaled.unit}) for joint in KNOWN.joints[1:])]
    known = REAL.model_copy(update={"joints": joints})
    (finding,) = unit_mismatch(known, real())
    assert finding.fix.summary == "Set `use_degrees: false` for the robot in the station file."
    assert not list(unit_mismatch(known, real(robot={"use_degrees": False})))


def test_an_arm_in_degrees_that_stands_elsewhere_is_no_matter_of_units():
    assert not list(unit_mismatch(KNOWN, faults.start_pose_shift(live(), joint=0, shift_deg=60)))


def test_a_robot_without_the_option_is_undecided_unless_a_joint_goes_too_far():
    inside = real(robot={}, joints=np.array([0.0, -90, 90, 75, -50, 1]))
    with pytest.raises(Undecided):
        list(unit_mismatch(REAL, inside))
    beyond = real(robot={}, joints=np.array([0.0, -90, 90, 75, -150, 1]))
    assert not list(unit_mismatch(REAL, beyond))


def test_training_data_of_an_unknown_unit_are_undecided_unless_the_size_tells():
    joints = [joint.model_copy(update={"unit": "unknown"}) for joint in KNOWN.joints]
    known = REAL.model_copy(update={"joints": joints})
    with pytest.raises(Undecided):
        list(unit_mismatch(known, real()))
    assert len(list(unit_mismatch(known, faults.unit_mismatch(real(), unit="rad")))) == 1


@pytest.mark.parametrize("unit", ["rad", "counts"])
def test_rollouts_in_another_unit_are_reported_with_their_episodes(unit):
    deployed = rollouts(3)
    (finding,) = unit_mismatch_deployed(KNOWN, faults.unit_mismatch(deployed, unit=unit))
    assert finding.where.episodes == (0, 1, 2)
    assert not list(unit_mismatch_deployed(KNOWN, deployed))


@pytest.mark.parametrize("unit", FROM_DEGREES)
@given(st.integers(0, 2**32 - 1))
def test_a_conversion_and_its_inverse_give_the_pose_back(unit, seed):
    pose = np.random.default_rng(seed).uniform(LIMITS[:, 0], LIMITS[:, 1])
    assert TO_DEGREES[unit](FROM_DEGREES[unit](pose)) == pytest.approx(pose, abs=1e-9)
