"""`regrasp explain NAME`: the page of one check."""

from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="A name from 'regrasp checks'.", metavar="NAME")],
) -> None:
    """Show the page of one check."""
    from rich.console import Console

    from regrasp.diagnosis.runner import read_page
    from regrasp.report.text import print_page

    print_page(name, read_page(name), Console(highlight=False))
