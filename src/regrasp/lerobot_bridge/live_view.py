"""What a station shows before anything moves, and how long a query of the policy takes there."""

import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from regrasp.control.loop import device
from regrasp.data.calibration import calibration_hash
from regrasp.data.station import Station
from regrasp.diagnosis.preflight import LiveView
from regrasp.errors import CheckpointError
from regrasp.lerobot_bridge.parts import in_child
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.recording import scene_seed
from regrasp.lerobot_bridge.stations import connected

QUERIES = 5
"""Queries whose median is taken, after one that is not counted: the first one reserves memory."""

LONGEST_S = 20.0
"""No further query is begun after this time; a policy that is so slow needs no median."""


def look(
    station: Station,
    instruction: str,
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    n_action_steps: int | None = None,
    ahead: bool = False,
) -> LiveView:
    """What the station shows now, for preflight; nothing moves.

    Args:
        station: Whose robot is asked once for its joints and pictures.
        instruction: The one that the policy is about to be given.
        seed: The twin shows the start of the first episode of this seed.
        checkpoint: Policy whose queries are timed; not timed when left out.
        n_action_steps: Actions that will be executed per query, where they are not the policy's own number.
        ahead: Whether chunks will be asked for ahead; never so on the twin, whose time waits.

    Raises:
        DeviceError: The robot does not answer.
        CheckpointError: The checkpoint cannot be loaded.
    """
    return in_child(partial(_look, station, instruction, seed, checkpoint, n_action_steps, ahead))


def _look(
    station: Station,
    instruction: str,
    seed: int,
    checkpoint: str | Path | None,
    n_action_steps: int | None,
    ahead: bool,
) -> LiveView:
    with connected(station) as robot:
        if station.is_twin:
            robot.reset(scene_seed("rollout", seed, 0))
        with device("showing what it sees"):
            seen = robot.get_observation()
        policy = None if checkpoint is None else LoadedPolicy(checkpoint, task=instruction)
        measured_s = None if policy is None else query_seconds(policy, seen, instruction)
        late_s = getattr(robot, "query_s", 0.0)
        return live_view(
            robot,
            seen,
            instruction,
            fps=station.fps,
            ahead=ahead and not station.is_twin,
            waits=station.is_twin and not late_s,
            inference_s=late_s or measured_s,
            n_action_steps=n_action_steps,
        )


def live_view(
    robot: Any, seen: Mapping[str, Any], instruction: str, *, fps: float, **measured: Any
) -> LiveView:
    """A view of a connected robot with the observation that it gave."""
    names = [name for name in robot.action_features if name.endswith(".pos")]
    calibration = getattr(robot, "calibration_fpath", None)
    return LiveView(
        instruction=instruction,
        joints=np.array([seen[name] for name in names], dtype=np.float64),
        images={
            name: value for name, value in seen.items() if isinstance(value, np.ndarray) and value.ndim == 3
        },
        fps=float(fps),
        joint_names=tuple(name.removesuffix(".pos") for name in names),
        robot_type=str(robot.name),
        robot=robot_options(robot),
        calibration_id=getattr(robot, "id", None),
        calibration_hash=calibration_hash(calibration) if calibration and calibration.is_file() else None,
        **measured,
    )


def robot_options(robot: Any) -> dict[str, Any]:
    """LeRobot's options of a robot as it has them, defaults filled in; only plain values."""
    config = getattr(robot, "config", None)
    if not is_dataclass(config):
        return {}
    options = {field.name: getattr(config, field.name) for field in fields(config)}
    plain = {name: value for name, value in options.items() if isinstance(value, bool | int | float | str)}
    return plain | dict(getattr(robot, "said", {}))


def query_seconds(policy: LoadedPolicy, seen: Mapping[str, Any], instruction: str) -> float | None:
    """Median time of a query with this observation; None where the policy cannot take it."""
    try:
        batch = policy.batch_of([seen], instruction)
    except CheckpointError:
        return None  # another check names the missing camera or joint
    times: list[float] = []
    began = time.perf_counter()
    while len(times) <= QUERIES and time.perf_counter() - began < LONGEST_S:
        start = time.perf_counter()
        policy.chunks(batch)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:] or times))
