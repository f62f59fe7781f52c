"""`regrasp checks`: the catalogue, on the terminal or as pages."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    pages: Annotated[
        Path | None,
        typer.Option(help="Write the page of each into this folder.", metavar="FOLDER", show_default=False),
    ] = None,
) -> None:
    """List every defect that can be recognised."""
    from regrasp.diagnosis.runner import check_names, read_page

    if pages:
        from regrasp.report.check_pages import write_check_pages

        typer.echo(f"wrote {write_check_pages(pages)}")
        return
    width = max(len(name) for name in check_names())
    for name in check_names():
        typer.echo(f"{name:<{width}}  {read_page(name).splitlines()[0]}")
    typer.echo("\n'regrasp explain NAME' shows the page of one.")
