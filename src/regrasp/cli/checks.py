"""`regrasp checks`: the catalogue."""

import typer


def command() -> None:
    """List every defect that can be recognised."""
    from regrasp.diagnosis.runner import check_names, read_page

    width = max(len(name) for name in check_names())
    for name in check_names():
        typer.echo(f"{name:<{width}}  {read_page(name).splitlines()[0]}")
    typer.echo("\n'regrasp explain NAME' shows the page of one.")
