"""`regrasp record`."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from regrasp.cli.options import Area, Json, Seed, Size, TwinTask, Workers


def command(
    dataset: Annotated[Path, typer.Option(help="New folder for the LeRobot dataset.")],
    episodes: Annotated[int, typer.Option(help="How many demonstrations.")] = 50,
    station: Annotated[str, typer.Option(help="'twin', or a station.yaml.")] = "twin",
    task: Annotated[
        str | None, typer.Option(help="The instruction, exactly as the policy will be given it.")
    ] = None,
    expert: Annotated[bool, typer.Option("--expert", help="Let the twin's expert demonstrate.")] = False,
    area: Area = None,
    twin_task: TwinTask = None,
    size: Size = None,
    seed: Seed = 0,
    workers: Workers = None,
    seconds: Annotated[float, typer.Option(help="By leader: longest time of an episode.")] = 60.0,
    json: Json = False,
) -> None:
    """Record demonstrations: by a leader arm, or by the twin's expert with --expert."""
    import os

    from regrasp.cli.progress import progress
    from regrasp.cli.twin_options import station_with
    from regrasp.errors import UsageError

    chosen = station_with(station, area=area, task=twin_task, size=size)
    task = task or chosen.task
    if not expert:
        if chosen.is_twin:
            raise UsageError(
                f"Station '{station}' is simulated and has no leader arm; add --expert to let the twin demonstrate."
            )
        if chosen.teleop is None:
            raise UsageError(
                f"Station '{station}' has no leader arm; expected `teleop` in its file. `regrasp station init --leader "
                "PORT` writes it."
            )
        if task is None:
            raise UsageError(
                "--task is missing, and the station has none; expected the instruction, exactly as the policy will be "
                "given it."
            )
    if dataset.exists():
        raise UsageError(
            f"{dataset} exists already; expected a new folder. Choose another --dataset or delete it first."
        )
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.recording import record, record_by_leader

    if not expert:
        record_by_leader(chosen, dataset, episodes=episodes, task=task or "", seconds=seconds)
        if json:
            from regrasp.data.dataset import read_dataset
            from regrasp.report.json import json_line

            made = read_dataset(dataset, video=False)
            print(json_line({"dataset": str(dataset), "episodes": len(made.episodes), "frames": made.frames}))
        return
    done = failed = 0
    with progress("recording") as advance:

        def tell(message: dict[str, object]) -> None:
            nonlocal done, failed
            done, failed = done + (not message["failed"]), failed + bool(message["failed"])
            note = f"{failed} failed grasps recorded again" if failed else ""
            advance(done, episodes, note)

        result = record(
            chosen,
            dataset,
            episodes=episodes,
            task=task,
            seed=seed,
            workers=workers or os.cpu_count() or 1,
            tell=tell,
        )
    if json:
        from regrasp.report.json import json_line

        print(json_line({"dataset": str(result.dataset), "episodes": result.episodes, "frames": result.frames,
                            "rerecorded": result.rerecorded}))  # fmt: skip
    else:
        print(f"{result.episodes} episodes, {result.frames} frames in {dataset}")
        if result.rerecorded:
            print(f"{result.rerecorded} failed grasps were recorded again")
        print(f"next: regrasp audit {quote(str(dataset))}")
