"""Runs a policy on a station: every tick through the safety gate, every episode recorded and scored."""

import math
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from lerobot.utils.import_utils import register_third_party_plugins
from numpy.typing import NDArray

from regrasp.control import Clock, EpisodeEnd, Policy, Tick, run_episode
from regrasp.control.clock import FastClock, WallClock
from regrasp.control.flight_recorder import FlightRecorder, wanted_of
from regrasp.control.monitor import UNCALIBRATED, Calibration, Monitor
from regrasp.control.scorers import Goal, GoalScorer, KeyScorer, Scorer
from regrasp.control.seams import Horizon
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.rollouts import FOLDER, Deployment, Outcome, Ticks, write_outcomes, write_ticks
from regrasp.data.station import Station
from regrasp.data.unfinished import read_notes
from regrasp.errors import DeviceError, UsageError
from regrasp.lerobot_bridge.driving import Run, held_robot
from regrasp.lerobot_bridge.episode_writer import FLIGHT, NOTES, EpisodeWriter, as_joint_dict, features_of
from regrasp.lerobot_bridge.mis_set import slowed
from regrasp.lerobot_bridge.parts import Part, Tell, record_in_parts
from regrasp.lerobot_bridge.recording import outcome_of, scene_note, scene_seed

TICKS = "ticks"
"""Folder of a recording part with the ticks of each episode."""

SCORE = "score_"
"""Beginning of the names of the monitor's scores in the arrays of an episode."""

USUAL_SECONDS = 30.0
"""Longest time of an episode on a real arm when nobody says how long."""


class Person(Protocol):
    """Somebody at the keyboard."""

    def ready(self, episode: int) -> None:
        """Return when episode `episode` may begin: the scene is set."""
        ...

    def key(self) -> str:
        """The key that was pressed since the last question, "" for none; does not wait."""
        ...


