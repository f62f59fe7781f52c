"""Records demonstrations: by the twin's expert here, by a person through LeRobot's own recording."""

import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from draccus.utils import DraccusException
from lerobot.utils.import_utils import register_third_party_plugins

from regrasp.arm.so101 import JOINTS
from regrasp.data.rollouts import Deployment, Outcome, write_outcomes
from regrasp.data.station import Station
from regrasp.data.unfinished import read_notes
from regrasp.errors import DatasetError, DeviceError, UsageError, first_line
from regrasp.lerobot_bridge.episode_writer import NOTES, EpisodeWriter, as_joint_dict, features_of
from regrasp.lerobot_bridge.parts import Part, Tell, record_in_parts
from regrasp.lerobot_bridge.stations import connected

ATTEMPTS = 10
"""Tries at one episode before the recording gives up on it."""


@dataclass(frozen=True)
class Recorded:
    """What came of a recording.

    Attributes:
        dataset: Folder of the LeRobot dataset.
        episodes: Episodes in it.
        frames: Frames in it.
        rerecorded: Attempts that failed and were recorded again.
    """

    dataset: Path
    episodes: int
    frames: int
    rerecorded: int


def scene_seed(stream: str, seed: int, *numbers: int) -> int:
    """Seed of one scene. Streams ("record", "rollout") never share scenes, whatever their seeds.

    Raises:
        UsageError: `seed` is below 0.

    Example:
        >>> scene_seed("record", 0, 1, 0) == scene_seed("rollout", 0, 1, 0)
        False
    """
    if seed < 0:
        raise UsageError(f"The seed is {seed}; expected 0 or more.")
    entropy = [int.from_bytes(stream.encode(), "big"), seed, *numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def record(
    station: Station,
    dataset: str | Path,
    *,
    episodes: int,
    task: str | None = None,
    seed: int = 0,
    workers: int = 1,
    tell: Tell = lambda _message: None,
) -> Recorded:
    """Record `episodes` demonstrations of the twin's expert into the new LeRobot dataset `dataset`.

    Each episode is gated as it ends: one in which the expert failed is dropped and recorded again from another
    scene. The same seed gives the same states and actions, whatever the number of workers.

    Args:
        station: The twin, or a file that describes one.
        dataset: New folder.
        episodes: How many.
        task: The instruction; that of the station's task when left out.
        seed: Of scenes and of the expert's ways.
        workers: Processes that record side by side.
        tell: Gets {"episode", "frames", "failed"} after each attempt.

    Raises:
        UsageError: The station has no expert.
        DatasetError: The folder exists, the disk is full, or an episode fails `ATTEMPTS` times.
    """
    if not station.is_twin:
        raise UsageError(
            f"Station '{station.name}' has no expert; only the twin has. Leave --expert out to record by its leader."
        )
    if episodes < 1:
        raise UsageError(f"--episodes is {episodes}; expected 1 or more.")
    register_third_party_plugins()
    out = Path(dataset).resolve()
    counted = _Count()
    record_in_parts(
        out,
        {
            "kind": "demonstrations",
            "robot": station.robot,
            "fps": station.fps,
            "faults": list(station.faults),
            "task": task,
            "seed": seed,
        },
        episodes=episodes,
        workers=workers,
        work=partial(_record_part, station, task, seed),
        tell=lambda message: (counted.add(message), tell(message))[1],
        annotate=_write_scenes,
    )
    return Recorded(out, episodes, counted.frames, counted.failed)


@dataclass
class _Count:
    frames: int = 0
    failed: int = 0

    def add(self, message: dict[str, Any]) -> None:
        """Count one attempt."""
        if message["failed"]:
            self.failed += 1
        else:
            self.frames += message["frames"]


def _record_part(station: Station, task: str | None, seed: int, part: Part, tell: Tell) -> None:
    """Record the episodes of a part that are not on disk yet."""
    with connected(station) as robot:
        writer = EpisodeWriter(
            part.folder, fps=station.fps, features=features_of(robot), robot_type=robot.name
        )
        try:
            for note in writer.notes:
                tell({"episode": note.get("episode"), "frames": note.get("frames", 0), "failed": False})
            for episode in range(part.first + writer.episodes, part.last):
                _record_episode(robot, writer, task or robot.twin.instruction, seed, episode, tell)
        finally:
            writer.close()


def _record_episode(
    robot: Any, writer: EpisodeWriter, task: str, seed: int, episode: int, tell: Tell
) -> None:
    """One demonstration that succeeds."""
    from regrasp.sim.expert import Expert

    for attempt in range(ATTEMPTS):
        seed_of_scene = scene_seed("record", seed, episode, attempt)
        start = robot.reset(seed_of_scene)
        expert = Expert(robot.twin, np.random.default_rng(seed_of_scene))
        frames = 0
        while not expert.done and frames < robot.twin.max_frames:
            observation = robot.get_observation()
            action = as_joint_dict(
                expert.act(), [name.removesuffix(".pos") for name in robot.action_features]
            )
            robot.send_action(action)
            writer.add(observation, action, task)
            frames += 1
        failed = not robot.twin.success
        if not failed:
            note = {"episode": episode, "frames": frames, "attempt": attempt, **scene_note(start, robot)}
            writer.save(note)
            tell({"episode": episode, "frames": frames, "failed": False})
            return
        writer.discard()
        tell({"episode": episode, "frames": frames, "failed": True})
    raise DatasetError(
        f"The expert failed episode {episode} {ATTEMPTS} times in a row; expected it to succeed. "
        "Check the station's options; finished episodes are kept."
    )


def scene_note(start: Any, robot: Any) -> dict[str, Any]:
    """Where a scene of the twin began and how far the task got, as JSON values."""
    return {
        "seed": int(start.seed),
        "success": bool(robot.twin.success),
        "progress": float(robot.twin.progress),
        "initial": {
            "object_x_m": float(start.object_x_m),
            "object_y_m": float(start.object_y_m),
            "object_yaw_deg": float(start.object_yaw_deg),
            **{f"start_{joint}": float(value) for joint, value in _start(start)},
        },
    }


def _start(start: Any) -> list[tuple[str, float]]:
    return list(zip(JOINTS, start.joints, strict=True))


def outcome_of(number: int, note: dict[str, Any], fps: int) -> Outcome:
    """The outcome of episode `number` from what was noted as it ended."""
    return Outcome(
        episode=number,
        success=note.get("success"),
        progress=note.get("progress", float("nan")),
        seconds=note.get("frames", 0) / fps,
        seed=note.get("seed"),
        initial=note.get("initial", {}),
        scored_by=note.get("scored_by", "physics") if note.get("success") is not None else "",
    )


def _write_scenes(dataset: Path | None, parts: list[Path]) -> None:
    """Keep scene and seed of each episode beside the dataset, where they are not there already."""
    if dataset is None:
        return
    notes = [note for part in parts for note in read_notes(part / NOTES)]
    fps = json.loads((dataset / "meta" / "info.json").read_text())["fps"]
    outcomes = [outcome_of(number, note, fps) for number, note in enumerate(notes)]
    write_outcomes(dataset, outcomes, Deployment(station="twin's expert"))


def record_by_leader(
    station: Station, dataset: str | Path, *, episodes: int, task: str, seconds: float
) -> None:
    """Record by a person: LeRobot's own recording with the station's robot and leader.

    Raises:
        UsageError: The station has no leader, or LeRobot refuses its options.
        DeviceError: Arm, leader or camera failed.
    """
    import sys
    from unittest import mock

    from lerobot.scripts import lerobot_record

    if not station.teleop:
        raise UsageError(
            f"Station '{station.name}' has no teleop; expected the leader arm's options. Add them to its file."
        )
    if task.startswith("include"):
        raise UsageError(
            f"The instruction is '{task}'; expected one that does not begin with 'include', which LeRobot takes for the "
            "name of a file. Word it otherwise."
        )
    out = Path(dataset).resolve()
    arguments = [
        *options("robot", station.robot),
        *options("teleop", station.teleop),
        f"--dataset.repo_id=local/{out.name}",
        f"--dataset.root={out}",
        f"--dataset.single_task={as_typed(task)}",
        f"--dataset.num_episodes={episodes}",
        f"--dataset.fps={station.fps}",
        f"--dataset.episode_time_s={seconds}",
        "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
    ]
    new = not out.exists()
    with mock.patch.object(sys, "argv", ["lerobot-record", *arguments]):
        try:
            lerobot_record.main()
        except SystemExit as error:
            raise UsageError("LeRobot refuses the options of this station; see above.") from error
        except (OSError, RuntimeError) as error:
            raise DeviceError(
                f"The station '{station.name}' does not answer: {first_line(error)}. Check power and cables."
            ) from error
        except (ValueError, DraccusException) as error:
            raise UsageError(f"LeRobot refuses this recording: {first_line(error)}.") from error
        finally:
            if new:
                _remove_without_episodes(out)


def _remove_without_episodes(dataset: Path) -> None:
    """LeRobot makes the folder before it looks for the arm; one without an episode is in the way of the next try."""
    if not any((dataset / "meta" / "episodes").rglob("*.parquet")):
        shutil.rmtree(dataset, ignore_errors=True)


def options(prefix: str, values: dict[str, Any]) -> list[str]:
    """LeRobot's command-line options for nested values.

    Example:
        >>> options("robot", {"type": "so101_follower", "port": "/dev/ttyACM0"})
        ['--robot.type=so101_follower', '--robot.port=/dev/ttyACM0']
    """
    return [f"--{prefix}.{name}={as_typed(value)}" for name, value in values.items()]


def as_typed(value: object) -> str:
    """A value as LeRobot's command line reads it back: it takes all that it is given for YAML.

    Example:
        >>> as_typed("Grab the brain"), as_typed("Pick block #3"), as_typed("007"), as_typed(True)
        ('Grab the brain', '"Pick block #3"', '"007"', 'true')
    """
    import yaml

    if not isinstance(value, str):
        return json.dumps(value)
    try:
        plain = yaml.safe_load(value) == value
    except yaml.YAMLError:
        plain = False
    return value if plain else json.dumps(value)
