"""Faults of the twin with their severities: what a station shows, what reaches the arm, and how they are written."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp.arm.so101 import GRIPPER, HOME, JOINTS
from regrasp.cli.twin_options import station_with
from regrasp.control import Decision, SafetyGate, run_episode
from regrasp.control.clock import FastClock
from regrasp.control.gate import limits_of
from regrasp.data.station import twin
from regrasp.errors import UsageError
from regrasp.faults.mis_set_station import FAULTS, UNLISTED, mis_set_station
from regrasp.lerobot_bridge.live_view import look
from regrasp.lerobot_bridge.mis_set import slowed
from regrasp.lerobot_bridge.rollout import rollout
from regrasp.lerobot_bridge.scoring import GlancingArm, score
from regrasp.lerobot_bridge.stations import connected

SMALL = twin(size=32)
NAMES = [f"{joint}.pos" for joint in JOINTS]
BESIDE = {
    "dark-camera:camera=wrist,light=0.2",
    "moved-camera:camera=wrist,turn=20",
    "moved-camera:x=0,y=0,z=0.05,turn=4",
    "start-pose-shift:joint=shoulder_pan,degrees=-20",
    "frozen-camera:camera=wrist,after=0.4",
    "unit-mismatch:unit=rad",
    "frozen-camera;flipped-camera:turn=left-right;calibration-offset:joint=elbow_flex",
}
"""Other severities than the usual ones."""


class Reach:
    """Opens the gripper, reaches out, closes it; a query every `every` ticks. Looks at the pictures when it queries."""

    def __init__(self, every=10):
        self.every, self.seen = every, []

    def reset(self):
        self.tick, self.chunk = 0, -1

    def decide(self, observation):
        queried = self.tick % self.every == 0
        if queried:
            self.chunk += 1
            self.seen.append({name: np.array(observation[name]) for name in observation})
        target = HOME + np.array([10.0, 20.0, -20.0, 0.0, 0.0, 0.0]) * min(1.0, self.tick / 20)
        target[GRIPPER] = 40 if self.tick < 25 else 2
        self.tick += 1
        asked = 5.0 if queried else float("nan")
        return Decision(target, asked, self.chunk, (self.tick - 1) % self.every)


def run(station, *, glancing=False, seed=4, ticks=32, policy=None, max_s=None):
    """Ticks of a run on a station, what the policy saw at its queries, and the arm's true pose at the end."""
    kept = []
    policy = policy or Reach()
    with connected(station) as robot:
        start = robot.reset(seed)
        driven, clock = slowed(robot, policy, FastClock())
        joints = [name.removesuffix(".pos") for name in robot.action_features]
        end = run_episode(
            GlancingArm(robot) if glancing else robot,
            driven,
            SafetyGate(np.tile([-1e4, 1e4], (6, 1)), np.full(6, 1e4)),
            joints=joints,
            clock=clock,
            fps=station.fps,
            max_ticks=ticks,
            max_s=max_s,
            observers=[kept.append],
        )
        pose = robot.twin.joints()
    return {"ticks": kept, "seen": policy.seen, "pose": pose, "start": start.joints, "end": end}


@pytest.fixture(scope="module")
def sound():
    return run(SMALL)


@pytest.mark.parametrize("fault", [*FAULTS, *sorted(BESIDE)])
def test_drawn_only_when_looked_at_pictures_and_motion_are_the_same(fault):
    station = mis_set_station(SMALL, fault)
    whole, glances = run(station), run(station, glancing=True)
    assert np.array_equal(whole["pose"], glances["pose"])
    for one, other in zip(whole["seen"], glances["seen"], strict=True):
        assert list(one) == list(other)
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_outcomes_of_scoring_are_those_of_a_rollout_with_a_fault(trained, station, tmp_path):
    broken = mis_set_station(station, "late-inference:seconds=0.3;frozen-camera:camera=wrist,after=0.5")
    scored = score(trained.checkpoint, broken, task="Grab the brain", starts=[0], seed=5)
    rolled = rollout(
        trained.checkpoint, broken, task="Grab the brain", episodes=1, out=tmp_path / "r", seed=5
    )
    assert [(one.success, one.progress, one.seed, one.seconds) for one in scored] == [
        (one.success, one.progress, one.seed, one.seconds) for one in rolled.outcomes
    ]
    assert rolled.late_ticks > 0
    assert rolled.p99_ms == pytest.approx(300)


