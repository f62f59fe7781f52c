"""`regrasp select RUN`: which checkpoint of a training to keep."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regrasp.cli.options import ActionSteps, Area, Json, Size, Starts, Task, TwinTask

if TYPE_CHECKING:
    from regrasp.data.selection import Selection
    from regrasp.data.station import Station


def command(
    run: Annotated[Path, typer.Argument(help="Folder of the run.", metavar="RUN")],
    station: Annotated[
        str, typer.Option(help="Where the checkpoints are tried: 'twin', or a file of it.")
    ] = "twin",
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Try nothing: choose by the errors on held-out episodes.")
    ] = False,
    episodes: Annotated[int, typer.Option(help="Starts that the finalists meet, each the same.")] = 60,
    task: Task = None,
    n_action_steps: ActionSteps = None,
    area: Area = None,
    twin_task: TwinTask = None,
    size: Size = None,
    starts: Starts = None,
    home: Annotated[
        bool, typer.Option("--home/--no-home", help="Drive the arm to a start of the training first.")
    ] = False,
    handover: Annotated[
        bool, typer.Option("--handover/--no-handover", help="Hand chunks over without a jump.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the starts.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes that run side by side.")] = None,
    ray: Annotated[
        bool, typer.Option("--ray", help="Run on the Ray cluster at RAY_ADDRESS, or on one of this machine.")
    ] = False,
    json: Json = False,
) -> None:
    """Choose the checkpoint of a run that succeeds most often on the twin, and let `best` point at it.

    All checkpoints meet the same starts, the better ones more of them. Task, area, size and starts of the twin are those
    of the demonstrations unless they are given. The same command goes on where it was stopped.
    """
    from regrasp.cli.twin_options import station_of
    from regrasp.data.selection import checkpoints_of

    checkpoints_of(run)  # says that there are none before anything else is asked of them
    where = station_of(run, station, area=area, task=twin_task, size=size, starts=starts)
    chosen = choose(
        run,
        None if held_out else where,
        task=task,
        starts=episodes,
        seed=seed,
        n_action_steps=n_action_steps,
        home=home,
        handover=handover,
        workers=workers,
        ray=ray,
    )
    page = write_page(run, chosen)
    if json:
        from regrasp.report.json import json_line

        print(json_line({**told_json(run, chosen), "page": page and str(page)}))
        return
    print_selection(run, chosen)
    if page:
        print(f"curves: {page}")
    fresh = f" --seed {seed + 1}" if chosen.by == "closed-loop" else ""
    print(
        f"next: regrasp rollout {quote(str(run))} --station {station_for(run, station)}{fresh} --episodes 20 --out NEW"
    )


def choose(
    run: Path,
    station: "Station | None",
    *,
    task: str | None = None,
    workers: int | None = None,
    ray: bool = False,
    **settings: Any,
) -> "Selection":
    """The choice, made on the station where it is the twin, else by held-out errors; progress on stderr.

    Raises:
        CheckpointError: There is no checkpoint, or nothing tells them apart.
    """
    import os

    from regrasp.cli.instruction import the_instruction
    from regrasp.cli.progress import progress
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.selection import checkpoints_of
    from regrasp.fan_out import require_ray
    from regrasp.lerobot_bridge.quiet import prepare_environment

    folders = checkpoints_of(run)
    if ray:
        require_ray()
    instruction = ""
    if station is not None and station.robot_type == "so101_twin":
        last = read_checkpoint(folders[max(folders)])
        instruction = the_instruction(last.contract, task or station.task)
    prepare_environment()
    from regrasp.lerobot_bridge.selecting import select

    with progress("trying") as advance:
        return select(
            run,
            station,
            task=instruction,
            workers=workers or os.cpu_count() or 1,
            ray=ray,
            advance=advance,
            **settings,
        )


def station_for(run: Path, station: str = "twin") -> str:
    """The station to name in a command, quoted for a shell.

    The twin is named with the options that it recorded the data of the run with, and not for a policy of a real arm.
    """
    from regrasp.cli.twin_options import recorded_with, typed
    from regrasp.data.checkpoint import read_checkpoint

    if station != "twin":
        return quote(station)
    contract = read_checkpoint(run).contract
    real = contract is not None and contract.robot_type is not None and not contract.is_twin
    return "station.yaml" if real else "twin" + typed(recorded_with(run))


def write_page(run: Path, chosen: "Selection") -> Path | None:
    """The page of the training, with the choice on it; None for a run without a journal."""
    from regrasp.data.journal import read_journal
    from regrasp.report.training_page import write_training_page

    journal = read_journal(run)
    return journal and write_training_page(journal, run / "training.html", chosen)


def told_json(run: Path, chosen: "Selection") -> dict[str, Any]:
    """The choice as plain values."""
    from regrasp.data.checkpoint import BEST, MODEL_FOLDER
    from regrasp.data.links import pointed
    from regrasp.stats import Rate

    best = run / "checkpoints" / BEST

    def rate(successes: int | None, starts: int) -> dict[str, object] | None:
        return None if successes is None else Rate(successes, starts).to_json()

    told = chosen.model_dump(mode="json", include={"by", "step", "headline", "lines", "warnings", "settings"})
    pairs = {name: one and one.model_dump(mode="json") for name, one in
             (("against_last", chosen.against_last), ("against_runner_up", chosen.against_runner_up))}  # fmt: skip
    return {
        "run": str(run),
        "checkpoint": str((best if best.is_dir() else pointed(best)) / MODEL_FOLDER),
        **told,
        "success": rate(chosen.chosen.successes, chosen.chosen.starts),
        **pairs,
        "tried": [
            {
                "step": one.step,
                "success": rate(one.successes, one.starts),
                "held_out_error": one.held_out_error,
            }
            for one in chosen.tried
        ],
    }


def print_selection(run: Path, chosen: "Selection") -> None:
    """The choice for a person: which, how sure, against what."""
    from regrasp.data.checkpoint import BEST

    print(f"best: step {chosen.step}, {chosen.headline}")
    for line in (*chosen.lines, *(f"warning: {text}" for text in chosen.warnings)):
        print(f"  {line}")
    for one in chosen.tried:
        print(f"  {one.step:>8}  {_figures(one.successes, one.starts, one.held_out_error)}")
    print(f"{run / 'checkpoints' / BEST} points at it, and {run} stands for it from now on")


def _figures(successes: int | None, starts: int, held_out_error: float | None) -> str:
    from regrasp.stats import Rate

    parts = [] if successes is None else [f"{Rate(successes, starts)}"]
    parts += [] if held_out_error is None else [f"held-out error {held_out_error:.3g}"]
    return ", ".join(parts)
