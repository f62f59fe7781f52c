"""`regrasp coverage DATASET`: where demonstrations lie, what is thin, and what to record next."""

from pathlib import Path
from typing import Annotated

import typer

from regrasp.cli.options import Json


def command(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A folder of demonstrations or rollouts, or an id on the Hub.", metavar="DATASET"
        ),
    ],
    as_json: Json = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with the map.", metavar="FILE", show_default=False)
    ] = None,
    next_episodes: Annotated[
        int, typer.Option("--next", help="How many episodes to propose.", min=0, max=1000)
    ] = 5,
    area: Annotated[
        str | None,
        typer.Option(
            help="Side of the square to cover, such as 2in, 6in or 20cm; else what the recorded places span.",
            show_default=False,
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(
            help="Middle of that square in metres from the base, x ahead and y to the arm's left.",
            metavar="X,Y",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show where demonstrations start and grasp, what is thin, and what to record next."""
    from regrasp.diagnosis.coverage import coverage

    covered = coverage(dataset, area=area, centre=_point(centre, area), next_episodes=next_episodes)
    if html is not None:
        from regrasp.report.coverage_page import write_coverage_page

        write_coverage_page(covered, html)
    if as_json:
        from regrasp.report.json import json_text

        typer.echo(json_text(covered))
        return
    from rich.console import Console

    from regrasp.report.coverage_text import print_coverage

    print_coverage(covered, Console(highlight=False))
    if html is not None:
        typer.echo(f"\nThe map is in {html}.")


def _point(centre: str | None, area: str | None) -> tuple[float, float] | None:
    """Two numbers; they make sense beside `--area` alone."""
    from regrasp.errors import UsageError

    if centre is None:
        return None
    if area is None:
        raise UsageError(
            "Found --centre without --area; expected both; add the side of the square, --area 6in."
        )
    try:
        x, y = (float(part) for part in centre.split(","))
    except ValueError:
        raise UsageError(
            f"Found --centre '{centre}'; expected two numbers in metres; try --centre 0.23,0."
        ) from None
    return x, y
