"""`regrasp report`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer


def names_apart(folders: Sequence[Path]) -> list[str]:
    """What to call each folder: its name, or as much of its path as tells it from the others.

    Example:
        >>> names_apart([Path("before/rollouts"), Path("after/rollouts")])
        ['before/rollouts', 'after/rollouts']
    """
    parts = [folder.resolve().parts for folder in folders]
    deepest = max(map(len, parts), default=1)
    for depth in range(1, deepest + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{folder} ({number})" for number, folder in enumerate(folders, 1)]


def command(
    rollouts: Annotated[list[Path], typer.Argument(help="Rollouts to show; several are set side by side.")],
    train: Annotated[str, typer.Option(help="The dataset the policy was trained on.")],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    checkpoint: Annotated[Path | None, typer.Option(help="With it, each run is diagnosed.")] = None,
    probe: Annotated[bool, typer.Option(help="Ask the policy when diagnosing.")] = True,
) -> None:
    """Write one self-contained page about checkpoint, data and rollouts."""
    from regrasp.cli.chosen import say_which
    from regrasp.cli.compare import compare
    from regrasp.cli.diagnose import load_policy_or_say_why
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.contract_measuring import measure_contract
    from regrasp.data.dataset import read_dataset
    from regrasp.data.rollouts import read_rollouts
    from regrasp.diagnosis.diagnose import diagnose
    from regrasp.report.html import write_report
    from regrasp.report.sections import (
        deployment_section,
        diagnosis_section,
        success_section,
        training_section,
    )
    from regrasp.stats import Rate

    data = read_dataset(train)
    runs = {name: read_rollouts(path) for name, path in zip(names_apart(rollouts), rollouts, strict=True)}
    rates = {name: Rate.of(run.successes) for name, run in runs.items()}
    found = read_checkpoint(checkpoint) if checkpoint else None
    say_which(checkpoint)
    contract = found and (found.contract or measure_contract(data, found))
    policy = load_policy_or_say_why(checkpoint) if checkpoint and probe else None
    two = list(runs.values()) if len(runs) == 2 and all(rate.n for rate in rates.values()) else None
    names = list(runs)
    sections = [
        success_section(
            rates,
            comparison=compare(two[0], two[1]) if two else None,
            compared=(names[0], names[-1]),
        )
    ]
    for name, run in runs.items():
        sections.append(deployment_section(name, data, run, contract))
        if checkpoint:
            answer = diagnose(checkpoint, train=data, rollouts=run, policy=policy)
            sections.append(diagnosis_section(answer, title=f"{name}: why"))
    sections.append(training_section(data, contract))
    print(write_report(sections, out, title="Rollouts", subtitle=f"Trained on {data.name}", facts=rates))
