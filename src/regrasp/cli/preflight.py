"""`regrasp preflight`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    checkpoint: Annotated[Path, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")],
    station: Annotated[str, typer.Option(help="'twin', or a station.yaml.")] = "twin",
    task: Annotated[str | None, typer.Option(help="The instruction; the contract's when it has one.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="Pass over this check; may be repeated.")] = None,
    area: Annotated[str | None, typer.Option(help="Twin: where the object may lie, 2in or 6in.")] = None,
    size: Annotated[int | None, typer.Option(help="Twin: width and height of the pictures.")] = None,
    starts: Annotated[str | None, typer.Option(help="Twin: home or scattered.")] = None,
    cameras: Annotated[str | None, typer.Option(help="Plugs exchanged: front=wrist,wrist=front.")] = None,
    seed: Annotated[int, typer.Option(help="Twin: which start it shows.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Compare the contract with the live station; nothing moves."""
    from regrasp.cli.instruction import the_instruction
    from regrasp.cli.twin_options import station_with
    from regrasp.data.checkpoint import require_fit
    from regrasp.data.contract import read_contract
    from regrasp.diagnosis.preflight import preflight
    from regrasp.diagnosis.ranking import Address

    contract = read_contract(checkpoint)
    chosen = station_with(station, area=area, size=size, starts=starts, cameras=cameras)
    require_fit(contract, chosen)
    instruction = the_instruction(contract, task or chosen.task)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.rollout import look

    given = {"area": area, "size": str(size) if size else None, "starts": starts, "cameras": cameras}
    options = {name: value for name, value in given.items() if value}
    judged = preflight(
        contract,
        look(chosen, instruction, seed=seed),
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
