"""Runs a policy on a station: every tick through the safety gate, every episode recorded and scored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.utils.import_utils import register_third_party_plugins
from numpy.typing import NDArray

from regrasp.arm.so101 import LIMITS
from regrasp.control import SafetyGate, Tick, run_episode
from regrasp.control.clock import FastClock, WallClock
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import Contract
from regrasp.data.rollouts import Deployment, Outcome, Ticks, write_outcomes, write_ticks
from regrasp.data.station import Station
from regrasp.diagnosis.preflight import LiveView
from regrasp.errors import CheckpointError, UsageError
from regrasp.lerobot_bridge.episode_writer import EpisodeWriter, as_joint_dict, features_of
from regrasp.lerobot_bridge.parts import Part, Tell, in_child, record_in_parts
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.recording import outcome_of, scene_note, scene_seed
from regrasp.lerobot_bridge.stations import connected, is_twin

EXTRA_LIMIT = 5.0
"""A calibrated arm reports up to this much more than the model's limits, because LeRobot measures each range by
hand; degrees. The gripper has no such slack."""

TICKS = "ticks"
"""Folder of a recording part with the ticks of each episode."""


@dataclass(frozen=True)
class RolledOut:
    """What came of a rollout.

    Attributes:
        out: Folder of the rollouts; None when they were not recorded.
        outcomes: One for each episode, in order.
        interventions: Commands that the gate changed, over all episodes.
        hz: Ticks per second, median over episodes; NaN on a simulation that need not keep time.
        p99_ms: 99th percentile of the time of one query of the policy.
        late_ticks: Ticks that began more than half a period late.
    """

    out: Path | None
    outcomes: tuple[Outcome, ...]
    interventions: int
    hz: float
    p99_ms: float
    late_ticks: int

    @property
    def successes(self) -> int:
        """Episodes scored as a success."""
        return sum(bool(outcome.success) for outcome in self.outcomes)


def rollout(
    checkpoint: str | Path,
    station: Station,
    *,
    task: str,
    episodes: int,
    out: str | Path,
    seed: int = 0,
    seconds: float | None = None,
    n_action_steps: int | None = None,
    overrides: tuple[str, ...] = (),
    called: str | None = None,
    options: Mapping[str, str] | None = None,
    workers: int = 1,
    tell: Tell = lambda _message: None,
) -> RolledOut:
    """Run `episodes` episodes of the policy on the station and record them into the new folder `out`.

    Args:
        checkpoint: Run folder, checkpoint, or `pretrained_model` folder.
        station: Where to run. The twin begins each episode from a fresh scene and scores it by physics; on a
            real arm an episode lasts `seconds` and is left to be scored.
        task: The instruction that the policy is given.
        episodes: How many.
        out: New folder: a LeRobot dataset with `regrasp/outcomes.parquet` and `regrasp/ticks.parquet`.
        seed: Of the scenes; the same seed gives the same starts to any policy.
        seconds: Longest time of an episode; the task's own limit when left out.
        n_action_steps: Actions executed per query; the policy's own number when left out.
        overrides: Names of the preflight checks that were overridden; written into the rollouts.
        called: What a printed command calls the station; its name when left out.
        options: Options of the command that were given beside, which a printed command repeats.
        workers: Processes that run side by side; more than 1 only on the twin.
        tell: Gets {"episode", "success", "frames"} after each episode.

    Raises:
        CheckpointError: The checkpoint cannot be loaded, or does not fit the robot.
        DatasetError: The folder exists, or the disk is full.
    """
    if episodes < 1:
        raise UsageError(f"--episodes is {episodes}; expected 1 or more.")
    register_third_party_plugins()
    out = Path(out).resolve()
    found = read_checkpoint(checkpoint)
    run = Run(station, found.path, task, seed, seconds, n_action_steps)
    deployment = Deployment(task, overrides, str(checkpoint), called or station.name, dict(options or {}))
    plan = {
        "kind": "rollouts",
        "checkpoint": str(found.path),
        "robot": station.robot,
        "task": task,
        "seed": seed,
        "seconds": seconds,
        "n_action_steps": n_action_steps,
        "overrides": list(overrides),
    }
    summary: list[dict[str, Any]] = []
    record_in_parts(
        out,
        plan,
        episodes=episodes,
        workers=workers if is_twin(station) else 1,
        work=partial(_roll_part, run),
        tell=tell,
        annotate=partial(_annotate, deployment, summary),
    )
    return _summary(out, summary, station.fps, timed=not is_twin(station))


@dataclass(frozen=True)
class Run:
    """What stays the same from one episode to the next."""

    station: Station
    checkpoint: Path
    task: str
    seed: int
    seconds: float | None
    n_action_steps: int | None

    @cached_property
    def contract(self) -> Contract | None:
        """What the policy was trained to expect, where that is known."""
        return read_checkpoint(self.checkpoint).contract

    def policy(self) -> LoadedPolicy:
        """The policy, loaded in the process that runs it."""
        return LoadedPolicy(self.checkpoint, task=self.task, n_action_steps=self.n_action_steps)

    def gate(self, joints: list[str]) -> SafetyGate:
        """A gate for these joints, from the contract's envelope where there is one.

        Raises:
            CheckpointError: The contract is of an arm with other joints.
        """
        if self.contract is None:
            return SafetyGate.from_envelope(_limits(len(joints)), None)
        trained = [joint.name for joint in self.contract.joints]
        if trained != joints:
            raise CheckpointError(
                f"The checkpoint in {self.checkpoint} was trained on the joints {', '.join(trained)}; station "
                f"'{self.station.name}' has {', '.join(joints)}. Choose the station that it was trained for."
            )
        jumps = np.array([joint.jump_max for joint in self.contract.joints], dtype=np.float64)
        return SafetyGate.from_envelope(_limits(len(joints)), jumps)


def _limits(joints: int) -> NDArray[np.float64]:
    """Limits of an SO-101, and of nothing known for another arm (its driver has its own); shape [J, 2]."""
    if joints != len(LIMITS):
        return np.tile([-np.inf, np.inf], (joints, 1))
    slack = np.array([[-EXTRA_LIMIT, EXTRA_LIMIT]] * (joints - 1) + [[0.0, 0.0]])
    return LIMITS + slack


def _roll_part(run: Run, part: Part, tell: Tell) -> None:
    """Run the episodes of a part that are not on disk yet."""
    with connected(run.station) as robot:
        policy = run.policy()
        writer = EpisodeWriter(
            part.folder, fps=run.station.fps, features=features_of(robot), robot_type=robot.name
        )
        try:
            for note in writer.notes:
                tell({name: note.get(name) for name in ("episode", "success", "frames")})
            for episode in range(part.first + writer.episodes, part.last):
                _roll_episode(run, robot, policy, writer, episode, tell)
        finally:
            writer.close()


def _roll_episode(
    run: Run, robot: Any, policy: LoadedPolicy, writer: EpisodeWriter, episode: int, tell: Tell
) -> None:
    """One episode: run, record, score."""
    twin = is_twin(run.station)
    joints = [name.removesuffix(".pos") for name in robot.action_features]
    start = robot.reset(scene_seed("rollout", run.seed, episode)) if twin else None
    ticks: list[Tick] = []

    def keep(tick: Tick) -> None:
        ticks.append(_without_images(tick))
        writer.add(tick.observation, as_joint_dict(tick.sent, joints), run.task)

    limit = run.seconds * run.station.fps if run.seconds else robot.twin.max_frames if twin else 900
    end = run_episode(
        robot,
        policy,
        run.gate(joints),
        joints=joints,
        clock=FastClock() if twin else WallClock(),
        fps=run.station.fps,
        max_ticks=round(limit),
        finished=(lambda: robot.twin.success) if twin else (lambda: False),
        observers=[keep],
    )
    scene = scene_note(start, robot) if twin else {}
    # On real time the clock measures; a simulation that runs ahead of time has no rate.
    note = {
        "episode": episode,
        "frames": end.ticks,
        "late_ticks": end.late_ticks,
        "seconds": end.seconds,
        **scene,
    }
    _save_ticks(writer.folder / TICKS / f"{episode:06d}.npz", ticks)
    writer.save(note)
    tell({"episode": episode, "success": scene.get("success"), "frames": end.ticks})


def _without_images(tick: Tick) -> Tick:
    """The tick with its joint values only."""
    values = {name: value for name, value in tick.observation.items() if not isinstance(value, np.ndarray)}
    return Tick(tick.index, tick.wall_s, values, tick.decision, tick.sent, tick.intervened)


def _save_ticks(path: Path, ticks: list[Tick]) -> None:
    """Keep the ticks of one episode as plain arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        tick=np.array([tick.index for tick in ticks]),
        wall_s=np.array([tick.wall_s for tick in ticks]),
        inference_ms=np.array([tick.decision.inference_ms for tick in ticks]),
        chunk=np.array([tick.decision.chunk for tick in ticks]),
        position_in_chunk=np.array([tick.decision.position for tick in ticks]),
        wanted=np.array([tick.decision.action for tick in ticks]),
        sent=np.array([tick.sent for tick in ticks]),
        intervened=np.array([tick.intervened for tick in ticks]),
    )


