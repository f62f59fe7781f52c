"""Success in closed loop on the twin, without a recording: pictures are drawn only when the policy looks.

For choosing between checkpoints and for measuring: nothing is encoded, and most frames are never drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from regrasp.control import run_episode
from regrasp.control.clock import FastClock
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.rollouts import Outcome
from regrasp.data.station import Station
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.mis_set import MisSetRobot, slowed
from regrasp.lerobot_bridge.recording import outcome_of, scene_note, scene_seed
from regrasp.lerobot_bridge.rollout import Run
from regrasp.lerobot_bridge.stations import connected, is_twin


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


def score(
    checkpoint: str | Path,
    station: Station,
    *,
    task: str,
    starts: Sequence[int],
    seed: int = 0,
    n_action_steps: int | None = None,
    handover: bool = True,
    home: bool = False,
    workers: int = 1,
) -> tuple[Outcome, ...]:
    """Outcomes of a policy on the twin, one for each number in `starts`, in order.

    Start i of a seed is the same scene as episode i of `rollout` with that seed, and every command passes the same
    gate, so the outcomes are the same too.

    Raises:
        UsageError: The station is not the twin.
        CheckpointError: The checkpoint cannot be loaded, or does not fit.
    """
    if not is_twin(station):
        raise UsageError(f"Station '{station.name}' cannot be scored without a person; only the twin can.")
    run = Run(station, read_checkpoint(checkpoint).path, task, seed, None, n_action_steps, handover, home)
    if workers == 1:
        return _score_part(run, starts)
    shares = [list(starts[worker::workers]) for worker in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(partial(_score_part, run), shares))
    return tuple(found[place % workers][place // workers] for place in range(len(starts)))


def _score_part(run: Run, starts: Sequence[int]) -> tuple[Outcome, ...]:
    """The outcomes of some starts."""
    with connected(run.station) as robot:
        policy = run.policy()
        return tuple(_score_one(run, robot, policy, number) for number in starts)


def _score_one(run: Run, robot: Any, policy: Any, number: int) -> Outcome:
    start = robot.reset(scene_seed("rollout", run.seed, number))
    joints = [name.removesuffix(".pos") for name in robot.action_features]
    arm = GlancingArm(robot)
    policy, clock = slowed(robot, policy, FastClock())
    if run.home:
        run.bring_home(arm, joints, clock, number)
    end = run_episode(
        arm,
        policy,
        run.gate(joints),
        joints=joints,
        clock=clock,
        fps=run.station.fps,
        max_ticks=robot.twin.max_frames,
        max_s=robot.twin.max_frames / run.station.fps,
        finished=lambda: bool(robot.twin.success),
    )
    return outcome_of(number, {"frames": end.ticks, **scene_note(start, robot)}, run.station.fps)
