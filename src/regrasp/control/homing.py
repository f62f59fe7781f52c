"""Drives the arm to where the demonstrations began, smoothly, clear of the table and of itself.

A path is a chain of movements of minimum jerk (Flash and Hogan 1985) that overlap. The straight one is taken where it
has room; else the arm is raised first, then turned and folded, by the first of many ways that has room from beginning
to end (`control.clearance`). Every command passes a gate that allows no more than homing's own pace.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.kinematics import link_positions
from regrasp.arm.so101 import GRIPPER, JOINTS, LIMITS
from regrasp.control.clearance import clearance, lowest_m
from regrasp.control.gate import SafetyGate
from regrasp.control.loop import Clock, Robot, as_action, device, pose_of
from regrasp.control.pace import Pace
from regrasp.errors import DeviceError

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

PEAK_DEG_S = 150.0
"""Fastest that a joint moves on its way home: 5 degrees per tick at 30 Hz, where demonstrations of people step 3 to 13
at most; an STS3215 without load turns at 270 degrees per second and more (data sheet)."""

PEAK_OVER_MEAN = 1.875
"""Peak over mean speed of a movement of minimum jerk."""

OVERLAP = 0.45
"""Share of a movement that is still to go when the next sets in."""

ROOM_M = 0.012
"""Room that a path keeps, or as much as its ends have: the model of the arm is good to 2 mm, and a loaded arm lags
behind its command by some degrees."""

NEAR_DEG = 15.0
"""An arm whose joints are all this near to its target goes there straight."""

ARRIVED_DEG = 1.8
"""The arm has arrived when every joint is this near; droop under load, which is corrected for, is 1.8 to 2.6."""

SETTLE_S = 1.2
"""Time to arrive after the last command of the path."""

CORRECTION = 0.15
"""Share of the remaining error that is added to the command in each tick of settling."""

CORRECTION_DEG = 6.0
"""Most that a command may be moved beyond its target to overcome droop."""

DROOP_DEG_M = (6.0, 9.5, 6.0)
"""How far shoulder lift, elbow and wrist sink for each metre by which the hand lies before the joint: an arm that is
told to stay where it stands sinks at once by 2.4 degrees at most (measured: 1.8 to 2.6), so it is held up."""

BLOCKED_DEG = 30.0
BLOCKED_S = 0.4
"""An arm that is further than this behind its command, for longer than this, is blocked. On its way at full pace it is
15 degrees behind (delay and response of the fitted servos, 0.1 s together)."""

RAISED = (
    (-60.0, 60.0, 0.0),
    (-98.0, 40.0, 40.0),
    (-60.0, 30.0, 0.0),
    (-80.0, 60.0, 30.0),
    (-40.0, 40.0, 0.0),
    (-98.0, 60.0, 0.0),
    (-98.0, 90.0, 30.0),
    (-30.0, 0.0, 30.0),
    (0.0, 0.0, 0.0),
    (-60.0, 0.0, 60.0),
)
"""Shoulder lift, elbow and wrist of raised arms; degrees."""

LOOSENED = tuple(
    (lift, elbow, wrist) for lift in (0, -40) for elbow in (0, -35, -70) for wrist in (0, -60, 60)
)[1:]
"""How far shoulder lift, elbow and wrist are moved first to free a folded hand; degrees."""

TRIES = 400
TREE_DEG = 25.0
"""Branches of the tree that is grown where none of those has room, and their length."""

TREE_SHARES: NDArray[np.float64] = np.array([[0.25], [0.5], [0.75], [1.0]])
"""Where a branch is looked at."""


@dataclass(frozen=True)
class Homed:
    """How the arm came home: time on the clock, commands, the pose it was sent to and where it stands, [J]."""

    seconds: float
    ticks: int
    target: NDArray[np.float64]
    pose: NDArray[np.float64]


def draw_start(contract: "Contract", rng: np.random.Generator) -> NDArray[np.float64]:
    """A pose from the training's distribution of starts, gripper included, never outside it; shape [J]."""
    mean = np.array([joint.start_mean for joint in contract.joints])
    spread = np.array([joint.start_std for joint in contract.joints])
    low = np.array([joint.start_low for joint in contract.joints])
    high = np.array([joint.start_high for joint in contract.joints])
    return np.clip(mean + spread * rng.standard_normal(len(mean)), low, high)


def table_height_m(contract: "Contract", target: NDArray[np.float64]) -> float:
    """How high the table may be at most, in the base frame: no training state went below it; metres."""
    states = np.array([*contract.state_sample, target])
    return float(lowest_m(states).min())


