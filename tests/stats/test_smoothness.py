"""How an arm moves: smooth, back and forth, or not at all."""

import numpy as np
import pytest

from regrasp.stats.smoothness import log_dimensionless_jerk, reversals_per_s, still_frames

FPS = 30.0
TIME = np.linspace(0, 1, 91)[:, None]
ONE = np.ones(2)


def reach(time):
    return np.hstack([10 * time**3 - 15 * time**4 + 6 * time**5, time**2 * (3 - 2 * time)])


REACH = reach(TIME)


def test_least_jerk_has_the_jerk_of_its_formula():
    alone = log_dimensionless_jerk(REACH[:, :1], FPS, np.ones(1))
    assert alone == pytest.approx(-np.log(720), abs=0.25)  # Flash & Hogan 1985: the integral is 720 A^2 / D^5


def test_units_and_speed_do_not_count():
    calm = log_dimensionless_jerk(REACH, FPS, ONE)
    assert log_dimensionless_jerk(57.3 * REACH, FPS, 57.3 * ONE) == pytest.approx(calm)
    slow = reach(np.linspace(0, 1, 181)[:, None])
    assert log_dimensionless_jerk(slow, FPS, ONE) == pytest.approx(calm, abs=0.3)


def test_the_steps_of_an_encoder_hardly_count_and_a_jump_does():
    calm = log_dimensionless_jerk(REACH, FPS, ONE)
    assert log_dimensionless_jerk((REACH * 1000).round() / 1000, FPS, ONE) == pytest.approx(calm, abs=0.4)
    jumping = REACH + 0.1 * (TIME > 0.5)
    assert log_dimensionless_jerk(jumping, FPS, ONE) < calm - 2


def test_what_does_not_move_or_is_short_or_unknown_has_no_smoothness():
    holed = REACH.copy()
    holed[40] = np.nan
    for motion in (np.zeros((90, 2)), REACH[:10], holed):
        assert np.isnan(log_dimensionless_jerk(motion, FPS, ONE))


def test_turns_are_counted_over_all_joints_and_small_ones_are_not():
    swing = np.sin(2 * np.pi * 5 * TIME)
    per_s = FPS / len(TIME)
    assert reversals_per_s(np.hstack([swing, swing]), FPS, ONE) == pytest.approx(20 * per_s)
    assert reversals_per_s(REACH + 0.005 * np.hstack([swing, swing]), FPS, ONE) == 0


def test_a_stretch_without_motion_is_still_and_a_slow_drift_is_not():
    still = still_frames(np.concatenate([REACH, np.repeat(REACH[-1:], 30, axis=0)]), FPS, ONE)
    assert still[-30:].all()
    assert not still[20:70].any()
    assert not still_frames(np.linspace(0, 0.5, 90)[:, None] * ONE, FPS, ONE).any()
