"""Commands come in their time: none early, none in a burst after a tick that took long."""

import numpy as np
import pytest

from regrasp.control.clock import FastClock
from regrasp.control.pace import LEAST_GAP, Pace

FPS = 30
PERIOD = 1 / FPS


class WorldClock(FastClock):
    """Time that passes only while something is waited for or done."""

    def spend(self, seconds):
        self._now += seconds


def sent_at(busy_s, ticks=12):
    """When commands go out, if the policy thinks for `busy_s[tick]`; and the pace."""
    clock = WorldClock()
    pace = Pace(clock, FPS)
    times = []
    for tick in range(ticks):
        pace.wait_for_tick()
        clock.spend(busy_s.get(tick, 0.0))
        pace.wait_to_send()
        times.append(clock.now())
    return np.array(times), pace


def test_ticks_that_take_no_time_come_a_period_apart():
    times, pace = sent_at({})
    np.testing.assert_allclose(times, np.arange(12) * PERIOD)
    assert pace.late == 0


@pytest.mark.parametrize("busy_s", [0.4, 0.05, 10.0])
def test_after_a_slow_tick_no_two_commands_come_close(busy_s):
    times, pace = sent_at({3: busy_s})
    assert np.diff(times).min() >= LEAST_GAP * PERIOD - 1e-9
    assert pace.late <= 1


def test_what_was_lost_is_not_made_up_for():
    times, _ = sent_at({3: 0.4}, ticks=40)
    assert times[-1] - times[3] >= 35 * PERIOD
    np.testing.assert_allclose(np.diff(times)[-20:], PERIOD)


def test_a_short_delay_is_made_up_for():
    times, pace = sent_at({3: 0.02})
    assert times[-1] == pytest.approx(11 * PERIOD)
    assert pace.late == 0


def test_a_loop_that_never_keeps_up_goes_as_fast_as_it_can():
    times, pace = sent_at(dict.fromkeys(range(12), 0.06))
    np.testing.assert_allclose(np.diff(times), 0.06)
    assert pace.late > 8
