"""One loop drives the real and the simulated arm; they differ in what is passed in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.control.gate import SafetyGate


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
    """

    action: NDArray[np.float64]
    inference_ms: float
    chunk: int
    position: int


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
    """One turn of the loop: what was seen, wanted and sent."""

    index: int
    wall_s: float
    observation: Mapping[str, Any]
    decision: Decision
    sent: NDArray[np.float64]
    intervened: bool


@dataclass(frozen=True)
class EpisodeEnd:
    """How an episode went: its ticks, the seconds on the clock, and how many ticks came late."""

    ticks: int
    seconds: float
    late_ticks: int


LATE = 0.5
"""A tick is late when it starts more than this share of a period after its time."""


def run_episode(
    robot: Robot,
    policy: Policy,
    gate: SafetyGate,
    *,
    joints: Sequence[str],
    clock: Clock,
    fps: float,
    max_ticks: int,
    finished: Callable[[], bool] = lambda: False,
    observers: Sequence[Callable[[Tick], None]] = (),
) -> EpisodeEnd:
    """Drive `robot` by `policy` until `finished` or for `max_ticks`; every command passes the gate.

    Args:
        robot: Gives observations, takes targets.
        policy: Is reset first.
        gate: Is reset first; changes what must not be sent.
        joints: Names of the joints in the order of the policy's actions, without `.pos`.
        clock: Keeps the pace; a simulated arm may pass one that never waits.
        fps: Ticks per second.
        max_ticks: The episode's longest length.
        finished: Asked after each tick.
        observers: Called after each tick, in order.
    """
    policy.reset()
    gate.reset()
    start = clock.now()
    late = 0
    tick = 0
    while tick < max_ticks:
        clock.sleep_until(start + tick / fps)
        wall_s = clock.now() - start
        late += wall_s - tick / fps > LATE / fps
        observation = robot.get_observation()
        decision = policy.decide(observation)
        present = np.array([observation[f"{joint}.pos"] for joint in joints], dtype=np.float64)
        sent, intervened = gate.check(decision.action, present)
        robot.send_action({f"{joint}.pos": float(value) for joint, value in zip(joints, sent, strict=True)})
        for observer in observers:
            observer(Tick(tick, wall_s, observation, decision, sent, intervened))
        tick += 1
        if finished():
            break
    return EpisodeEnd(tick, clock.now() - start, late)
