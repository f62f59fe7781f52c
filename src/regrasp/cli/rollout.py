"""`regrasp rollout`."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import (
    ActionSteps,
    Area,
    Cameras,
    Fault,
    Json,
    Seed,
    Size,
    Starts,
    Task,
    TwinTask,
    Workers,
    as_given,
)

if TYPE_CHECKING:
    from regrasp.control.scorers import Goal
    from regrasp.data.station import GoalRegion, Station
    from regrasp.lerobot_bridge.rollout import RolledOut

START_POSE = "start-pose-shift"
"""The check that homing makes good."""


def command(
    checkpoint: Annotated[Path, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")],
    out: Annotated[Path, typer.Option(help="New folder for the rollouts.")],
    station: Annotated[str, typer.Option(help="'twin', or a station.yaml.")] = "twin",
    task: Task = None,
    episodes: Annotated[int, typer.Option(help="How many.")] = 20,
    allow: Annotated[
        list[str] | None, typer.Option(help="Go in spite of this check; may be repeated.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Longest time of an episode.")] = None,
    n_action_steps: ActionSteps = None,
    area: Area = None,
    twin_task: TwinTask = None,
    size: Size = None,
    starts: Starts = None,
    cameras: Cameras = None,
    fault: Fault = None,
    home: Annotated[
        bool | None,
        typer.Option(
            "--home/--no-home",
            help="Drive the arm to a start of the training first. Real arms: yes unless refused; the twin's reset "
            "places its arm: no unless asked for.",
        ),
    ] = None,
    handover: Annotated[
        bool,
        typer.Option(
            "--handover/--no-handover", help="Hand chunks over without a jump; real arms: plan ahead."
        ),
    ] = True,
    rtc: Annotated[
        bool,
        typer.Option(
            "--rtc", help="Real-time chunking by LeRobot, for policies that can (smolvla, pi0): chunks agree."
        ),
    ] = False,
    score: Annotated[
        str | None,
        typer.Option(
            help="Who says how an episode ended: physics (the twin), keys (s and f at the terminal; real arms), or "
            "goal-region (what a fixed camera shows, beside keys)."
        ),
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option(
            help="For goal-region: a camera and left,top,right,bottom in shares of its picture, as "
            "front:0.2,0.1,0.8,0.9; the station's when left out."
        ),
    ] = None,
    goal_from: Annotated[
        Path | None, typer.Option(help="For goal-region: a recording or rollouts whose successes show it.")
    ] = None,
    monitor_from: Annotated[
        Path | None, typer.Option(help="Rollouts whose successes say which scores of the monitor are usual.")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(help="New folder for a clip of each episode, or an .mp4 file for one of all."),
    ] = None,
    seed: Seed = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Run a policy: preflight, then episodes, recorded and scored."""
    import os
    import sys

    from regrasp.cli.deployment import asked, deployed
    from regrasp.cli.keyboard import keyboard
    from regrasp.cli.progress import progress
    from regrasp.cli.twin_options import station_with
    from regrasp.control.monitor import UNCALIBRATED, calibrate
    from regrasp.data.new_folder import recording_folder
    from regrasp.data.rollouts import read_rollouts
    from regrasp.diagnosis.address import Address
    from regrasp.diagnosis.runner import known_checks
    from regrasp.errors import UsageError

    known_checks(allow or ())
    chosen = station_with(
        station, area=area, task=twin_task, size=size, starts=starts, cameras=cameras, fault=fault
    )
    named = as_given(task=task, area=area, twin_task=twin_task, size=size, starts=starts, cameras=cameras, fault=fault,
                     n_action_steps=n_action_steps, seconds=seconds, seed=seed, no_handover=not handover,
                     home=home is True, no_home=home is False, rtc=rtc)  # fmt: skip
    one = deployed(checkpoint, chosen, task)
    found = one.checkpoint
    for name, path in (("out", out), ("video", video)):
        if path is not None and path.exists() and not recording_folder(path).exists():
            raise UsageError(
                f"{path} exists already; expected a new folder. Choose another --{name} or delete it first."
            )
    wanted = scoring(score, chosen, goal, goal_from)
    calibration = UNCALIBRATED
    if monitor_from is not None:
        calibration = calibrate(read_rollouts(monitor_from, video=False))
        for name, reason in calibration.undecided.items():
            print(f"monitor: {name} is not calibrated: {reason}", file=sys.stderr)
    shown = None if wanted is None else learned(wanted)
    homed = found.contract is not None and (not chosen.is_twin if home is None else home)
    if home and not homed:
        raise UsageError(
            f"--home needs the training's start poses, and {checkpoint} has no contract. "
            f"`regrasp contract make {quote(str(checkpoint))} --dataset D` measures one."
        )
    # Homing puts the start pose right, so that it is not in the way.
    allowed = [*(allow or ()), *([START_POSE] if homed else [])]
    address = Address(str(checkpoint), station, str(out), named)
    judged = asked(one, address, allow=allowed, seed=seed, n_action_steps=n_action_steps, handover=handover)
    from regrasp.lerobot_bridge.rollout import rollout

    print(judged, file=sys.stderr)
    if homed:
        print("home: the arm is driven to a start of the training before each episode", file=sys.stderr)
    if not judged.go:
        if json:
            from regrasp.report.json import json_line

            print(json_line({"out": None, "episodes": 0, "preflight": judged.to_json()}))
        raise typer.Exit(1)
    overrides = tuple(name for name in judged.allowed if name in (allow or ()))
    overrides = overrides if found.contract else ("no-contract", *overrides)
    done = succeeded = 0
    real = not chosen.is_twin
    with (
        progress("rolling out") as advance,
        keyboard() if real or score == "keys" else contextlib.nullcontext() as person,
    ):

        def tell(message: dict[str, object]) -> None:
            nonlocal done, succeeded
            done, succeeded = done + 1, succeeded + bool(message["success"])
            advance(done, episodes, f"{succeeded}/{done} succeeded" if message["success"] is not None else "")

        result = rollout(
            checkpoint,
            chosen,
            task=one.instruction,
            episodes=episodes,
            out=out,
            seed=seed,
            seconds=seconds,
            n_action_steps=n_action_steps,
            overrides=overrides,
            called=station,
            options=named,
            workers=workers or os.cpu_count() or 1,
            handover=handover,
            home=homed,
            calibration=calibration,
            rtc=rtc,
            goal=shown,
            person=person,
            tell=tell,
        )
    if video is not None:
        from regrasp.report.clips import write_clips

        write_clips(read_rollouts(out), video, contract=found.contract)
    if json:
        from regrasp.report.json import json_line

        print(json_line(_as_json(result, out, overrides)))
    else:
        for line in _as_text(result, out, video):
            print(line)


