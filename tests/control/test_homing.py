"""The arm comes home by itself, or says that it cannot."""

import numpy as np
import pytest
from deployments import contract, training

from regrasp.arm.so101 import HOME, HOME_SPREAD, JOINTS, LIMITS
from regrasp.control.clearance import clearance, lowest_m
from regrasp.control.clock import FastClock
from regrasp.control.homing import ARRIVED_DEG, PEAK_DEG_S, draw_start, home, movement, plan, table_height_m
from regrasp.errors import DeviceError

FPS = 30
TABLE_M = -0.045
AWAY = np.array([60.0, -20.0, 30.0, 60.0, 20.0, 40.0])
SINKS = np.array([0, 2, 1, 0, 0, 0])


class Arm:
    """Follows late and sinks a little; may be blocked, dead or gone."""

    def __init__(self, pose, *, stuck=(), gone_after=None):
        self.pose = np.array(pose)
        self.stuck, self.gone_after = list(stuck), gone_after
        self.told = []

    def get_observation(self):
        return {f"{joint}.pos": value for joint, value in zip(JOINTS, self.pose, strict=True)}

    def send_action(self, action):
        if self.gone_after is not None and len(self.told) >= self.gone_after:
            raise ConnectionError("Failed to sync write 'Goal_Position'")
        goal = np.array(list(action.values()))
        self.told.append(goal)
        moved = self.pose + 0.4 * (goal + SINKS - self.pose)
        moved[self.stuck] = self.pose[self.stuck]
        self.pose = moved
        return action


def bring(arm, target=HOME):
    return home(
        arm, target, joints=JOINTS, limits=LIMITS, clock=FastClock(), fps=FPS, rng=np.random.default_rng(0),
        table_m=TABLE_M,
    )  # fmt: skip


def test_it_arrives_in_spite_of_droop_and_lag():
    arm = Arm(AWAY)
    done = bring(arm)
    assert np.abs(arm.pose - HOME).max() <= ARRIVED_DEG
    assert done.seconds < 4
    assert done.ticks == len(arm.told)


def test_no_command_is_faster_than_its_pace_or_outside_the_limits():
    arm = Arm(AWAY)
    bring(arm)
    told = np.array([AWAY, *arm.told])
    assert (np.abs(np.diff(told, axis=0)) <= 1.2 * PEAK_DEG_S / FPS + 1e-9).all()
    assert (told[1:] >= LIMITS[:, 0]).all()
    assert (told[1:] <= LIMITS[:, 1]).all()


def test_an_arm_that_is_home_is_not_moved_far():
    arm = Arm(HOME)
    assert bring(arm).seconds < 2
    assert np.abs(np.array(arm.told) - HOME).max() < 3


def test_a_dead_servo_is_named_and_the_arm_holds():
    arm = Arm(AWAY, stuck=[2])
    with pytest.raises(DeviceError) as raised:
        bring(arm)
    said = str(raised.value)
    assert said.startswith("The arm did not come home: after ")
    assert "'elbow_flex' stands at 30.0, expected " in said
    assert said.endswith(
        "within 1.8 degrees. It holds where it is. Look for an obstacle or a servo without torque, then run the "
        "command again."
    )
    np.testing.assert_allclose(arm.told[-1][2], 30.0)


def test_the_time_that_planning_takes_is_not_made_up_for(monkeypatch):
    clock, arm = FastClock(), Arm(AWAY)
    times, send = [], arm.send_action

    def slow_plan(*values, **options):
        clock._now += 1.0
        return plan(*values, **options)

    def timed(action):
        times.append(clock.now())
        return send(action)

    monkeypatch.setattr("regrasp.control.homing.plan", slow_plan)
    monkeypatch.setattr(arm, "send_action", timed)
    home(
        arm,
        HOME,
        joints=JOINTS,
        limits=LIMITS,
        clock=clock,
        fps=FPS,
        rng=np.random.default_rng(0),
        table_m=TABLE_M,
    )
    assert times[0] == pytest.approx(1.0)
    np.testing.assert_allclose(np.diff(times), 1 / FPS)


