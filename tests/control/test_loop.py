"""One loop drives the real and the simulated arm."""

import numpy as np
import pytest

from regrasp.control import Decision, SafetyGate, run_episode
from regrasp.control.clock import FastClock

JOINTS = ("pan", "gripper")


class Arm:
    """Goes where it is told at once."""

    def __init__(self):
        self.pose = {"pan.pos": 0.0, "gripper.pos": 0.0}
        self.told = []

    def get_observation(self):
        return dict(self.pose)

    def send_action(self, action):
        self.pose = dict(action)
        self.told.append(action)
        return action


class Ramp:
    """Wants one unit more each tick."""

    def reset(self):
        self.ticks = 0

    def decide(self, observation):
        self.ticks += 1
        return Decision(np.array([self.ticks, np.nan]), float("nan"), 0, self.ticks)


class SlowClock(FastClock):
    """Every look at the time takes 20 ms."""

    def now(self):
        self._now += 0.02
        return self._now


def gate():
    return SafetyGate(np.array([[-10.0, 10.0]] * 2), np.full(2, 2.0))


def drive(arm, **options):
    defaults = {"joints": JOINTS, "clock": FastClock(), "fps": 10, "max_ticks": 5}
    return run_episode(arm, Ramp(), gate(), **{**defaults, **options})


def test_every_command_passes_the_gate():
    arm = Arm()
    drive(arm)
    assert [one["pan.pos"] for one in arm.told] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert [one["gripper.pos"] for one in arm.told] == [0.0] * 5


def test_it_ends_when_finished_says_so():
    arm = Arm()
    end = drive(arm, finished=lambda: arm.pose["pan.pos"] >= 3)
    assert end.ticks == 3


def test_observers_see_what_was_wanted_and_what_was_sent():
    seen = []
    drive(Arm(), max_ticks=2, observers=[seen.append])
    assert [tick.index for tick in seen] == [0, 1]
    assert seen[1].decision.action[0] == 2.0
    assert seen[1].sent.tolist() == [2.0, 0.0]
    assert seen[1].intervened  # the NaN


def test_time_is_the_clock_s_and_late_ticks_are_counted():
    assert drive(Arm()).late_ticks == 0
    assert drive(Arm()).seconds == pytest.approx(0.4)
    assert drive(Arm(), clock=SlowClock(), fps=100).late_ticks == 5