def _as_json(result: "RolledOut", out: Path, overrides: Sequence[str]) -> dict[str, object]:
    """What `--json` prints once the episodes are over."""
    from regrasp.stats import Rate

    rate = Rate.of([outcome.success for outcome in result.outcomes])
    loop = {"hz": result.hz, "p99_ms": result.p99_ms, "late_ticks": result.late_ticks}
    return {
        "out": str(out),
        "episodes": len(result.outcomes),
        "successes": rate.k if rate.n else None,
        "wilson95": list(rate.wilson95) if rate.n else None,
        "interventions": [{"kind": kind, "count": count} for kind, count in sorted(result.changed.items())],
        "ended": dict(result.ended),
        "alarms": dict(result.alarms),
        "flights": [str(path) for path in result.flights],
        "loop": {name: None if math.isnan(value) else value for name, value in loop.items()},
        "overrides": list(overrides),
    }


def _as_text(result: "RolledOut", out: Path, video: Path | None) -> Iterator[str]:
    """The same for a person, a line each."""
    from regrasp.stats import Rate

    rate = Rate.of([outcome.success for outcome in result.outcomes])
    yield (
        f"success {rate}"
        if rate.n
        else f"{len(result.outcomes)} episodes, not scored; `regrasp label {quote(str(out))}` sets outcomes"
    )
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(result.changed.items()))
    yield (
        f"{result.interventions} commands were changed by the safety gate{f' ({kinds})' if kinds else ''}; "
        f"a query took {result.p99_ms:.1f} ms (p99)"
    )
    closed = result.ended.get("gate-closed", 0)
    if closed:
        yield f"{closed} episodes ended because the safety gate closed; the arm held its pose"
    for name, count in sorted(result.alarms.items()):
        yield f"monitor: {name} was alarming in {count} episodes"
    if result.flights:
        yield f"the last seconds of {len(result.flights)} episodes are in {result.flights[0].parent}"
    if video is not None:
        yield f"video in {video}"
    yield f"rollouts in {out}"


def scoring(
    score: str | None, station: "Station", goal: str | None, goal_from: Path | None
) -> "GoalRegion | None":
    """What shows the goal; None where physics or a person says how an episode ended.

    Raises:
        UsageError: Nobody of this name can say, or it is not known where to look.
    """
    from regrasp.data.station import parse_goal
    from regrasp.errors import UsageError

    twin = station.is_twin
    known = ("goal-region", "keys", *(["physics"] if twin else []))
    if score is not None and score not in known:
        raise UsageError(f"--score is '{score}'; expected {' or '.join(known)} on station '{station.name}'.")
    if score != "goal-region":
        if goal or goal_from:
            raise UsageError(
                "--goal and --goal-from are for --score goal-region; give that too, or leave them out."
            )
        return None
    region = parse_goal(goal) if goal else station.goal
    if region is None:
        raise UsageError(
            f"--score goal-region needs to know where to look; station '{station.name}' has no goal. Give --goal "
            "front:0.2,0.1,0.8,0.9, or write it into the station file."
        )
    reference = str(goal_from) if goal_from else region.reference or (station.goal and station.goal.reference)
    if not reference:
        raise UsageError(
            "--score goal-region needs pictures of successful ends; give --goal-from with the demonstrations."
        )
    return region.model_copy(update={"reference": reference})


def learned(region: "GoalRegion") -> "Goal":
    """The goal as the reference shows it, and a line about it."""
    import sys

    from regrasp.control.scorers import learn_goal

    found = learn_goal(str(region.reference), region.camera, region.region)
    print(f"goal: learned from {len(found.ends)} successful ends; {100 * found.alike:.1f} % of earlier moments look so",
          file=sys.stderr)  # fmt: skip
    return found
