"""`regrasp fix DATASET --into NEW [NAME ...]`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regrasp.diagnosis.finding import Finding
    from regrasp.diagnosis.repair_plan import RepairPlan
    from regrasp.lerobot_bridge.editing import Fixed


def command(
    dataset: Annotated[
        str, typer.Argument(help="A dataset's folder, or its id on the Hub.", metavar="DATASET")
    ],
    into: Annotated[Path, typer.Option(help="New folder for the repaired copy.", metavar="NEW")],
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Put right what these checks find; all by default.", metavar="[NAME ...]"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Put right what needs no judgement, on a copy; show first what is done."""
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
        typer.echo(f"next: regrasp fix {fixed.into} --into {fixed.into}_2")
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
