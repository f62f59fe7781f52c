"""`regrasp train`: LeRobot's training to a plan, resumed exactly where it was stopped."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.cli.choosing import Wanted
    from regrasp.data.selection import Selection
    from regrasp.data.station import Station
    from regrasp.lerobot_bridge.training import Progress, Trained

RESUMING = {"resume", "dataset", "steps", "cache", "select_on", "area", "ray", "json", "options"}
"""What may be given when a run goes on."""


def command(
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Argument(help="LeRobot dataset to learn from.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the run.", show_default=False)] = None,
    policy: Annotated[
        str,
        typer.Option(
            help="keypoint (two cores, minutes), act, smolvla, ... or a checkpoint to train further."
        ),
    ] = "keypoint",
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the data, instead of the plan's.", show_default=False)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps to take, instead of --epochs.", show_default=False)
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Samples per step.", show_default=False)] = None,
    latency_ms: Annotated[
        float | None,
        typer.Option(help="From a picture to the policy's answer, for chunks.", show_default=False),
    ] = None,
    hold_out: Annotated[
        int | None, typer.Option(help="Episodes not to train on, but to ask about.", show_default=False)
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with the run in this folder; with --steps, to so many steps.", show_default=False
        ),
    ] = None,
    new_statistics: Annotated[
        bool, typer.Option("--new-statistics", help="Normalise a checkpoint anew when training it further.")
    ] = False,
    augment: Annotated[
        str,
        typer.Option(
            help="Change pictures while training: light, colour, blur, noise, shift, crop, dropout, each with a "
            "camera before and a strength behind it if you like.",
            metavar="light,front:shift=0.5",
            show_default=False,
        ),
    ] = "",
    station: Annotated[
        str | None,
        typer.Option(
            help="Station whose policy_names say what a policy from elsewhere calls the cameras.",
            show_default=False,
        ),
    ] = None,
    select_on: Annotated[
        str | None,
        typer.Option(
            help="What chooses the checkpoint that `best` points at: twin (or a file of it) by success in closed loop, "
            "held-out by the errors on held-out episodes, or none.",
            metavar="twin|held-out|none",
            show_default="twin for data of the twin, else held-out",
        ),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option(help="With --select-on twin: where the object may lie.", show_default="as in the data"),
    ] = None,
    ray: Annotated[
        bool, typer.Option("--ray", help="With --select-on twin: try checkpoints on a Ray cluster.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of initialisation and shuffling.")] = 1000,
    cache: Annotated[
        bool,
        typer.Option("--cache/--no-cache", help="Decode frames once, into files, or for each sample anew."),
    ] = True,
    json: Json = False,
    options: Annotated[
        list[str] | None, typer.Argument(help="After `--`: any option of lerobot-train, as --name=value.")
    ] = None,
) -> None:
    """Train a policy with LeRobot to the plan of `regrasp plan`, and write its contract beside each checkpoint.

    At the end a checkpoint is chosen; `regrasp select RUN` chooses with more settings.
    """
    from regrasp.cli.choosing import Wanted, choose_at_the_end, write_page
    from regrasp.cli.chosen import say_which
    from regrasp.errors import RegraspError, UsageError

    dataset, passed = _parted(dataset, options or [])
    _require_one(dataset, out, resume)
    if resume is not None:
        _require_of_resuming(context)
        passed = [*passed, *([f"--steps={steps}"] if steps is not None else [])]
    wanted = Wanted(select_on, area, ray)
    wanted.require_possible()
    if dataset is not None:
        from regrasp.data.dataset import read_dataset

        read_dataset(dataset, video=False)  # says what is wrong with it before ten seconds of imports
    say_which(policy if resume is None else None)
    known = _station(station)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.processes import is_first

    run = resume or out or Path()
    try:
        if resume is not None:
            result = _resume(resume, dataset, cache, passed)
        else:
            settings = {"policy": policy, "epochs": epochs, "steps": steps, "batch": batch, "seed": seed,
                        "latency_ms": latency_ms, "hold_out": hold_out, "new_statistics": new_statistics,
                        "cache": cache, "augment": augment, "station": known}  # fmt: skip
            result = _train(dataset or "", run, settings, passed)
    except (KeyboardInterrupt, RegraspError) as error:
        if not isinstance(error, UsageError):
            _say_how_to_go_on(run, wanted)
        raise
    if not is_first():
        return
    chosen = choose_at_the_end(run, wanted)
    page = write_page(run, chosen)
    _print_json(result, page, chosen) if json else _print(result, page, chosen, wanted)


def _station(name: str | None) -> "Station | None":
    if name is None:
        return None
    from regrasp.data.station import load_station

    return load_station(name)


def _parted(dataset: str | None, options: list[str]) -> tuple[str | None, list[str]]:
    """Without a dataset, the first of LeRobot's options stands in its place."""
    if dataset is not None and dataset.startswith("--"):
        return None, [dataset, *options]
    return dataset, options