@dataclass(frozen=True)
class RolledOut:
    """What came of a rollout.

    Attributes:
        out: Folder of the rollouts.
        outcomes: One for each episode, in order.
        interventions: Commands that the gate changed, over all episodes.
        hz: Ticks per second, median over episodes; NaN on a simulation that need not keep time.
        p99_ms: 99th percentile of the time of one query of the policy.
        late_ticks: Ticks that began more than half a period late.
        changed: Commands that the gate changed, by kind (see `control.gate`); one may have several kinds.
        ended: Episodes by why they ended: `finished`, `time`, `gate-closed`.
        alarms: Episodes in which a score of the monitor went beyond its limit, by the score's name.
        flights: Flight records that were written.
    """

    out: Path
    outcomes: tuple[Outcome, ...]
    interventions: int
    hz: float
    p99_ms: float
    late_ticks: int
    changed: Mapping[str, int] = field(default_factory=dict[str, int])
    ended: Mapping[str, int] = field(default_factory=dict[str, int])
    alarms: Mapping[str, int] = field(default_factory=dict[str, int])
    flights: tuple[Path, ...] = ()

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
    handover: bool = True,
    home: bool | None = None,
    calibration: Calibration = UNCALIBRATED,
    rtc: bool = False,
    goal: Goal | None = None,
    person: Person | None = None,
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
        handover: Hand chunks over without a jump, and on a real arm ask ahead for those that take time.
        home: Drive the arm to a start drawn from the training's before each episode. When left out, a real arm is,
            and the twin is not: its reset places the arm, at home or wherever the station's `starts` asks for.
        calibration: When the monitor's scores are alarming (`control.monitor.calibrate`).
        rtc: Grow chunks out of each other by LeRobot's real-time chunking, where the policy can.
        goal: What ends and scores an episode, by what a camera shows; physics tells on the twin when left out.
        person: Who is at the keyboard; asked before each episode, and may score it. A part of a recording that runs
            beside others has nobody.
        tell: Gets {"episode", "success", "frames"} after each episode.

    Raises:
        CheckpointError: The checkpoint cannot be loaded, or does not fit the robot.
        DatasetError: The folder exists, or the disk is full.
        DeviceError: The robot failed. Finished episodes are kept, and the same command goes on with them.
        UsageError: The policy cannot keep up with the arm, or cannot do `rtc`; or an option makes no sense.
    """
    if episodes < 1:
        raise UsageError(f"--episodes is {episodes}; expected 1 or more.")
    if seconds is not None and not (math.isfinite(seconds) and round(seconds * station.fps) >= 1):
        raise UsageError(f"--seconds is {seconds:g}; expected time for one command or more.")
    register_third_party_plugins()
    out = Path(out).resolve()
    found = read_checkpoint(checkpoint)
    homed = not station.is_twin if home is None else home
    if goal is not None and goal.camera not in station.camera_names:
        raise UsageError(
            f"The goal is seen by camera '{goal.camera}'; station '{station.name}' has "
            f"{', '.join(station.camera_names) or 'none'}."
        )
    run = Run(station, found.path, task, seed, seconds, n_action_steps, handover, homed, calibration, rtc)
    deployment = Deployment(task, overrides, str(checkpoint), called or station.name, dict(options or {}))
    plan = {
        "kind": "rollouts",
        "checkpoint": str(found.path),
        "robot": station.robot,
        "fps": station.fps,
        "faults": list(station.faults),
        "task": task,
        "seed": seed,
        "seconds": seconds,
        "n_action_steps": n_action_steps,
        "overrides": list(overrides),
        "handover": handover,
        "home": homed,
        "rtc": rtc,
        "goal": None if goal is None else [goal.camera, *goal.region],
    }
    summary: list[dict[str, Any]] = []
    record_in_parts(
        out,
        plan,
        episodes=episodes,
        workers=workers if station.is_twin and person is None else 1,
        work=partial(_roll_part, run, goal, person),
        tell=tell,
        annotate=partial(_annotate, run, deployment, summary),
    )
    return _summary(out, summary, station.fps, timed=not station.is_twin)


def _roll_part(run: Run, goal: Goal | None, person: Person | None, part: Part, tell: Tell) -> None:
    """Run the episodes of a part that are not on disk yet."""
    with held_robot(run.station) as robot:
        policy, horizon = run.policy_for(robot)
        writer = EpisodeWriter(
            part.folder, fps=run.station.fps, features=features_of(robot), robot_type=robot.name
        )
        try:
            for note in writer.notes:
                tell({name: note.get(name) for name in ("episode", "success", "frames")})
            for episode in range(part.first + writer.episodes, part.last):
                _Episode(run, robot, writer, episode, _scorers(run, goal, person), person).roll(
                    policy, horizon, tell
                )
        finally:
            writer.close()


def _scorers(run: Run, goal: Goal | None, person: Person | None) -> list[Scorer]:
    """Who may score an episode; the first who knows decides."""
    people: list[Scorer] = [] if person is None else [KeyScorer(person.key)]
    return people if goal is None else [*people, GoalScorer(goal, run.station.fps)]


class _Episode:
    """One episode: home, run, watch, record, score."""

    def __init__(
        self,
        run: Run,
        robot: Any,
        writer: EpisodeWriter,
        number: int,
        scorers: list[Scorer],
        person: Person | None = None,
    ) -> None:
        self._run, self._robot, self._writer, self._number = run, robot, writer, number
        self._scorers, self._person = scorers, person
        self._twin = run.station.is_twin
        self._joints = [name.removesuffix(".pos") for name in robot.action_features]
        self._clock: Clock = FastClock() if self._twin else WallClock()
        self._ticks: list[Tick] = []
        self._recorder = FlightRecorder(
            self._joints, run.station.fps, lambda tick: run.calibration.tripped(tick.scores)
        )

    def roll(self, policy: Policy, horizon: Horizon, tell: Tell) -> None:
        """Run the episode and put it on disk."""
        start = self._robot.reset(scene_seed("rollout", self._run.seed, self._number)) if self._twin else None
        try:
            if self._run.home:
                self._run.bring_home(self._robot, self._joints, self._clock, self._number)
            if self._person is not None:
                self._person.ready(self._number)
            end = self._drive(policy)
        except DeviceError as error:
            said = f"Episode {self._number} was broken off: {error}"
            kept = self._recorder.write(self._flight_file("-broken"), said)
            raise DeviceError(said + (f" Its last seconds are in {kept}." if kept else "")) from error
        scene = scene_note(start, self._robot) if self._twin else {}
        if end.reason == "gate-closed":
            self._recorder.tripped.setdefault("gate-closed", end.ticks - 1)
        if self._recorder.tripped:
            self._recorder.write(self._flight_file(), f"Episode {self._number} ended: {end.reason}.")
        _save_ticks(self._writer.folder / TICKS / f"{self._number:06d}.npz", self._ticks)
        note = {**self._note(end, horizon), **scene, **self._verdict()}
        self._writer.save(note)
        tell({"episode": self._number, "success": note.get("success"), "frames": end.ticks})

    def _verdict(self) -> dict[str, Any]:
        """What the scorers say of the episode that has ended, and which of them; physics has its say without them."""
        for scorer in self._scorers:
            scorer.time_is_up()
        knowing = next((one for one in self._scorers if one.success is not None), None)
        if knowing is None:
            return {}
        whole = {"progress": 1.0} if knowing.success else {}
        return {"success": knowing.success, "scored_by": knowing.name, **whole}

    def _drive(self, policy: Policy) -> EpisodeEnd:
        """The loop itself."""
        run, twin = self._run, self._twin
        gate = run.gate(self._joints)
        longest_s = run.seconds or (None if twin else USUAL_SECONDS)
        max_ticks = round(longest_s * run.station.fps) if longest_s else self._robot.twin.max_frames
        policy, self._clock = slowed(self._robot, policy, self._clock)
        physics = twin and not any(isinstance(one, GoalScorer) for one in self._scorers)
        for scorer in self._scorers:
            scorer.reset()

        def finished() -> bool:
            known = any(one.success is not None for one in self._scorers)
            return known or (physics and bool(self._robot.twin.success))

        return run_episode(
            self._robot,
            policy,
            gate,
            joints=self._joints,
            clock=self._clock,
            fps=run.station.fps,
            max_ticks=max_ticks,
            max_s=max_ticks / run.station.fps if twin else None,
            finished=finished,
            observers=[self._keep, self._recorder, *(one.watch for one in self._scorers)],
            monitor=Monitor(run.station.fps, run.contract),
        )

    def _keep(self, tick: Tick) -> None:
        self._ticks.append(_without_images(tick))
        self._writer.add(tick.observation, as_joint_dict(tick.sent, self._joints), self._run.task)

    def _note(self, end: EpisodeEnd, horizon: Horizon) -> dict[str, Any]:
        """What is noted of the episode, as JSON values.

        On real time the clock measures; a simulation that runs ahead of time has no rate.
        """
        return {
            "episode": self._number,
            "frames": end.ticks,
            "late_ticks": end.late_ticks,
            "seconds": end.seconds,
            "ended": end.reason,
            "changed": dict(end.interventions),
            "alarms": sorted(self._recorder.tripped),
            "horizon": [horizon.chunk, horizon.execute, horizon.delay],
        }

    def _flight_file(self, ending: str = "") -> Path:
        return self._writer.folder / FLIGHT / f"episode-{self._number:03d}{ending}.npz"


def _without_images(tick: Tick) -> Tick:
    """The tick with its joint values only, and without the rest of its plan."""
    values = {name: value for name, value in tick.observation.items() if not isinstance(value, np.ndarray)}
    return replace(tick, observation=values, decision=replace(tick.decision, plan=None))


def _save_ticks(path: Path, ticks: list[Tick]) -> None:
    """Keep the ticks of one episode as plain arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ticks[0].scores if ticks else {}
    np.savez(
        path,
        tick=np.array([tick.index for tick in ticks]),
        wall_s=np.array([tick.wall_s for tick in ticks]),
        inference_ms=np.array([tick.decision.inference_ms for tick in ticks]),
        chunk=np.array([tick.decision.chunk for tick in ticks]),
        position_in_chunk=np.array([tick.decision.position for tick in ticks]),
        wanted=np.array([wanted_of(tick, len(tick.sent)) for tick in ticks]),
        sent=np.array([tick.sent for tick in ticks]),
        intervened=np.array([tick.intervened for tick in ticks]),
        reasons=np.array(["+".join(tick.reasons) for tick in ticks]),
        allow_pickle=False,
        **{f"{SCORE}{name}": np.array([tick.scores[name] for tick in ticks]) for name in names},
    )


