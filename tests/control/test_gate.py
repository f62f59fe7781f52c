"""What stands between a policy and the motors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regrasp.control import SafetyGate

LIMITS = np.array([[-100.0, 100.0]] * 6)
STEP = np.full(6, 5.0)
anything = arrays(np.float64, 6, elements=st.floats(allow_nan=True, allow_infinity=True))
poses = arrays(np.float64, 6, elements=st.floats(-100, 100))


@given(wanted=st.lists(anything, min_size=1, max_size=6), present=poses)
def test_whatever_a_policy_wants_the_command_is_finite_within_limits_and_near(wanted, present):
    gate = SafetyGate(LIMITS, STEP)
    last = present
    for one in wanted:
        sent, changed = gate.check(one, present)
        assert np.isfinite(sent).all()
        assert (sent >= LIMITS[:, 0]).all()
        assert (sent <= LIMITS[:, 1]).all()
        assert (np.abs(sent - last) <= STEP + 1e-9).all()
        assert changed == (not np.array_equal(sent, one))
        last = sent


def test_a_command_near_the_one_before_passes_unchanged():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.zeros(6), np.zeros(6))
    sent, changed = gate.check(np.full(6, 5.0), np.zeros(6))
    assert sent.tolist() == [5.0] * 6
    assert not changed
    assert gate.interventions == 0


def test_the_first_command_is_held_near_the_present_pose_and_counted():
    gate = SafetyGate(LIMITS, STEP)
    sent, changed = gate.check(np.full(6, 80.0), np.full(6, 10.0))
    assert sent.tolist() == [15.0] * 6
    assert changed
    assert gate.interventions == 1


def test_a_new_episode_is_compared_with_the_pose_again():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.zeros(6), np.zeros(6))
    gate.reset()
    sent, _ = gate.check(np.full(6, 50.0), np.full(6, 48.0))
    assert sent.tolist() == [50.0] * 6


def test_nan_keeps_that_joint_where_it_was_told_to_be():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.full(6, 3.0), np.zeros(6))
    wanted = np.array([np.nan, 4.0, 4.0, 4.0, 4.0, np.inf])
    sent, changed = gate.check(wanted, np.zeros(6))
    assert sent.tolist() == [3.0, 4.0, 4.0, 4.0, 4.0, 3.0]
    assert changed


def test_the_envelope_of_the_demonstrations_sets_the_step_with_a_margin_and_a_floor():
    gate = SafetyGate.from_envelope(LIMITS, np.array([10.0, 1.0, 0.0, 4.0, 2.0, 8.0]))
    assert gate.max_step.tolist() == pytest.approx([15.0, 3.0, 3.0, 6.0, 3.0, 12.0])