def home(
    robot: Robot,
    target: NDArray[np.float64],
    *,
    joints: Sequence[str],
    limits: NDArray[np.float64],
    clock: Clock,
    fps: float,
    rng: np.random.Generator,
    table_m: float = -np.inf,
) -> Homed:
    """Drive the arm to `target`, shape [J], and wait until it stands there.

    Args:
        robot: The arm.
        target: Where to; degrees, gripper 0-100.
        joints: Their names. Only an SO-101's path is looked through for room; another arm goes straight.
        limits: No command leaves these, shape [J, 2].
        clock: Keeps the pace.
        fps: Commands per second.
        rng: Draws ways where no known one has room.
        table_m: Height of the table in the base frame.

    Raises:
        DeviceError: The arm was blocked or did not arrive. It holds where it stands.
    """
    drive = _Drive(robot, joints, limits, clock, fps)
    start = drive.look()
    path = plan(start, target, fps, rng, table_m=table_m if tuple(joints) == JOINTS else None)
    drive.begin()
    share = np.linspace(1.0, 0.0, len(path))[:, None]
    for command in path - share * droop(start, joints):
        drive.step(command)
    drive.settle(target)
    return Homed(drive.seconds, drive.ticks, target, drive.pose)


def droop(pose: NDArray[np.float64], joints: Sequence[str]) -> NDArray[np.float64]:
    """By how much an SO-101 in this pose sinks below its command, shape [J]; degrees. Nothing for another arm."""
    sunk = np.zeros(len(joints))
    if tuple(joints) == JOINTS:
        heading = np.array([np.cos(np.deg2rad(pose[0])), -np.sin(np.deg2rad(pose[0]))])
        ahead = link_positions(pose)[:, :2] @ heading
        sunk[1:4] = np.asarray(DROOP_DEG_M) * (ahead[-1] - ahead[1:4])
    return sunk


def plan(
    start: NDArray[np.float64],
    target: NDArray[np.float64],
    fps: float,
    rng: np.random.Generator,
    *,
    table_m: float | None,
) -> NDArray[np.float64]:
    """Commands from `start` to `target`, shape [n, J]: the first way with room.

    `table_m` is the table's height in the base frame; None when nothing is known of the arm's shape.

    Raises:
        DeviceError: No way was found, as for a hand that is folded in between base and arm.
    """
    straight = movement([start, target], fps)
    if table_m is None:
        return straight
    ends = clearance(np.stack([start, target]), table_m)
    for path in _ways(straight, start, target, fps, rng, table_m):
        if _room_to_spare(path, ends, table_m) >= 0:
            return path
    raise DeviceError(
        f"Found no clear way home from the pose {[round(float(value)) for value in start]}; the arm was not moved. "
        "Lift its hand by hand (motors off) and run the command again."
    )


def movement(
    points: Sequence[NDArray[np.float64]], fps: float, overlap: float = OVERLAP
) -> NDArray[np.float64]:
    """Commands through `points`, shape [n, J], no joint above the pace. With an overlap, points are passed in a curve."""
    steps = [after - before for before, after in pairwise(points)]
    lengths = [max(PEAK_OVER_MEAN * float(np.abs(step).max()) / PEAK_DEG_S, 4 / fps) for step in steps]
    begins = np.concatenate([[0.0], np.cumsum([(1 - overlap) * length for length in lengths[:-1]])])
    end = max(begin + length for begin, length in zip(begins, lengths, strict=True))
    fine = np.linspace(0.0, end, max(round(end * fps), 1) + 1)[1:]
    path = points[0] + sum(
        (_minimum_jerk((fine - begin) / length)[:, None] * step)
        for begin, length, step in zip(begins, lengths, steps, strict=True)
    )
    fastest = float(np.abs(np.diff(path, axis=0, prepend=points[0][None])).max()) * fps
    if fastest <= PEAK_DEG_S * 1.001:
        return path
    stretched = np.linspace(0.0, 1.0, int(np.ceil(len(path) * fastest / PEAK_DEG_S)) + 1)[1:]
    known = np.linspace(0.0, 1.0, len(path) + 1)
    full = np.vstack([points[0], path])
    return np.column_stack([np.interp(stretched, known, column) for column in full.T])


