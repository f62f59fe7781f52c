"""One loop drives the real and the simulated arm."""

import numpy as np
import pytest

from regrasp.control import Decision, SafetyGate, run_episode
from regrasp.control.clock import FastClock
from regrasp.errors import DeviceError

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


class Mad(Ramp):
    """Never wants anything that can be sent."""

    def decide(self, observation):
        return Decision(np.array([np.nan, np.nan]), float("nan"), 0, 0)


class Gone(Arm):
    """Its bus is lost, or its camera hangs, at some tick."""

    def __init__(self, *, reading=None, moving=None):
        super().__init__()
        self.reading, self.moving = reading, moving

    def get_observation(self):
        if len(self.told) == self.reading:
            raise TimeoutError("Timed out waiting for frame from camera front.\nRead thread alive: True")
        return super().get_observation()

    def send_action(self, action):
        if len(self.told) == self.moving:
            raise ConnectionError("Failed to sync write 'Goal_Position' on ids=[1, 2]")
        return super().send_action(action)


def test_a_closed_gate_ends_the_episode_and_the_arm_holds():
    arm = Arm()
    end = run_episode(arm, Mad(), gate(), joints=JOINTS, clock=FastClock(), fps=10, max_ticks=50)
    assert (end.reason, end.ticks) == ("gate-closed", 6)
    assert end.interventions == {"not-finite": 6}
    assert arm.pose == {"pan.pos": 0.0, "gripper.pos": 0.0}


def test_why_an_episode_ended_is_said():
    assert drive(Arm(), max_ticks=3).reason == "time"
    assert drive(Arm(), finished=lambda: True).reason == "finished"


def test_interventions_are_those_of_this_episode():
    one_gate = gate()
    for _ in range(2):
        end = run_episode(Arm(), Ramp(), one_gate, joints=JOINTS, clock=FastClock(), fps=10, max_ticks=3)
    assert end.interventions == {"not-finite": 3}


def test_a_camera_that_is_lost_is_one_sentence():
    arm = Gone(reading=3)
    with pytest.raises(DeviceError) as raised:
        drive(arm)
    assert str(raised.value) == (
        "The robot failed while reading tick 3 (TimeoutError: Timed out waiting for frame from camera front)."
    )
    assert len(arm.told) == 3


def test_a_bus_that_is_lost_is_one_sentence():
    with pytest.raises(DeviceError) as raised:
        drive(Gone(moving=2))
    assert str(raised.value) == (
        "The robot failed while moving in tick 2 (ConnectionError: Failed to sync write 'Goal_Position' on ids=[1, 2])."
    )


def test_ctrl_c_is_passed_on():
    def stop(_tick):
        raise KeyboardInterrupt

    arm = Arm()
    with pytest.raises(KeyboardInterrupt):
        drive(arm, observers=[stop])
    assert len(arm.told) == 1


def test_scores_are_in_each_tick_and_the_monitor_is_reset():
    class Count:
        def reset(self):
            self.seen = 0

        def watch(self, tick, state):
            self.seen += 1
            return {"seen": self.seen, "pan": state[0]}

    seen = []
    monitor = Count()
    for _ in range(2):
        drive(Arm(), max_ticks=2, observers=[seen.append], monitor=monitor)
    assert [tick.scores["seen"] for tick in seen] == [1, 2, 1, 2]
    assert [tick.scores["pan"] for tick in seen] == [0.0, 1.0, 0.0, 1.0]
