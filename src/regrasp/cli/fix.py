"""`regrasp fix DATASET --into NEW [NAME ...]`."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.diagnosis.finding import Finding
    from regrasp.diagnosis.repair_plan import RepairPlan
    from regrasp.lerobot_bridge.editing import Fixed


def command(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A dataset's folder, or its id on the Hub; with --train, a checkpoint.", metavar="DATASET"
        ),
    ],
    into: Annotated[Path, typer.Option(help="New folder for the repaired copy.", metavar="NEW")],
    train: Annotated[
        str | None,
        typer.Option(
            help="Of a checkpoint: the data it was trained on, to put its statistics right.", metavar="D"
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Put right what these checks find; all by default.", metavar="[NAME ...]"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Put right what needs no judgement, on a copy; show first what is done.

    With --train, the copy is one of a checkpoint, and normalises with the statistics that it was trained with.
    """
    if train is not None:
        if names:
            from regrasp.errors import UsageError

            raise UsageError(
                f"Found '{names[0]}' with --train; of a checkpoint its statistics alone are put right. Leave the names "
                "out."
            )
        _restore(dataset, train, into, as_json=as_json, dry_run=dry_run, ask=not (yes or as_json))
        return
    from regrasp.data import read_dataset
    from regrasp.data.new_folder import require_new_folder
    from regrasp.diagnosis.fix import require_v3
    from regrasp.diagnosis.repair_plan import plan_repairs

    read = read_dataset(dataset)
    require_new_folder(into, [read.path])
    plan = plan_repairs(read, names)
    if not as_json:
        _print_plan(plan)
    if not plan.steps or dry_run:
        if as_json:
            typer.echo(_json(plan))
        raise typer.Exit(1 if plan.steps else 0)
    require_v3(read)
    if not (yes or as_json or _agreed(into)):
        typer.echo("nothing was written")
        raise typer.Exit(1)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.editing import carry_out

    fixed = carry_out(plan, into, names=names)
    if as_json:
        typer.echo(_json(plan, fixed))
    else:
        _print_outcome(fixed)
    raise typer.Exit(0 if fixed.done else 1)


def _restore(checkpoint: str, train: str, into: Path, *, as_json: bool, dry_run: bool, ask: bool) -> None:
    """A checkpoint's statistics; exit code 1 where a dry run finds some to exchange."""
    import json

    from regrasp.cli.chosen import say_which
    from regrasp.data import read_dataset
    from regrasp.data.checkpoint import pretrained_folder
    from regrasp.data.new_folder import require_new_folder
    from regrasp.data.normaliser import plan_restoring, restore

    require_new_folder(into, [pretrained_folder(checkpoint)])
    say_which(checkpoint)
    plan = plan_restoring(checkpoint, read_dataset(train, video=False))
    if not as_json:
        for change in plan.changes:
            typer.echo(f"will fix   {change}")
    doing = bool(plan.changes) and not dry_run
    if doing and ask and not _agreed(into):
        typer.echo("nothing was written")
        raise typer.Exit(1)
    written = restore(plan, into) if doing else None
    if as_json:
        typer.echo(json.dumps({**plan.to_json(), "into": None if written is None else str(into)}, indent=2))
    else:
        if not plan.changes:
            typer.echo(f"{checkpoint}: its statistics are those of {plan.named}; nothing is written")
        if written is not None:
            typer.echo(f"written    {into}: {len(plan.changes)} statistics are those of {plan.named}")
            typer.echo(f"next: regrasp rollout {quote(str(into))} --station STATION --out NEW")
    raise typer.Exit(1 if dry_run and plan.changes else 0)


def _agreed(into: Path) -> bool:
    """Ask, where somebody is there to answer."""
    import sys

    return not (sys.stdin.isatty() and sys.stdout.isatty()) or typer.confirm(f"Write {into}?")


def _print_plan(plan: "RepairPlan") -> None:
    if not plan.steps:
        typer.echo(f"{plan.dataset.name}: nothing to repair; nothing is written")
    for step in plan.steps:
        typer.echo(f"will fix   {step.check}: {step.repair}")
    before = len(plan.dataset.episodes)
    if plan.episodes_left < before:
        typer.echo(f"keeps      {plan.episodes_left} of {before} episodes")
    for finding in plan.waiting:
        typer.echo(f"waits      {finding.check} ({finding.where}): may be gone once the above is put right")
    for finding in plan.needs_you:
        typer.echo(f"needs you  {_line(finding)}")
    droppable = list(dict.fromkeys(finding.check for finding in plan.needs_you if finding.fix.repair))
    if droppable:
        typer.echo(f"           name it to leave out its episodes: {' '.join(droppable)}")


def _print_outcome(fixed: "Fixed") -> None:
    if fixed.after is None:
        return
    dataset = fixed.after.dataset
    typer.echo(f"written    {fixed.into}: {len(dataset.episodes)} episodes, {dataset.frames} frames")
    for finding in fixed.after.findings:
        typer.echo(f"remains    {_line(finding)}")
    if not fixed.done:
        typer.echo(f"next: regrasp fix {quote(str(fixed.into))} --into {quote(f'{fixed.into}_2')}")
    elif not fixed.after.findings:
        typer.echo("its audit finds nothing")


def _line(finding: "Finding") -> str:
    return f"{finding.check} ({finding.where}): {finding.summary} {finding.fix.summary}"


def _json(plan: "RepairPlan", fixed: "Fixed | None" = None) -> str:
    """`{"dataset", "into", "repairs", "waiting", "needs_you", "remaining"}`; `into` is null if nothing is written."""
    import json

    after = fixed.after if fixed else None
    said = {
        "dataset": plan.dataset.repo_id or str(plan.dataset.path),
        "into": str(fixed.into) if fixed else None,
        "repairs": [step.to_json() for step in plan.steps],
        "waiting": [finding.to_json() for finding in plan.waiting],
        "needs_you": [finding.to_json() for finding in plan.needs_you],
        "remaining": [finding.to_json() for finding in after.findings] if after else None,
    }
    return json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False)
