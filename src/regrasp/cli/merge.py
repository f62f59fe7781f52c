"""`regrasp merge A B --into C`."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from regrasp.cli.options import Json


def command(
    datasets: Annotated[
        list[str], typer.Argument(help="Two or more datasets: folders, or ids on the Hub.", metavar="A B ...")
    ],
    into: Annotated[Path, typer.Option(help="New folder for the dataset made of them.", metavar="C")],
    weights: Annotated[
        str | None,
        typer.Option(
            help="How often a frame of each is drawn in training; 1 each by default.", metavar="1,4"
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask when the parts differ.")] = False,
    as_json: Json = False,
) -> None:
    """Mix datasets after checking that they fit; note which episode came from where."""
    from regrasp.data.new_folder import require_new_folder
    from regrasp.diagnosis.merge_plan import plan_merge

    require_new_folder(into, [Path(name) for name in datasets if Path(name).is_dir()])
    plan = plan_merge(datasets, None if weights is None else _numbers(weights))
    if not as_json:
        for warning in plan.warnings:
            typer.echo(f"warning    {warning.name}: {warning.summary}")
    if plan.warnings and not (yes or as_json or _agreed(into)):
        typer.echo("nothing was written")
        raise typer.Exit(1)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.merging import carry_out

    merged = carry_out(plan, into)
    if as_json:
        from regrasp.report.json import json_text

        typer.echo(json_text(merged))
        return
    for part in merged.parts.parts:
        last = part.first_episode + part.episodes - 1
        weight = "" if part.weight == 1 else f", weight {part.weight:g}"
        typer.echo(f"part       {part.name}: episodes {part.first_episode}-{last}{weight}")
    typer.echo(f"written    {into}: {merged.parts.episodes} episodes")
    typer.echo(f"next: regrasp audit {quote(str(into))}")


def _numbers(text: str) -> list[float]:
    from regrasp.errors import UsageError

    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise UsageError(f"Found the weights {text!r}; expected numbers such as 1,4.") from error


def _agreed(into: Path) -> bool:
    """Ask, where somebody is there to answer."""
    import sys

    return not (sys.stdin.isatty() and sys.stdout.isatty()) or typer.confirm(f"Write {into} all the same?")
