"""The twin's robot with faults that its options cannot express: its observations and actions are changed on the way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER
from regrasp.control import Clock, Decision, Policy
from regrasp.faults.changed_joint_order import exchanged_order
from regrasp.faults.flipped_camera import TURNS
from regrasp.faults.mis_set_station import read_fault
from regrasp.faults.unit_mismatch import FROM_DEGREES, TO_DEGREES

type Pose = NDArray[np.float64]
"""Joint values in the order of the robot's own, shape [J]; degrees, gripper 0-100."""

type Picture = NDArray[np.uint8]
"""RGB, shape [h, w, 3]."""


class _Change:
    """What a fault does to values on their way between robot and station; nothing, unless it says so."""

    def read(self, pose: Pose) -> Pose:
        """What the station reads where the robot measures `pose`, or has carried it out."""
        return pose

    def command(self, pose: Pose) -> Pose:
        """What reaches the robot where the station commands `pose`."""
        return pose

    def show(self, camera: str, picture: Picture) -> Picture:
        """What the station sees where the camera of this name sees `picture`."""
        return picture


@dataclass(frozen=True)
class _OtherUnit(_Change):
    unit: str

    def read(self, pose: Pose) -> Pose:
        return FROM_DEGREES[self.unit](pose)

    def command(self, pose: Pose) -> Pose:
        return TO_DEGREES[self.unit](pose)


class _InvertedGripper(_Change):
    def read(self, pose: Pose) -> Pose:
        return _with_joint(pose, GRIPPER, 100.0 - pose[GRIPPER])

    command = read


@dataclass(frozen=True)
class _CalibrationOffset(_Change):
    joint: int
    degrees: float

    def read(self, pose: Pose) -> Pose:
        return _with_joint(pose, self.joint, pose[self.joint] + self.degrees)

    def command(self, pose: Pose) -> Pose:
        return _with_joint(pose, self.joint, pose[self.joint] - self.degrees)


@dataclass(frozen=True)
class _WeakGrasp(_Change):
    gripper: float

    def command(self, pose: Pose) -> Pose:
        return _with_joint(pose, GRIPPER, max(pose[GRIPPER], self.gripper))


@dataclass(frozen=True)
class _FlippedCamera(_Change):
    camera: str
    turn: str

    def show(self, camera: str, picture: Picture) -> Picture:
        return np.ascontiguousarray(TURNS[self.turn](picture)) if camera == self.camera else picture


@dataclass(frozen=True)
class _ExchangedColours(_Change):
    camera: str

    def show(self, camera: str, picture: Picture) -> Picture:
        return np.ascontiguousarray(picture[..., ::-1]) if camera == self.camera else picture


@dataclass(frozen=True)
class _CoveredLens(_Change):
    camera: str
    light: float

    def show(self, camera: str, picture: Picture) -> Picture:
        return np.round(self.light * picture).astype(np.uint8) if camera == self.camera else picture


CHANGES: Mapping[str, type[_Change]] = {
    "unit-mismatch": _OtherUnit,
    "inverted-gripper": _InvertedGripper,
    "calibration-offset": _CalibrationOffset,
    "weak-grasp": _WeakGrasp,
    "flipped-camera": _FlippedCamera,
    "exchanged-colours": _ExchangedColours,
    "dark-camera": _CoveredLens,
}
"""Faults of values and pictures, by name. The later of two stands nearer to the station."""


