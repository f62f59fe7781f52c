"""What drives an arm through the episodes of one rollout: policy, gate, way home, monitor, flight recorder."""

import contextlib
import logging
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from regrasp.control import Clock, Policy, SafetyGate
from regrasp.control.homing import draw_start, home, table_height_m
from regrasp.control.loop import device
from regrasp.control.monitor import UNCALIBRATED, Calibration
from regrasp.control.seams import Ahead, HandOver, Horizon, choose_horizon
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import Contract
from regrasp.data.station import Station
from regrasp.errors import CheckpointError, DeviceError
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.real_time_chunking import RealTimeChunks
from regrasp.lerobot_bridge.stations import connected

WARM_UP = 2
TIMED = 6
"""Queries that are made before the first episode, not timed and timed; the slowest of six is about the 95th percentile
(5.7 of 6 lie below that)."""


@dataclass(frozen=True)
class Run:
    """What stays the same from one episode to the next.

    Attributes:
        station: Where to run.
        checkpoint: The `pretrained_model` folder.
        task: The instruction.
        seed: Of the scenes.
        seconds: Longest time of an episode; None is the task's own.
        n_action_steps: Actions executed per query that somebody asks for.
        handover: Whether seams are handed over without a jump.
        home: Whether the arm is driven home before each episode.
        calibration: When the monitor's scores are alarming.
        rtc: Whether chunks are grown out of each other by LeRobot's real-time chunking.
    """

    station: Station
    checkpoint: Path
    task: str
    seed: int
    seconds: float | None
    n_action_steps: int | None
    handover: bool = True
    home: bool = False
    calibration: Calibration = field(default=UNCALIBRATED)
    rtc: bool = False

    @cached_property
    def contract(self) -> Contract | None:
        """What the policy was trained to expect, where that is known."""
        return read_checkpoint(self.checkpoint).contract

    def policy(self) -> Policy:
        """The policy as a simulation drives it, loaded in the process that runs it."""
        loaded = self._loaded(self.n_action_steps)
        return self._handed_over(loaded) if self.handover else loaded

    def _loaded(self, n_action_steps: int | None = None) -> LoadedPolicy:
        kind = RealTimeChunks if self.rtc else LoadedPolicy
        return kind(self.checkpoint, task=self.task, n_action_steps=n_action_steps)

    def policy_for(self, robot: Any) -> tuple[Policy, Horizon]:
        """The policy as this robot needs it, and how its chunks are used.

        On a real arm a few queries are timed. One that does not fit between two commands is asked for ahead.

        Raises:
            UsageError: The policy cannot keep up with the arm, or cannot do `rtc`.
        """
        if self.station.is_twin or not (self.handover or self.rtc):
            policy = self.policy()
            loaded = policy.policy if isinstance(policy, HandOver) else policy
            assert isinstance(loaded, LoadedPolicy)
            return policy, Horizon(loaded.chunk_size, loaded.n_action_steps, 0)
        loaded = self._loaded()
        with device("looking before the first episode"):
            seen = robot.get_observation()
        latency_s = _query_s(loaded, seen)
        horizon = choose_horizon(
            latency_s,
            self.station.fps,
            loaded.chunk_size,
            trained=loaded.n_action_steps,
            execute=self.n_action_steps,
        )
        loaded.use(horizon)
        asked: Policy = loaded
        if horizon.delay:
            loaded.remembers = False  # it is asked once per chunk, not once per frame
            asked = Ahead(loaded, execute=horizon.execute, delay=horizon.delay, background=True)
        return self._handed_over(asked) if self.handover else asked, horizon

    def _handed_over(self, policy: Policy) -> HandOver:
        if self.contract is None:
            return HandOver(policy, self.station.fps)
        pace = self.contract.fps / self.station.fps
        step = np.array([joint.jump_p99 for joint in self.contract.joints], dtype=np.float64) * pace
        return HandOver(policy, self.station.fps, step)

    def gate(self, joints: list[str]) -> SafetyGate:
        """A gate for these joints, from the contract's envelope where there is one.

        Raises:
            CheckpointError: The contract is of an arm with other joints.
        """
        if self.contract is not None and list(self.contract.joint_names) != joints:
            raise CheckpointError(
                f"The checkpoint in {self.checkpoint} was trained on the joints {', '.join(self.contract.joint_names)}; "
                f"station '{self.station.name}' has {', '.join(joints)}. Choose the station that it was trained for."
            )
        return SafetyGate.for_contract(self.contract, joints, self.station.fps)

    def bring_home(self, robot: Any, joints: list[str], clock: Clock, episode: int) -> None:
        """Drive the arm to a start drawn from the training's; the same seed gives the same starts.

        Raises:
            DeviceError: The arm did not arrive; it holds where it is.
        """
        if self.contract is None:
            return
        rng = np.random.default_rng([self.seed, episode])
        target = draw_start(self.contract, rng)
        gate = self.gate(joints)
        home(
            robot,
            np.clip(target, gate.limits[:, 0], gate.limits[:, 1]),
            joints=joints,
            limits=gate.limits,
            clock=clock,
            fps=self.station.fps,
            rng=rng,
            table_m=table_height_m(self.contract, target),
        )

    def as_control(self, horizon: Horizon | None) -> Mapping[str, str]:
        """How the loop ran, as it is written beside the rollouts."""
        used = {} if horizon is None else {"horizon": f"{horizon.chunk}/{horizon.execute}/{horizon.delay}"}
        return {
            "handover": "on" if self.handover else "off",
            "home": "on" if self.home else "off",
            **({"rtc": "on"} if self.rtc else {}),
            **used,
        }


def _query_s(policy: LoadedPolicy, observation: Mapping[str, Any]) -> float:
    """The slow end of the time of one query, seconds."""
    executed, policy.n_action_steps = policy.n_action_steps, 1
    policy.reset()
    times: list[float] = []
    for _ in range(WARM_UP + TIMED):
        began = time.perf_counter()
        policy.decide(observation)
        times.append(time.perf_counter() - began)
    policy.n_action_steps = executed
    policy.reset()
    return max(times[WARM_UP:])


@contextlib.contextmanager
def held_robot(station: Station) -> Generator[Any]:
    """The station's robot, connected. When it fails, that is what is said, though its disconnecting fails too.

    Raises:
        DeviceError: The robot failed; the sentence ends with what its motors do now.
    """
    failure: DeviceError | None = None
    done = False
    try:
        with connected(station) as robot:
            try:
                yield robot
                done = True
            except DeviceError as error:
                failure = DeviceError(f"{error} {_motors_now(station)}")
                raise failure from error
    except Exception as error:
        if failure is not None:
            raise failure from error
        if not done:
            raise
        logging.getLogger("regrasp").warning("The robot failed while disconnecting (%s).", error)


def _motors_now(station: Station) -> str:
    """What the arm does after a failure, by the station's own option."""
    if station.is_twin:
        return "Finished episodes are kept; run the same command again to go on."
    released = station.robot.get("disable_torque_on_disconnect", True)
    what = (
        "The arm was released where its bus still answers (disable_torque_on_disconnect is true)."
        if released
        else "The arm holds its last command (disable_torque_on_disconnect is false)."
    )
    return f"{what} Finished episodes are kept; check power and cables, then run the same command again to go on."
