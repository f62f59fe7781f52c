"""Success in closed loop on the twin, without a recording: pictures are drawn only when the policy looks.

For choosing between checkpoints and for measuring: nothing is encoded, and most frames are never drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrasp.control import run_episode
from regrasp.control.clock import FastClock
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.rollouts import Outcome
from regrasp.data.station import Station
from regrasp.errors import UsageError
from regrasp.fan_out import fan_out
from regrasp.lerobot_bridge.driving import Run
from regrasp.lerobot_bridge.mis_set import MisSetRobot, slowed
from regrasp.lerobot_bridge.recording import outcome_of, scene_note, scene_seed
from regrasp.lerobot_bridge.stations import connected

AT_ONCE = 5
"""Starts that a process is handed at once; setting up scene and policy for them takes 0.4 s, and a start about 1 s."""


class Glance(Mapping[str, Any]):
    """An observation whose pictures are drawn when they are asked for."""

    def __init__(self, robot: Any) -> None:
        self._robot = robot
        joints = robot.twin.joints().tolist()
        self._joints = dict(zip(robot.action_features, joints, strict=True))

    def __getitem__(self, name: str) -> Any:
        return self._joints[name] if name in self._joints else self._robot.cameras[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter([*self._joints, *self._robot.cameras])

    def __len__(self) -> int:
        return len(self._joints) + len(self._robot.cameras)


class GlancingArm:
    """The twin's robot, giving glances; with the station's faults where it has some."""

    def __init__(self, robot: Any) -> None:
        self._robot = robot

    def get_observation(self) -> Any:
        """A glance."""
        if isinstance(self._robot, MisSetRobot):
            return self._robot.shown(Glance(self._robot.inner))
        return Glance(self._robot)

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """As the robot does."""
        return self._robot.send_action(action)


@dataclass(frozen=True)
class Share:
    """Some starts of one checkpoint on one station, by their numbers."""

    run: Run
    starts: tuple[int, ...]


def score(
    checkpoint: str | Path,
    station: Station,
    *,
    task: str,
    starts: Sequence[int],
    seed: int = 0,
    n_action_steps: int | None = None,
    seconds: float | None = None,
    handover: bool = True,
    home: bool = False,
    workers: int = 1,
    ray: bool = False,
) -> tuple[Outcome, ...]:
    """Outcomes of a policy on the twin, one for each number in `starts`, in order.

    Start i of a seed is the same scene as episode i of `rollout` with that seed, and every command passes the same
    gate, so the outcomes are the same too; whatever the number of workers, and on a Ray cluster.

    Raises:
        UsageError: The station is not the twin.
        CheckpointError: The checkpoint cannot be loaded, or does not fit.
        MissingExtra: `ray` is wanted and not installed.
    """
    run = scored_run(
        checkpoint, station, task, seed, n_action_steps, seconds=seconds, handover=handover, home=home
    )
    if workers == 1 and not ray:
        return score_share(Share(run, tuple(starts)))
    with fan_out(workers, ray=ray) as each:
        shares = [Share(run, tuple(starts[at : at + AT_ONCE])) for at in range(0, len(starts), AT_ONCE)]
        return tuple(outcome for outcomes in each(score_share, shares) for outcome in outcomes)


def scored_run(
    checkpoint: str | Path,
    station: Station,
    task: str,
    seed: int = 0,
    n_action_steps: int | None = None,
    *,
    seconds: float | None = None,
    handover: bool = True,
    home: bool = False,
) -> Run:
    """How a checkpoint is run to be scored.

    Raises:
        UsageError: The station is not the twin.
    """
    if not station.is_twin:
        raise UsageError(f"Station '{station.name}' cannot be scored without a person; only the twin can.")
    return Run(station, read_checkpoint(checkpoint).path, task, seed, seconds, n_action_steps, handover, home)


def score_share(share: Share) -> tuple[Outcome, ...]:
    """The outcomes of its starts, in order."""
    with connected(share.run.station) as robot:
        policy = share.run.policy()
        return tuple(_score_one(share.run, robot, policy, number) for number in share.starts)


def _score_one(run: Run, robot: Any, policy: Any, number: int) -> Outcome:
    start = robot.reset(scene_seed("rollout", run.seed, number))
    joints = [name.removesuffix(".pos") for name in robot.action_features]
    arm = GlancingArm(robot)
    policy, clock = slowed(robot, policy, FastClock())
    if run.home:
        run.bring_home(arm, joints, clock, number)
    max_ticks = round(run.seconds * run.station.fps) if run.seconds else robot.twin.max_frames
    end = run_episode(
        arm,
        policy,
        run.gate(joints),
        joints=joints,
        clock=clock,
        fps=run.station.fps,
        max_ticks=max_ticks,
        max_s=max_ticks / run.station.fps,
        finished=lambda: bool(robot.twin.success),
    )
    return outcome_of(number, {"frames": end.ticks, **scene_note(start, robot)}, run.station.fps)
