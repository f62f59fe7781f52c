"""`regrasp preflight`."""

from pathlib import Path
from typing import Annotated

import typer

from regrasp.cli.options import ActionSteps, Area, Cameras, Fault, Json, Size, Starts


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
    seed: Annotated[int, typer.Option(help="Twin: which start it shows.")] = 0,
    json: Json = False,
) -> None:
    """Compare the contract with the live station; nothing moves."""
    import sys

    from regrasp.cli.chosen import say_which
    from regrasp.cli.instruction import the_instruction
    from regrasp.cli.twin_options import station_with
    from regrasp.data.checkpoint import read_checkpoint, require_joints
    from regrasp.data.recovery import known_contract
    from regrasp.diagnosis.address import Address
    from regrasp.diagnosis.preflight import preflight
    from regrasp.diagnosis.runner import known_checks

    known_checks(allow or ())
    found = read_checkpoint(checkpoint)
    say_which(checkpoint)
    chosen = station_with(station, area=area, size=size, starts=starts, cameras=cameras, fault=fault)
    require_joints(found.contract or found, chosen)
    contract = known_contract(found)
    if contract.recovered:
        print(f"no contract beside this checkpoint: what its own files tell is used; `regrasp contract make {checkpoint} "
              "--dataset D` measures one", file=sys.stderr)  # fmt: skip
    instruction = the_instruction(contract, task or chosen.task)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.live_view import look

    given = {
        "area": area,
        "size": str(size) if size else None,
        "starts": starts,
        "cameras": cameras,
        "fault": fault,
        "n-action-steps": str(n_action_steps) if n_action_steps else None,
    }
    options = {name: value for name, value in given.items() if value}
    judged = preflight(
        contract,
        look(
            chosen,
            instruction,
            seed=seed,
            checkpoint=found.path,
            n_action_steps=n_action_steps,
            ahead=handover,
        ),
        checkpoint=found,
        allow=allow or (),
        address=Address(str(checkpoint), station, options=options),
    )
    if json:
        import json as writer

        print(writer.dumps(judged.to_json()))
    else:
        print(judged)
    if not judged.go:
        raise typer.Exit(1)
