"""`regrasp select RUN`: which checkpoint of a training to keep."""

from pathlib import Path
from typing import Annotated

import typer

from regrasp.cli.options import ActionSteps, Area, Json, Seed, Size, Starts, Task, TwinTask, Workers


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
    seed: Seed = 0,
    workers: Workers = None,
    ray: Annotated[
        bool, typer.Option("--ray", help="Run on the Ray cluster at RAY_ADDRESS, or on one of this machine.")
    ] = False,
    json: Json = False,
) -> None:
    """Choose the checkpoint of a run that succeeds most often on the twin, and let `best` point at it.

    All checkpoints meet the same starts, the better ones more of them. Task, area, size and starts of the twin are those
    of the demonstrations unless they are given. The same command goes on where it was stopped.
    """
    from regrasp.cli.choosing import choose, next_rollout, print_selection, told_json, write_page
    from regrasp.cli.twin_options import options_of, station_with
    from regrasp.data.selection import checkpoints_of
    from regrasp.data.station import TwinOptions

    checkpoints_of(run)  # says that there are none before anything else is asked of them
    options = options_of(run, station, TwinOptions(area=area, task=twin_task, size=size, starts=starts))
    where = station_with(station, **vars(options))
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
    print(f"next: {next_rollout(run, chosen, station, options)}")
