"""`regrasp plan DATASET`: steps, epochs, checkpoints, chunk sizes, expected time, each with its reason."""

from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.training.plan import Plan, Reason


def command(
    dataset: Annotated[
        str, typer.Argument(help="A folder of demonstrations, or an id on the Hub.", metavar="DATASET")
    ],
    policy: Annotated[
        str, typer.Option(help="act, smolvla, keypoint, ... or a checkpoint to train further.")
    ] = "act",
    batch: Annotated[
        int | None, typer.Option(help="Samples per step on each GPU.", show_default=False)
    ] = None,
    gpus: Annotated[int, typer.Option(help="GPUs of each node that train together.")] = 1,
    nodes: Annotated[int, typer.Option(help="Machines that train together.")] = 1,
    epochs: Annotated[
        float | None, typer.Option(help="Times that all frames are shown.", show_default=False)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps to take, instead of --epochs.", show_default=False)
    ] = None,
    latency_ms: Annotated[
        float | None, typer.Option(help="From a picture to the policy's answer.", show_default=False)
    ] = None,
    hold_out: Annotated[
        int | None, typer.Option(help="Episodes that are not trained on.", show_default=False)
    ] = None,
    measure: Annotated[
        bool, typer.Option(help="Train a few steps here, and tell time, memory and latency.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say how long to train, with which chunks, and why."""
    from regrasp.training.plan import plan

    wanted = {
        "policy": policy,
        "batch": batch,
        "gpus": gpus,
        "nodes": nodes,
        "epochs": epochs,
        "steps": steps,
    }
    planned = plan(dataset, **wanted, latency_ms=latency_ms, hold_out=hold_out)  # pyright: ignore[reportArgumentType]
    if measure:
        from regrasp.lerobot_bridge.quiet import prepare_environment

        prepare_environment()
        from regrasp.lerobot_bridge.trial import measure_trial

        trial = measure_trial(dataset, policy, planned)
        planned = plan(dataset, **wanted, latency_ms=latency_ms, hold_out=hold_out, trial=trial)  # pyright: ignore[reportArgumentType]
    if as_json:
        from regrasp.report.json import json_text

        typer.echo(json_text(planned))
        return
    _print(planned)


def _print(planned: "Plan") -> None:
    """Numbers with their reasons, warnings, knobs, the command that follows."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text.assemble((planned.dataset, "bold"), f": {planned.policy}"))
    console.print()
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for reason in planned.reasons:
        table.add_row(reason.what, Text(_value(reason), style="bold"), Text(reason.why, style="dim"))
    console.print(table)
    for warning in planned.warnings:
        console.print()
        console.print(Text.assemble(("warning", "bold yellow"), f"  {warning}"), soft_wrap=True)
    console.print()
    console.print(Text("What would change", style="bold"))
    for knob, changes in planned.knobs:
        console.print(Text.assemble("  ", (knob, "bold"), f"  {changes}"), soft_wrap=True)
    console.print()
    console.print(Text.assemble(("Train it", "bold"), f"\n  {planned.command}"), soft_wrap=True)
    if planned.nodes > 1:
        console.print(
            f"  once on each node: RANK is 0 to {planned.nodes - 1}, ADDRESS that of node 0; the dataset and RUN lie on "
            "a disk that all of them reach",
            soft_wrap=True,
        )
    console.print()


def _value(reason: "Reason") -> str:
    """The number with its unit; a dash where it is not known.

    Example:
        >>> from regrasp.training.plan import Reason
        >>> _value(Reason("decay", 30000, "", "steps")), _value(Reason("time", None, ""))
        ('30000 steps', '-')
    """
    if reason.value is None:
        return "-"
    number = f"{reason.value:.6g}" if isinstance(reason.value, float) else str(reason.value)
    return f"{number} {reason.unit}".strip()