def _read_ticks(file: Path, episode: int) -> Ticks:
    """The ticks of one episode, as `_save_ticks` left them."""
    with np.load(file, allow_pickle=False) as stored:
        arrays: dict[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
    scores = {name.removeprefix(SCORE): arrays.pop(name) for name in list(arrays) if name.startswith(SCORE)}
    return Ticks(episode=np.full(len(arrays["tick"]), episode), scores=scores, **arrays)


def _annotate(
    run: Run, deployment: Deployment, summary: list[dict[str, Any]], dataset: Path | None, parts: list[Path]
) -> None:
    """Write outcomes, ticks and flight records beside the merged dataset, and hand the notes on.

    Without a dataset all of that was done by a command that was killed afterwards, and the notes are handed on.
    """
    notes: list[dict[str, Any]] = []
    ticks: list[Ticks] = []
    for part in parts:
        found = read_notes(part / NOTES)
        for note, file in zip(found, sorted((part / TICKS).glob("*.npz")), strict=False):
            ticks.append(_read_ticks(file, len(notes)))
            notes.append(note)
    outcomes = [_outcome(number, note, run.station.fps) for number, note in enumerate(notes)]
    joined = Ticks.joined(ticks)
    flights = [file for part in parts for file in sorted((part / FLIGHT).glob("*.npz"))]
    if dataset is not None:
        horizon = next((Horizon(*note["horizon"]) for note in notes if note.get("horizon")), None)
        write_outcomes(dataset, outcomes, replace(deployment, control=run.as_control(horizon)))
        write_ticks(dataset, joined)
        _keep_flights(dataset, flights)
    summary.append(
        {"outcomes": outcomes, "ticks": joined, "notes": notes, "flights": [file.name for file in flights]}
    )


def _outcome(number: int, note: dict[str, Any], fps: int) -> Outcome:
    return replace(
        outcome_of(number, note, fps), ended=note.get("ended", ""), interventions=note.get("changed", {})
    )


def _keep_flights(dataset: Path, files: list[Path]) -> None:
    """Copy flight records beside the dataset."""
    for file in files:
        (dataset / FOLDER / FLIGHT).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, dataset / FOLDER / FLIGHT / file.name)


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
        changed=dict(sum((Counter(note.get("changed", {})) for note in notes), Counter[str]())),
        ended=dict(Counter(note.get("ended", "") for note in notes)),
        alarms=dict(Counter(name for note in notes for name in note.get("alarms", []))),
        flights=tuple(out / FOLDER / FLIGHT / name for name in summary[0]["flights"]),
    )