def test_a_recalibrated_joint_reads_more_and_goes_less_far(sound):
    off = run(mis_set_station(SMALL, "calibration-offset:joint=shoulder_lift,degrees=7"))
    shown, usual = off["seen"][0], sound["seen"][0]
    assert shown["shoulder_lift.pos"] == pytest.approx(usual["shoulder_lift.pos"] + 7)
    assert shown["elbow_flex.pos"] == usual["elbow_flex.pos"]
    assert off["pose"][1] == pytest.approx(sound["pose"][1] - 7, abs=0.5)
    assert off["ticks"][-1].sent == pytest.approx(sound["ticks"][-1].sent)


def test_an_inverted_gripper_reads_and_obeys_the_other_way_round(sound):
    off = run(mis_set_station(SMALL, "inverted-gripper"))
    assert off["seen"][0]["gripper.pos"] == pytest.approx(100 - sound["seen"][0]["gripper.pos"])
    assert off["pose"][GRIPPER] > 60  # it opens where it was to close


def test_a_weak_grasp_says_how_far_it_closed(sound):
    weak = run(mis_set_station(SMALL, "weak-grasp:gripper=30"))
    assert weak["ticks"][-1].sent[GRIPPER] == 30
    assert weak["pose"][GRIPPER] == pytest.approx(30, abs=1)
    assert weak["ticks"][-1].decision.action[GRIPPER] == sound["ticks"][-1].decision.action[GRIPPER] == 2


def test_a_frozen_camera_shows_one_picture_from_that_second_on_and_a_new_one_in_the_next_episode():
    seen = run(mis_set_station(SMALL, "frozen-camera:camera=front,after=0.5"))["seen"]
    fronts = [one["front"] for one in seen]  # queries at 0, 1/3, 2/3 and 1 s
    assert not np.array_equal(fronts[0], fronts[1])
    assert np.array_equal(fronts[2], fronts[3])
    assert not np.array_equal(seen[2]["wrist"], seen[3]["wrist"])
    with connected(mis_set_station(SMALL, "frozen-camera")) as robot:
        robot.reset(4)
        first = robot.get_observation()["front"]
        robot.reset(5)
        assert not np.array_equal(first, robot.get_observation()["front"])


def test_a_start_pose_off_in_one_joint_leaves_the_others_and_the_toy(sound):
    station = mis_set_station(SMALL, "start-pose-shift:joint=shoulder_pan,degrees=-25")
    off = run(station)
    assert off["start"] - sound["start"] == pytest.approx([-25, 0, 0, 0, 0, 0], abs=0.2)
    assert not np.array_equal(off["seen"][0]["front"], sound["seen"][0]["front"])


def test_starts_asked_for_put_a_shifted_start_right():
    fault = "start-pose-shift:joint=shoulder_pan,degrees=-25;inverted-gripper"
    station = station_with("twin", fault=fault, starts="home")
    assert station.faults == ("inverted-gripper",)
    assert station_with("twin", fault="start-pose-shift", starts="home") == station_with("twin")


def test_queries_that_take_long_hold_the_arm_and_show_in_the_ticks():
    late = run(mis_set_station(SMALL, "late-inference:seconds=0.5"), ticks=30)
    ticks = late["ticks"]
    asked = [tick.index for tick in ticks if np.isfinite(tick.decision.inference_ms)]
    assert asked == [0, 10, 20]
    assert {ticks[place].decision.inference_ms for place in asked} == {500.0}
    waits = np.diff([tick.wall_s for tick in ticks])
    assert waits[[0, 10, 20]] == pytest.approx(0.5)  # the query's own turn included
    assert np.delete(waits, [0, 10, 20]) == pytest.approx(1 / 30)
    assert late["end"].late_ticks == 3  # the turn after each query; what was lost is not made up for


def test_an_episode_of_a_late_policy_ends_with_its_time():
    late = run(mis_set_station(SMALL, "late-inference:seconds=0.5"), ticks=300, max_s=2.0)
    assert late["end"].ticks < 60
    assert late["end"].reason == "time"
    assert late["ticks"][-1].wall_s < 2.0