class MisSetRobot:
    """A robot as a wrongly set station shows it; everything else goes to the robot itself.

    Attributes:
        inner: The robot.
        query_s: How long a query of the policy takes on this station; 0 where nothing is wrong with it.
        said: Options that the robot would have if it were set so.
    """

    def __init__(self, inner: Any, faults: Sequence[str]) -> None:
        """Wrap a robot; `faults` as `Station.faults` has them.

        Raises:
            UsageError: A fault or an option that is not known.
        """
        self.inner = inner
        read = [read_fault(fault) for fault in faults]
        self._changes = [CHANGES[name](**options) for name, options in read if name in CHANGES]
        self._frozen = {
            options["camera"]: options["after"] for name, options in read if name == "frozen-camera"
        }
        self._orders = [
            (options["joint"], options["other"]) for name, options in read if name == "changed-joint-order"
        ]
        self._shifts = [
            (options["joint"], options["degrees"])
            for name, options in read
            if name == "start-pose-shift" and options["joint"] is not None
        ]
        self._kept: dict[str, Picture] = {}
        self.query_s: float = sum(options["seconds"] for name, options in read if name == "late-inference")
        scaled = any(isinstance(one, _OtherUnit) and one.unit == "-100..100" for one in self._changes)
        self.said: dict[str, Any] = {"use_degrees": False} if scaled else {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def action_features(self) -> dict[str, type]:
        """The joints, in the order in which this station has them."""
        features: dict[str, type] = self.inner.action_features
        names = list(features)
        for exchanged in self._orders:
            names = exchanged_order(names, exchanged)
        return {name: features[name] for name in names}

    @property
    def observation_features(self) -> dict[str, Any]:
        """The joints in the same order, then the cameras."""
        features: dict[str, Any] = self.inner.observation_features
        return {
            **self.action_features,
            **{name: features[name] for name in features if name not in self.action_features},
        }

    def reset(self, seed: int) -> Any:
        """Begin the scene of `seed`, as this station's arm starts it."""
        start = self.inner.reset(seed)
        self._kept.clear()
        if not self._shifts:
            return start
        pose = start.joints.copy()
        for joint, degrees in self._shifts:
            pose[joint] += degrees
        self.inner.twin.stand_at(pose)
        return replace(start, joints=self.inner.twin.joints())

    def get_observation(self) -> dict[str, Any]:
        """What the robot sees, as this station hands it on."""
        return dict(self.shown(self.inner.get_observation()))

    def shown(self, seen: Mapping[str, Any]) -> Mapping[str, Any]:
        """An observation of the robot as this station hands it on; pictures are asked for when they are looked at."""
        for camera, after_s in self._frozen.items():
            if camera not in self._kept and self._second() >= after_s:
                self._kept[camera] = np.array(seen[camera])
        pose = np.array([seen[name] for name in self.inner.action_features], dtype=np.float64)
        for change in self._changes:
            pose = change.read(pose)
        joints = dict(zip(self.inner.action_features, pose.tolist(), strict=True))
        return _Shown(self, {name: joints[name] for name in self.action_features}, seen)

    def picture(self, camera: str, seen: Mapping[str, Any]) -> Picture:
        """What a camera of this station shows of an observation of the robot."""
        picture = self._kept[camera] if camera in self._kept else seen[camera]
        for change in self._changes:
            picture = change.show(camera, picture)
        return picture

    def send_action(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action that is in this station's units; gives what was carried out, in them."""
        names = list(self.inner.action_features)
        if any(name not in action for name in names):
            return self.inner.send_action(dict(action))  # the robot says what is missing
        pose = np.array([float(action[name]) for name in names])
        for change in reversed(self._changes):
            pose = change.command(pose)
        sent: dict[str, Any] = self.inner.send_action(dict(zip(names, pose.tolist(), strict=True)))
        done = np.array([sent[name] for name in names], dtype=np.float64)
        for change in self._changes:
            done = change.read(done)
        carried_out = dict(zip(names, done.tolist(), strict=True))
        return {name: carried_out[name] for name in self.action_features}

    def _second(self) -> float:
        """Seconds since the scene began."""
        return float(self.inner.twin.tick / self.inner.config.fps)


class _Shown(Mapping[str, Any]):
    """Joints as they are read, and pictures when they are asked for."""

    def __init__(self, robot: MisSetRobot, joints: Mapping[str, float], seen: Mapping[str, Any]) -> None:
        self._robot, self._joints, self._seen = robot, joints, seen

    def __getitem__(self, name: str) -> Any:
        return self._joints[name] if name in self._joints else self._robot.picture(name, self._seen)

    def __iter__(self) -> Iterator[str]:
        return iter([*self._joints, *(name for name in self._seen if name not in self._joints)])

    def __len__(self) -> int:
        return len(self._seen)


def slowed(robot: Any, policy: Policy, clock: Clock) -> tuple[Policy, Clock]:
    """Policy and clock as a station with `late-inference` has them; another station's stay as they are."""
    seconds = getattr(robot, "query_s", 0.0)
    return (_SlowPolicy(policy, robot, seconds), _SceneClock(robot)) if seconds else (policy, clock)


class _SlowPolicy:
    """A policy whose queries take `seconds` of the scene's time; the arm holds its last command meanwhile.

    As much of a query as fits into one turn of the loop costs nothing, as in LeRobot's, which sleeps only for what
    is left of the turn.
    """

    def __init__(self, policy: Policy, robot: Any, seconds: float) -> None:
        self._policy, self._robot, self._seconds = policy, robot, seconds

    def reset(self) -> None:
        self._policy.reset()

    def decide(self, observation: Mapping[str, Any]) -> Decision:
        decision = self._policy.decide(observation)
        if not np.isfinite(decision.inference_ms):
            return decision
        for _ in range(round(self._seconds * self._robot.config.fps) - 1):
            self._robot.twin.hold()
        return replace(decision, inference_ms=1000.0 * self._seconds)


class _SceneClock:
    """The time that has passed in the scene: only commands, and queries that are waited for, take any."""

    def __init__(self, robot: Any) -> None:
        self._robot, self._least = robot, 0.0

    def now(self) -> float:
        return max(self._least, cast(float, self._robot.twin.tick / self._robot.config.fps))

    def sleep_until(self, time_s: float) -> None:
        self._least = max(self._least, time_s)


def _with_joint(pose: Pose, joint: int, value: float) -> Pose:
    changed = pose.copy()
    changed[joint] = value
    return changed
