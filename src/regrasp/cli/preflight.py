"""`regrasp preflight`."""

from pathlib import Path
from typing import Annotated

import typer

from regrasp.cli.options import ActionSteps, Area, Cameras, Fault, Json, Seed, Size, Starts, as_given


def command(
    checkpoint: Annotated[Path, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")],
    station: Annotated[str, typer.Option(help="'twin', or a station.yaml.")] = "twin",
    task: Annotated[str | None, typer.Option(help="The instruction; the contract's when it has one.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="Pass over this check; may be repeated.")] = None,
    n_action_steps: ActionSteps = None,
    area: Area = None,
    size: Size = None,
    starts: Starts = None,
    cameras: Cameras = None,
    fault: Fault = None,
    handover: Annotated[
        bool, typer.Option("--handover/--no-handover", help="As in rollout: real arms plan ahead.")
    ] = True,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare the contract with the live station; nothing moves."""
    from regrasp.cli.deployment import asked, deployed
    from regrasp.cli.twin_options import station_with
    from regrasp.diagnosis.address import Address
    from regrasp.diagnosis.runner import known_checks

    known_checks(allow or ())
    chosen = station_with(station, area=area, size=size, starts=starts, cameras=cameras, fault=fault)
    one = deployed(checkpoint, chosen, task)
    options = as_given(task=task, area=area, size=size, starts=starts, cameras=cameras, fault=fault,
                       n_action_steps=n_action_steps, seed=seed, no_handover=not handover)  # fmt: skip
    address = Address(str(checkpoint), station, options=options)
    judged = asked(
        one, address, allow=allow or (), seed=seed, n_action_steps=n_action_steps, handover=handover
    )
    if json:
        from regrasp.report.json import json_line

        print(json_line(judged.to_json()))
    else:
        print(judged)
    if not judged.go:
        raise typer.Exit(1)