@pytest.mark.parametrize("after", [0, 5])
def test_an_arm_that_gives_no_number_is_left_alone(after):
    arm = Arm(AWAY)
    looked, give = [], arm.get_observation

    def broken():
        looked.append(1)
        return give() | ({"elbow_flex.pos": np.nan} if len(looked) > after else {})

    arm.get_observation = broken
    with pytest.raises(DeviceError) as raised:
        bring(arm)
    assert str(raised.value) == (
        "The arm gives no number for 'elbow_flex' on the way home; expected its angle. Look at its cable, then run the "
        "command again."
    )
    assert len(arm.told) == after


def test_a_bus_that_is_gone_is_one_sentence():
    with pytest.raises(DeviceError) as raised:
        bring(Arm(AWAY, gone_after=5))
    assert str(raised.value) == (
        "The robot failed while driving home (ConnectionError: Failed to sync write 'Goal_Position')."
    )


def test_a_hand_wedged_where_no_way_leads_out_is_not_moved():
    wedged = np.array([104.0, 80.0, 93.0, 20.0, 8.0, 83.0])
    arm = Arm(wedged)
    with pytest.raises(DeviceError) as raised:
        bring(arm)
    assert str(raised.value) == (
        "Found no clear way home from the pose [104, 80, 93, 20, 8, 83]; the arm was not moved. "
        "Lift its hand by hand (motors off) and run the command again."
    )
    assert not arm.told


def test_every_planned_path_keeps_its_room():
    rng = np.random.default_rng(4)
    poses = rng.uniform(LIMITS[:, 0], LIMITS[:, 1], (200, 6))
    ends = clearance(HOME, TABLE_M)[0]
    free = poses[clearance(poses, TABLE_M) > 0.01]
    for start in free[:25]:
        path = plan(start, HOME, FPS, rng, table_m=TABLE_M)
        assert clearance(path, TABLE_M).min() > min(0.01, ends) - 0.003


def test_a_low_hand_is_raised_before_it_turns():
    low = np.array([60.0, 35.0, 20.0, 40.0, 0.0, 0.0])
    assert lowest_m(low)[0] - TABLE_M < 0.1
    path = plan(low, HOME, FPS, np.random.default_rng(0), table_m=TABLE_M)
    turned = np.argmax(np.abs(path[:, 0] - 60.0) > 15.0)
    assert lowest_m(path[turned])[0] > lowest_m(low)[0] + 0.05


def test_a_movement_ends_at_its_target_at_rest():
    path = movement([np.zeros(6), np.full(6, 100.0)], FPS)
    np.testing.assert_allclose(path[-1], 100.0)
    assert np.abs(path[-1] - path[-2]).max() < 0.2
    assert np.abs(np.diff(path, axis=0)).max() * FPS <= PEAK_DEG_S * 1.001


def test_another_arm_goes_straight():
    path = plan(np.zeros(3), np.array([10.0, 20.0, 0.0]), FPS, np.random.default_rng(0), table_m=None)
    np.testing.assert_allclose(path[:, 0] * 2, path[:, 1])


def test_drawn_starts_lie_inside_those_of_the_training():
    known = contract()
    rng = np.random.default_rng(1)
    drawn = np.array([draw_start(known, rng) for _ in range(200)])
    assert (drawn >= [joint.start_low for joint in known.joints]).all()
    assert (drawn <= [joint.start_high for joint in known.joints]).all()
    np.testing.assert_allclose(drawn.mean(axis=0), HOME, atol=1.0)
    assert (drawn.std(axis=0) > 0.5 * HOME_SPREAD).all()


def test_the_table_is_no_higher_than_the_lowest_state_of_the_training():
    data = training()
    known = contract(data)
    height = table_height_m(known, HOME)
    assert height == pytest.approx(lowest_m(np.array([*known.state_sample, HOME])).min())
    assert height <= lowest_m(HOME)[0]
