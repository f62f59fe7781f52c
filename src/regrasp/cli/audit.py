"""`regrasp audit DATASET`: every check that needs only a dataset."""

from typing import Annotated

import typer


def command(
    dataset: Annotated[
        str, typer.Argument(help="A dataset's folder, or its id on the Hub.", metavar="DATASET")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Run these checks alone.", metavar="NAME,NAME", show_default=False)
    ] = None,
    no_video: Annotated[bool, typer.Option("--no-video", help="Decode no pictures.")] = False,
) -> None:
    """Find a dataset's defects."""
    from regrasp.diagnosis.audit import audit

    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    audited = audit(dataset, only=names, video=not no_video)
    if as_json:
        from regrasp.report.json import json_text

        typer.echo(json_text(audited))
    else:
        from rich.console import Console

        from regrasp.report.text import print_audit

        print_audit(audited, Console(highlight=False))
    raise typer.Exit(0 if audited.sound else 1)