def _require_one(dataset: str | None, out: Path | None, resume: Path | None) -> None:
    """A new run needs data and a folder; one that goes on needs neither."""
    from regrasp.errors import UsageError

    if resume is not None and out is not None:
        raise UsageError(
            "Found both --resume and --out; expected one of them: a resumed run stays in its folder."
        )
    if resume is None and (dataset is None or out is None):
        missing = "a dataset" if dataset is None else "--out"
        raise UsageError(
            f"Found no {missing.removeprefix('a ')}; expected {missing}: regrasp train DATASET --out NEW, or "
            "regrasp train --resume RUN."
        )


def _require_of_resuming(context: typer.Context) -> None:
    """Refuse what a run that goes on has settled when it began."""
    from regrasp.errors import UsageError

    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name not in RESUMING:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"Found {option} with --resume; a run that goes on keeps what it began with. Give --steps N to take "
                "more steps, or train anew with --policy RUN."
            )


def _train(dataset: str, out: Path, settings: dict[str, Any], passed: Sequence[str]) -> "Trained":
    from regrasp.lerobot_bridge.training import train

    with _told() as told:
        return train(dataset, out, **settings, options=passed, progress=told)


def _resume(run: Path, dataset: str | None, cache: bool, passed: Sequence[str]) -> "Trained":
    from regrasp.lerobot_bridge.training import resume

    with _told() as told:
        return resume(run, dataset=dataset, cache=cache, options=passed, progress=told)


@contextmanager
def _told() -> "Generator[Progress]":
    """Bars and notes on stderr; nothing from the other ones of several processes."""
    from regrasp.cli.progress import progress, stderr_console
    from regrasp.lerobot_bridge.processes import is_first
    from regrasp.lerobot_bridge.training import Progress

    if not is_first():
        yield Progress()
        return
    with progress("decoding") as decoding, progress("training") as training:
        yield Progress(on_decode=decoding, on_step=training, on_note=stderr_console().print)


def _say_how_to_go_on(run: Path, wanted: "Wanted") -> None:
    """Where a run was stopped, the command that goes on with it."""
    from regrasp.data.journal import JOURNAL_FILE

    if (run / JOURNAL_FILE).exists():
        print(f"go on with: regrasp train --resume {quote(str(run))}{wanted.words()}", file=sys.stderr)


def _print_json(result: "Trained", page: Path | None, chosen: "Selection | None") -> None:
    from regrasp.cli.choosing import told_json
    from regrasp.diagnosis.judgement import judge
    from regrasp.report.json import json_line

    told = {
        "checkpoint": str(result.checkpoint),
        "steps": result.steps,
        "epochs": result.epochs,
        "losses": result.losses,
        "held_out": result.journal.held_out,
        **judge(result.journal).to_json(),
        "notes": result.journal.notes,
        "selection": chosen and told_json(result.run, chosen),
        "page": page and str(page),
    }
    print(json_line(told))


def _print(result: "Trained", page: Path | None, chosen: "Selection | None", wanted: "Wanted") -> None:
    from regrasp.cli.choosing import next_rollout, print_selection
    from regrasp.diagnosis.judgement import judge

    loss = f", loss {result.losses[-1][1]:.3f}" if result.losses else ""
    print(f"{result.steps} steps, {result.epochs:.2f} epochs{_passes(result)}{loss}: {result.checkpoint}")
    for line in (*result.journal.plan.get("warnings", ()), *result.journal.notes):
        print(line)
    verdict = judge(result.journal)
    print(verdict.headline)
    for line in verdict.lines:
        print(f"  {line}")
    if chosen is not None:
        print_selection(result.run, chosen)
    print(f"curves: {page}")
    print(f"next: {next_rollout(result.run, chosen, *wanted.where(result.run))}")


def _passes(result: "Trained") -> str:
    """Where episodes were held out, how often the others were shown: the plan's epochs count all frames."""
    passes = result.contract.epochs
    if passes is None or round(passes, 2) == round(result.epochs, 2):
        return ""
    return f" ({passes:.2f} of the episodes that it learned from, as its contract counts)"