def _annotate(
    deployment: Deployment, summary: list[dict[str, Any]], dataset: Path, parts: list[Path]
) -> None:
    """Write outcomes and ticks beside the merged dataset, and hand the notes on."""
    fps = json.loads((dataset / "meta" / "info.json").read_text())["fps"]
    notes: list[dict[str, Any]] = []
    ticks: list[Ticks] = []
    for part in parts:
        found = json.loads((part / "finished.json").read_text())
        for note, file in zip(found, sorted((part / TICKS).glob("*.npz")), strict=False):
            arrays: Mapping[str, NDArray[Any]] = dict(np.load(file, allow_pickle=False))
            number = np.full(len(arrays["tick"]), len(notes))
            ticks.append(Ticks(episode=number, **arrays))
            notes.append(note)
    outcomes = [outcome_of(number, note, fps) for number, note in enumerate(notes)]
    joined = Ticks.joined(ticks)
    write_outcomes(dataset, outcomes, deployment)
    write_ticks(dataset, joined)
    summary.append({"outcomes": outcomes, "ticks": joined, "notes": notes})


def _summary(out: Path, summary: list[dict[str, Any]], fps: int, *, timed: bool) -> RolledOut:
    ticks: Ticks = summary[0]["ticks"]
    notes = summary[0]["notes"]
    rates = [note["frames"] / note["seconds"] for note in notes if timed and note.get("seconds")]
    queries = ticks.inference_ms[np.isfinite(ticks.inference_ms)]
    return RolledOut(
        out=out,
        outcomes=tuple(summary[0]["outcomes"]),
        interventions=int(ticks.intervened.sum()),
        hz=float(np.median(rates)) if rates else float("nan"),
        p99_ms=float(np.percentile(queries, 99)) if len(queries) else float("nan"),
        late_ticks=sum(note.get("late_ticks", 0) for note in notes),
    )


def look(station: Station, instruction: str, *, seed: int = 0) -> LiveView:
    """What the station shows now, for preflight; nothing moves.

    Args:
        station: Whose robot is asked once for its joints and pictures.
        instruction: The one that the policy is about to be given.
        seed: The twin shows the start of the first episode of this seed.
    """
    return in_child(partial(_look, station, instruction, seed))


def _look(station: Station, instruction: str, seed: int) -> LiveView:
    with connected(station) as robot:
        if is_twin(station):
            robot.reset(scene_seed("rollout", seed, 0))
        seen = robot.get_observation()
        names = [name for name in robot.action_features if name.endswith(".pos")]
        return LiveView(
            instruction=instruction,
            joints=np.array([seen[name] for name in names], dtype=np.float64),
            images={
                name: value
                for name, value in seen.items()
                if isinstance(value, np.ndarray) and value.ndim == 3
            },
            fps=float(station.fps),
            joint_names=tuple(name.removesuffix(".pos") for name in names),
            robot_type=str(robot.name),
        )
