"""`regrasp train`: LeRobot's training to a plan, resumed exactly where it was stopped."""

import shlex
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.data.selection import Selection
    from regrasp.data.station import Station
    from regrasp.lerobot_bridge.training import Progress, Trained

RESUMING = {"resume", "dataset", "steps", "cache", "select_on", "area", "ray", "json", "options"}
"""What may be given when a run goes on."""

HELD_OUT, NONE, TWIN = "held-out", "none", "twin"
"""Values of `--select-on`, besides a file of the twin."""


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
    seed: Annotated[int, typer.Option(help="Of initialisation and shuffling.")] = 1000,
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
    from regrasp.cli.chosen import say_which
    from regrasp.errors import RegraspError, UsageError

    dataset, passed = _parted(dataset, options or [])
    _require_one(dataset, out, resume)
    if resume is not None:
        _require_of_resuming(context)
        passed = [*passed, *([f"--steps={steps}"] if steps is not None else [])]
    chooser = select_on or (TWIN if _recorded_on_twin(dataset, resume) else HELD_OUT)
    _require_judge(chooser, area, ray)
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
            _say_how_to_go_on(run)
        raise
    if not is_first():
        return
    chosen = _choose(run, chooser, area, ray, asked=select_on is not None)
    page = _write_page(result, chosen)
    _print_json(result, page, chosen) if json else _print(result, page, chosen)


def _station(name: str | None) -> "Station | None":
    if name is None:
        return None
    from regrasp.data.station import load_station

    return load_station(name)


def _recorded_on_twin(dataset: str | None, resume: Path | None) -> bool:
    """Whether the simulated arm recorded the demonstrations; what is wrong with them is said before the imports."""
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.dataset import read_dataset
    from regrasp.errors import RegraspError

    if dataset is not None:
        found = read_dataset(dataset, video=False)
        if resume is None:
            return found.robot_type == "so101_twin"
    try:
        contract = None if resume is None else read_checkpoint(resume).contract
    except RegraspError:  # the training will say so
        return False
    return contract is not None and contract.is_twin


def _can_judge(run: Path) -> bool:
    """Whether the twin knows when what was demonstrated has succeeded."""
    from regrasp.cli.twin_options import recorded_with

    return recorded_with(run).task is not None


def _require_judge(chooser: str, area: str | None, ray: bool) -> None:
    """Say what is wrong with the station on which checkpoints are tried, before the training."""
    from regrasp.errors import UsageError

    if chooser in (HELD_OUT, NONE):
        if area is not None or ray:
            option = "--ray" if ray else "--area"
            raise UsageError(
                f"Found {option} with --select-on {chooser}; expected it with --select-on twin, where checkpoints are "
                "tried."
            )
        return
    from regrasp.cli.twin_options import station_with
    from regrasp.fan_out import require_ray

    if ray:
        require_ray()
    station_with(chooser, area=area)


def _choose(run: Path, chooser: str, area: str | None, ray: bool, *, asked: bool) -> "Selection | None":
    """The checkpoint to keep; None, with the reason on stderr, where nothing tells them apart.

    A choice in closed loop is not replaced by one of held-out errors: a training that went on has taken it away. One that
    was not `asked` for gives way to held-out errors where it cannot be made.
    """
    from regrasp.cli.select import choose
    from regrasp.cli.twin_options import station_of
    from regrasp.data.selection import read_selection
    from regrasp.errors import RegraspError

    if chooser == NONE:
        return None
    if not asked and not _can_judge(run):
        chooser = HELD_OUT
    try:
        before = read_selection(run)
        if chooser == HELD_OUT and before is not None and before.by == "closed-loop":
            return before
        station = None if chooser == HELD_OUT else station_of(run, chooser, area=area)
        return choose(run, station, ray=ray)
    except KeyboardInterrupt:
        words = ["--select-on", chooser, *(["--area", area] if area else []), *(["--ray"] if ray else [])]
        print(
            f"trained; go on choosing with: regrasp train --resume {quote(str(run))} {shlex.join(words)}",
            file=sys.stderr,
        )
        raise
    except RegraspError as error:
        if chooser == HELD_OUT or asked:
            print(f"no checkpoint was chosen: {error}", file=sys.stderr)
            return None
        print(f"no checkpoint was tried on the twin: {error}", file=sys.stderr)
        return _choose(run, HELD_OUT, None, False, asked=True)


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


def _say_how_to_go_on(run: Path) -> None:
    """Where a run was stopped, the command that goes on with it."""
    if (run / "training.json").exists():
        print(f"go on with: regrasp train --resume {quote(str(run))}", file=sys.stderr)


def _write_page(result: "Trained", chosen: "Selection | None") -> Path:
    """The curves as a page in the run's folder."""
    from regrasp.report.training_page import write_training_page

    return write_training_page(result.journal, result.run / "training.html", chosen)


def _print_json(result: "Trained", page: Path, chosen: "Selection | None") -> None:
    from regrasp.cli.select import told_json
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
        "page": str(page),
    }
    print(json_line(told))


def _print(result: "Trained", page: Path, chosen: "Selection | None") -> None:
    from regrasp.cli.select import print_selection, station_for
    from regrasp.diagnosis.judgement import judge

    loss = f", loss {result.losses[-1][1]:.3f}" if result.losses else ""
    print(f"{result.steps} steps, {result.epochs:.2f} epochs{loss}: {result.checkpoint}")
    for line in (*result.journal.plan.get("warnings", ()), *result.journal.notes):
        print(line)
    verdict = judge(result.journal)
    print(verdict.headline)
    for line in verdict.lines:
        print(f"  {line}")
    if chosen is not None:
        print_selection(result.run, chosen)
    print(f"curves: {page}")
    where = station_for(result.run)
    print(f"next: regrasp rollout {quote(str(result.run))} --station {where} --episodes 20 --out NEW")
