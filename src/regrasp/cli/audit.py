"""`regrasp audit DATASET...`: every check that needs only a dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.diagnosis.audit import Audit


def command(
    datasets: Annotated[
        list[str],
        typer.Argument(help="A dataset's folder, or its id on the Hub; or several.", metavar="DATASET"),
    ],
    as_json: Json = False,
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
    ray: Annotated[
        bool,
        typer.Option("--ray", help="Audit on the Ray cluster at RAY_ADDRESS, or on one of this machine."),
    ] = False,
) -> None:
    """Find a dataset's defects, or those of several."""
    from regrasp.diagnosis.audit import audit
    from regrasp.errors import UsageError

    if keep and as_json:
        raise UsageError("--keep and --json both print on stdout; choose one: the JSON has 'keep' in it.")
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    if len(datasets) > 1 or ray:
        if keep or html:
            option = "--keep" if keep else "--html"
            raise UsageError(
                f"Found {option} with {'--ray' if ray else f'{len(datasets)} datasets'}; expected it with one dataset, "
                "audited here. Audit them one by one for that."
            )
        raise typer.Exit(_audit_each(datasets, names, not no_video, as_json, ray))
    (dataset,) = datasets
    audited = audit(dataset, only=names, video=not no_video)
    if keep:
        _print_kept(audited)
    elif as_json:
        from regrasp.report.json import json_text

        typer.echo(json_text(audited))
    else:
        from rich.console import Console

        from regrasp.report.text import print_audit

        print_audit(audited, Console(highlight=False))
    if html:
        from regrasp.report.audit_page import write_audit_page

        typer.echo(f"wrote {write_audit_page(audited, html)}", err=True)
    raise typer.Exit(0 if (audited.kept if keep else audited.sound) else 1)


def _print_kept(audited: "Audit") -> None:
    """The list on stdout, for `--dataset.episodes="$(regrasp audit D --keep)"`; on stderr why the others go."""
    for number, checks in audited.dropped.items():
        typer.echo(f"without episode {number}: {', '.join(checks)}", err=True)
    typer.echo(f"[{', '.join(map(str, audited.kept))}]")


@dataclass(frozen=True)
class _Piece:
    """One dataset to audit, and the terminal that its text is for."""

    dataset: str
    only: Sequence[str] | None
    video: bool
    width: int
    colour: bool


@dataclass(frozen=True)
class _Told:
    """What came of it; `error` where it could not be audited."""

    audit: dict[str, Any] | None = None
    text: str = ""
    sound: bool = True
    error: str = ""


def _audit_each(
    datasets: Sequence[str], only: Sequence[str] | None, video: bool, as_json: bool, ray: bool
) -> int:
    """Audit them all; gives the exit code: 2 where one could not be audited, though the others were."""
    import json

    from rich.console import Console

    from regrasp.diagnosis.runner import known_checks
    from regrasp.fan_out import fan_out

    known_checks(only or ())
    console = Console(highlight=False)
    pieces = [_Piece(one, only, video, console.width, console.is_terminal) for one in datasets]
    done: list[_Told] = []
    with fan_out(ray=ray) as each:
        for piece, told in zip(pieces, each(_audit_piece, pieces), strict=True):
            done.append(told)
            if told.error:
                typer.echo(f"error: {piece.dataset}: {told.error}", err=True)
            elif not as_json:
                typer.echo(told.text)
    if as_json:
        typer.echo(json.dumps(_as_json(datasets, done), indent=2, ensure_ascii=False, allow_nan=False))
    if any(told.error for told in done):
        return 2
    return 0 if all(told.sound for told in done) else 1


def _as_json(datasets: Sequence[str], done: Sequence[_Told]) -> dict[str, Any]:
    """One audit as `audit` prints it; several in a list, with those that could not be read."""
    if len(done) == 1 and done[0].audit is not None:
        return done[0].audit
    return {
        "audits": [told.audit for told in done if told.audit is not None],
        "unreadable": [
            {"dataset": dataset, "error": told.error}
            for dataset, told in zip(datasets, done, strict=True)
            if told.error
        ],
    }


def _audit_piece(piece: _Piece) -> _Told:
    """The audit of one dataset as values that travel between processes."""
    import io

    from rich.console import Console

    from regrasp.diagnosis.audit import audit
    from regrasp.errors import RegraspError
    from regrasp.report.text import print_audit

    try:
        audited = audit(piece.dataset, only=piece.only, video=piece.video)
    except RegraspError as error:
        return _Told(error=str(error))
    text = io.StringIO()
    print_audit(audited, Console(file=text, highlight=False, width=piece.width, force_terminal=piece.colour))
    return _Told(audited.to_json(), text.getvalue(), audited.sound)
