"""`regrasp audit DATASET`: every check that needs only a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regrasp.diagnosis.audit import Audit


def command(
    dataset: Annotated[
        str, typer.Argument(help="A dataset's folder, or its id on the Hub.", metavar="DATASET")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Run these checks alone.", metavar="NAME,NAME", show_default=False)
    ] = None,
    no_video: Annotated[bool, typer.Option("--no-video", help="Decode no pictures.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write the report as a page too.", metavar="FILE", show_default=False)
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Print only the episodes to pass to --dataset.episodes.")
    ] = False,
) -> None:
    """Find a dataset's defects."""
    from regrasp.diagnosis.audit import audit
    from regrasp.errors import UsageError

    if keep and as_json:
        raise UsageError("--keep and --json both print on stdout; choose one: the JSON has 'keep' in it.")
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    audited = audit(dataset, only=names, video=not no_video)
    if html:
        from regrasp.report.audit_page import write_audit_page

        typer.echo(f"wrote {write_audit_page(audited, html)}", err=True)
    if keep:
        _print_kept(audited)
        raise typer.Exit(0 if audited.kept else 1)
    if as_json:
        from regrasp.report.json import json_text

        typer.echo(json_text(audited))
    else:
        from rich.console import Console

        from regrasp.report.text import print_audit

        print_audit(audited, Console(highlight=False))
    raise typer.Exit(0 if audited.sound else 1)


def _print_kept(audited: "Audit") -> None:
    """The list on stdout, for `--dataset.episodes="$(regrasp audit D --keep)"`; on stderr why the others go."""
    for number, checks in audited.dropped.items():
        typer.echo(f"without episode {number}: {', '.join(checks)}", err=True)
    typer.echo(f"[{', '.join(map(str, audited.kept))}]")
