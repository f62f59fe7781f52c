"""One loop drives the real and the simulated arm; they differ in what is passed in."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.control.gate import SafetyGate
from regrasp.control.pace import Pace
from regrasp.errors import DeviceError, RegraspError


class Robot(Protocol):
    """An arm with LeRobot's interface."""

    def get_observation(self) -> dict[str, Any]:
        """Joint values as `NAME.pos` and images as uint8 [height, width, 3] by camera name."""
        ...

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Send joint targets as `NAME.pos`; gives what was sent."""
        ...


@dataclass(frozen=True)
class Decision:
    """What a policy wants next.

    Attributes:
        action: Joint targets, shape [J].
        inference_ms: Time of the query that made the chunk; NaN where no query was made at this tick.
        chunk: Number of the chunk in this episode, from 0.
        position: Place of the action in its chunk, from 0.
        plan: What the chunk holds from this action on, shape [n, J]; None where the policy does not tell.
    """

    action: NDArray[np.float64]
    inference_ms: float
    chunk: int
    position: int
    plan: NDArray[np.float64] | None = None


class Policy(Protocol):
    """Anything that turns observations into joint targets."""

    def reset(self) -> None:
        """Forget the episode before."""
        ...

    def decide(self, observation: Mapping[str, Any]) -> Decision:
        """What to do next, from an observation as `Robot.get_observation` gives it."""
        ...


class Clock(Protocol):
    """Time in seconds."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def sleep_until(self, time_s: float) -> None:
        """Return at `time_s` or as soon after as possible."""
        ...


@dataclass(frozen=True)
class Tick:
    """One turn of the loop: what was seen, wanted and sent.

    `reasons` says why the gate changed the command (see `control.gate`); `scores` are the monitor's.
    """

    index: int
    wall_s: float
    observation: Mapping[str, Any]
    decision: Decision
    sent: NDArray[np.float64]
    intervened: bool
    reasons: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict[str, float])


class Watcher(Protocol):
    """Scores each turn of the loop; `control.monitor` has the one that is used."""

    def reset(self) -> None:
        """Forget the episode before."""
        ...

    def watch(self, tick: Tick, state: NDArray[np.float64]) -> Mapping[str, float]:
        """Scores by name, of a tick without scores and the joints [J] as they were then."""
        ...


@dataclass(frozen=True)
class EpisodeEnd:
    """How an episode went.

    Attributes:
        ticks: Commands that were sent.
        seconds: Time on the clock.
        late_ticks: Ticks that came late.
        reason: Why it ended: `finished`, `time`, or `gate-closed`.
        interventions: Commands that the gate changed, by kind.
    """

    ticks: int
    seconds: float
    late_ticks: int
    reason: str = "time"
    interventions: Mapping[str, int] = field(default_factory=dict[str, int])


def run_episode(
    robot: Robot,
    policy: Policy,
    gate: SafetyGate,
    *,
    joints: Sequence[str],
    clock: Clock,
    fps: float,
    max_ticks: int,
    max_s: float | None = None,
    finished: Callable[[], bool] = lambda: False,
    observers: Sequence[Callable[[Tick], None]] = (),
    monitor: Watcher | None = None,
) -> EpisodeEnd:
    """Drive `robot` by `policy` until `finished` or for `max_ticks`; every command passes the gate.

    When the gate closes (it changed every command for longer than half a second), the episode ends and the arm
    keeps the last command that was sent.

    Args:
        robot: Gives observations, takes targets.
        policy: Is reset first.
        gate: Is reset first; changes what must not be sent.
        joints: Names of the joints in the order of the policy's actions, without `.pos`.
        clock: Keeps the pace; a simulated arm may pass one that never waits.
        fps: Ticks per second.
        max_ticks: The episode's longest length.
        max_s: Its longest time on the clock, for a loop that may fall behind; without bound when None.
        finished: Asked after each tick.
        observers: Called after each tick, in order.
        monitor: Is reset first; its scores are in each tick.

    Raises:
        DeviceError: The robot failed; nothing was sent after that.
    """
    policy.reset()
    gate.reset()
    if monitor is not None:
        monitor.reset()
    counted = dict(gate.counts)
    start = clock.now()
    pace = Pace(clock, fps)
    tick = 0
    reason = "time"
    while tick < max_ticks:
        wall_s = pace.wait_for_tick() - start
        if max_s is not None and wall_s >= max_s:
            break
        with device(f"reading tick {tick}"):
            observation = robot.get_observation()
            present = pose_of(observation, joints)
        decision = policy.decide(observation)
        sent, intervened = gate.check(decision.action, present)
        pace.wait_to_send()
        with device(f"moving in tick {tick}"):
            sent = _carried_out(robot.send_action(as_action(sent, joints)), sent, joints)
        seen = Tick(tick, wall_s, observation, decision, sent, intervened, gate.reasons)
        if monitor is not None:
            scores = monitor.watch(seen, present)
            seen = Tick(tick, wall_s, observation, decision, sent, intervened, gate.reasons, scores)
        for observer in observers:
            observer(seen)
        tick += 1
        if finished():
            reason = "finished"
            break
        if gate.is_closed(fps):
            reason = "gate-closed"
            break
    kinds = {kind: count - counted.get(kind, 0) for kind, count in sorted(gate.counts.items())}
    changed = {kind: count for kind, count in kinds.items() if count}
    return EpisodeEnd(tick, clock.now() - start, pace.late, reason, changed)


def pose_of(observation: Mapping[str, Any], joints: Sequence[str]) -> NDArray[np.float64]:
    """The joints of an observation, shape [J]."""
    return np.array([observation[f"{joint}.pos"] for joint in joints], dtype=np.float64)


def _carried_out(reply: object, sent: NDArray[np.float64], joints: Sequence[str]) -> NDArray[np.float64]:
    """What the robot says it sent on to its motors, shape [J]; what it was given, where it does not say."""
    if not isinstance(reply, Mapping) or any(f"{joint}.pos" not in reply for joint in joints):
        return sent
    said = pose_of(reply, joints)
    return said if np.isfinite(said).all() else sent


def as_action(values: NDArray[np.float64], joints: Sequence[str]) -> dict[str, float]:
    """Joint targets by LeRobot's keys."""
    return {f"{joint}.pos": float(value) for joint, value in zip(joints, values, strict=True)}


@contextmanager
def device(doing: str) -> Generator[None]:
    """Whatever a robot raises in here becomes one sentence.

    Raises:
        DeviceError: Says what was being done, and what the robot said.
    """
    try:
        yield
    except RegraspError:
        raise
    except Exception as error:  # drivers raise what they like: ConnectionError, cv2.error, serial's own
        first = (str(error).strip().splitlines() or [""])[0]
        said = f"{type(error).__name__}: {first}" if first else type(error).__name__
        raise DeviceError(f"The robot failed while {doing} ({said.rstrip('.')}).") from error