def test_an_arm_that_waits_keeps_where_it_was_going():
    with connected(SMALL) as robot:
        robot.reset(4)
        before = robot.twin.joints()
        for _ in range(30):
            robot.twin.hold()
        assert robot.twin.joints() == pytest.approx(before, abs=0.5)
        assert robot.twin.tick == 30


def test_preflight_sees_the_time_of_a_late_query(trained):
    view = look(
        mis_set_station(twin(size=64), "late-inference:seconds=0.8"),
        "Grab the brain",
        checkpoint=trained.checkpoint,
    )
    assert view.inference_s == 0.8
    assert not view.waits


def test_a_heavier_toy_a_raised_table_and_slippery_jaws_change_the_scene():
    from regrasp.sim.environment import Twin, TwinConfig
    from regrasp.sim.scene import Conditions

    usual = Twin(TwinConfig())
    other = Twin(TwinConfig(conditions=Conditions(toy_mass_kg=0.5, toy_friction=0.2, board_m=0.03)))
    toy = usual.model.body("toy").id
    assert other.model.body_mass[toy] == pytest.approx(0.5)
    assert usual.model.body_mass[toy] == pytest.approx(0.046)
    assert other.model.geom("toy_0").friction[0] == 0.2
    assert other.scene().toy[2] - usual.scene().toy[2] == pytest.approx(0.03, abs=1e-3)
    assert other.joints() == pytest.approx(usual.joints())
    with pytest.raises(UsageError, match=r"expected a mass above 0"):
        Conditions(toy_mass_kg=0.0)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("late-inference:second=1", "Found option 'second' of fault 'late-inference'; expected one of seconds."),
        ("inverted-gripper:x=1", "Found option 'x' of fault 'inverted-gripper'; expected none."),
        ("weak-grasp:gripper=much", "Found gripper 'much' for fault 'weak-grasp'; expected a number."),
        ("weak-grasp:gripper=nan", "Found gripper 'nan' for fault 'weak-grasp'; expected a number."),
        ("weak-grasp:gripper=101", "Found gripper '101.0' for fault 'weak-grasp'; expected 0 to 100."),
        ("frozen-camera:camera=top", "Found camera 'top' for fault 'frozen-camera'; expected one of front, wrist."),
        ("calibration-offset:joint=9", "Found joint '9' for fault 'calibration-offset'; expected 0 to 5, or one of "
         "shoulder_pan, shoulder_lift, elbow_flex, wrist_flex, wrist_roll, gripper."),
        ("rate-mismatch:times=0", "Found times '0.0' for fault 'rate-mismatch'; expected a rate of 1 to 200 Hz."),
        ("late-inference:seconds", "Found fault 'late-inference:seconds'; expected NAME:OPTION=VALUE,OPTION=VALUE, and "
         "';' between faults; try 'calibration-offset:joint=1,degrees=12;dark-camera'."),
        ("moved-camera:camera=wrist,x=0.1", "Found x '0.1' for fault 'moved-camera'; expected 0 for the wrist camera, "
         "which can only be turned."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(written, said):
    with pytest.raises(UsageError) as raised:
        mis_set_station(twin(), written)
    assert str(raised.value) == said


def test_faults_that_no_check_knows_say_so_by_their_names():
    from regrasp.diagnosis.runner import known_checks

    known_checks([name for name in FAULTS if not name.startswith(UNLISTED)])
    unlisted = [name for name in FAULTS if name.startswith(UNLISTED)]
    assert len(unlisted) == 3
    for name in unlisted:
        with pytest.raises(UsageError):
            known_checks([name])


def test_the_gate_compares_with_its_own_last_command_whatever_the_robot_made_of_it():
    gate = SafetyGate(limits_of(JOINTS), np.full(6, 5.0))
    station = mis_set_station(SMALL, "weak-grasp:gripper=50")
    with connected(station) as robot:
        robot.reset(1)
        kept = []
        run_episode(
            robot, Reach(), gate, joints=list(JOINTS), clock=FastClock(), fps=30, max_ticks=3,
            observers=[lambda tick: kept.append(replace(tick))],
        )  # fmt: skip
    assert kept[-1].sent[GRIPPER] == 50
    assert gate.held[GRIPPER] < 50