def _minimum_jerk(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place on the way at a share of the time; 0 before and 1 after."""
    s = np.clip(share, 0.0, 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s**2)


def _ways(
    straight: NDArray[np.float64],
    start: NDArray[np.float64],
    target: NDArray[np.float64],
    fps: float,
    rng: np.random.Generator,
    table_m: float,
) -> Iterator[NDArray[np.float64]]:
    """Paths to be looked through, quickest and best known first."""
    yield straight
    for raised in RAISED:
        yield movement([start, _via(start, target, raised, 0.5), target], fps)
        yield movement(
            [start, _via(start, target, raised, 0.0), _via(start, target, raised, 1.0), target], fps
        )
    for loosened in LOOSENED:
        free = start + np.array([0.0, *loosened, 0.0, 0.0])
        yield movement([start, free, _via(start, target, RAISED[0], 0.5), target], fps)
        yield movement([start, free, _via(start, target, RAISED[2], 0.5), target], fps)
    free = _escape(start, table_m, rng)
    for raised in RAISED:
        yield movement([*free, _via(start, target, raised, 0.5), target], fps, overlap=0.0)


def _escape(
    start: NDArray[np.float64], table_m: float, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Points from `start` to a pose with much room: a tree that grows at random (LaValle 1998), in lift, elbow, wrist.

    Gives the way to the roomiest pose found.
    """
    least = min(ROOM_M, float(clearance(start, table_m)[0])) - 0.0005
    nodes, parents, best = [start], [-1], 0
    most = -np.inf
    for _ in range(TRIES):
        aim = start.copy()
        aim[1:4] = rng.uniform(LIMITS[1:4, 0], LIMITS[1:4, 1])
        nearest = int(np.argmin([np.abs(node - aim).max() for node in nodes]))
        way = aim - nodes[nearest]
        grown = nodes[nearest] + way * min(1.0, TREE_DEG / float(np.abs(way).max()))
        looked = nodes[nearest] + TREE_SHARES * (grown - nodes[nearest])
        room = clearance(looked, table_m)
        if float(room.min()) < least:
            continue
        nodes.append(grown)
        parents.append(nearest)
        if room[-1] > most:
            best, most = len(nodes) - 1, float(room[-1])
        if most > 3 * ROOM_M:
            break
    points: list[NDArray[np.float64]] = []
    while best >= 0:
        points.insert(0, nodes[best])
        best = parents[best]
    return points


def _via(
    start: NDArray[np.float64],
    target: NDArray[np.float64],
    raised: Sequence[float] | NDArray[np.float64],
    turned: float,
) -> NDArray[np.float64]:
    """A raised arm with pan, roll and gripper a share `turned` of the way."""
    via = start + turned * (target - start)
    via[1:4] = raised
    via[GRIPPER] = target[GRIPPER] if turned else start[GRIPPER]
    return via


def _room_to_spare(path: NDArray[np.float64], ends: NDArray[np.float64], table_m: float) -> float:
    """Least room beyond what is asked for; a path may be as tight near its ends as these are, a short one all along."""
    short = float(np.ptp(path, axis=0).max()) < NEAR_DEG
    looked = path[:: max(1, len(path) // 40)]
    share = np.linspace(0.0, 1.0, len(looked))
    near_end = np.where(
        share < 0.25, ends[0], np.where(share > 0.75, ends[1], ends.min() if short else np.inf)
    )
    asked = np.minimum(ROOM_M, near_end - 0.001)
    return float((clearance(looked, table_m) - asked).min())


class _Drive:
    """One way home: sends commands in time, and notices when the arm does not follow."""

    def __init__(
        self,
        robot: Robot,
        joints: Sequence[str],
        limits: NDArray[np.float64],
        clock: Clock,
        fps: float,
    ) -> None:
        self._robot, self._joints, self._clock, self._fps = robot, joints, clock, fps
        self._gate = SafetyGate(limits, np.full(len(joints), 1.2 * PEAK_DEG_S / fps))
        self._looked = clock.now()
        self._behind = 0
        self.ticks = 0

    @property
    def seconds(self) -> float:
        """Time on the clock since the beginning."""
        return self._clock.now() - self._looked

    def begin(self) -> None:
        """The first command is due now: what has been thought about before must not be made up for."""
        self._pace = Pace(self._clock, self._fps)
        self._pace.wait_for_tick()

    def look(self) -> NDArray[np.float64]:
        """Where the arm stands."""
        with device("driving home"):
            self.pose = pose_of(self._robot.get_observation(), self._joints)
        if not np.isfinite(self.pose).all():
            joint = self._joints[int(np.argmin(np.isfinite(self.pose)))]
            raise DeviceError(
                f"The arm gives no number for '{joint}' on the way home; expected its angle. Look at its cable, then "
                "run the command again."
            )
        return self.pose

    def step(self, command: NDArray[np.float64]) -> None:
        """Send one command in its time; the arm must follow."""
        sent, _ = self._gate.check(command, self.pose)
        self._pace.wait_to_send()
        with device("driving home"):
            self._robot.send_action(as_action(sent, self._joints))
        self.ticks += 1
        self._pace.wait_for_tick()
        error = np.abs(sent - self.look())
        self._behind = self._behind + 1 if error.max() > BLOCKED_DEG else 0
        if self._behind > BLOCKED_S * self._fps:
            self._give_up(int(error.argmax()), sent)

    def settle(self, target: NDArray[np.float64]) -> None:
        """Hold `target` until the arm stands there, against its droop."""
        extra = np.zeros_like(target)
        for _ in range(round(SETTLE_S * self._fps)):
            error = target - self.pose
            if np.abs(error).max() <= ARRIVED_DEG:
                return
            extra = np.clip(extra + CORRECTION * error, -CORRECTION_DEG, CORRECTION_DEG)
            self.step(target + extra)
        error = np.abs(target - self.pose)
        if error.max() > ARRIVED_DEG:
            self._give_up(int(error.argmax()), target)

    def _give_up(self, joint: int, wanted: NDArray[np.float64]) -> None:
        """Stop pushing: the arm is told to stay where it stands."""
        self._gate.reset()
        held, _ = self._gate.check(self.pose, self.pose)
        with device("stopping on the way home"):
            self._robot.send_action(as_action(held, self._joints))
        raise DeviceError(
            f"The arm did not come home: after {self.seconds:.1f} s '{self._joints[joint]}' stands at "
            f"{self.pose[joint]:.1f}, expected {wanted[joint]:.1f} within {ARRIVED_DEG:g} degrees. It holds where it is. "
            "Look for an obstacle or a servo without torque, then run the command again."
        )
