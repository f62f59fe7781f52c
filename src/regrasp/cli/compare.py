"""`regrasp compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.data.rollouts import Outcome, Rollouts
    from regrasp.stats import Comparison


def command(
    a: Annotated[Path, typer.Argument(help="Rollouts of policy A, or of the deployment before.")],
    b: Annotated[Path, typer.Argument(help="Rollouts of policy B, or of the deployment after.")],
    json: Json = False,
) -> None:
    """Say whether one set of rollouts is better than another. Exit code 0 whatever the answer."""
    from regrasp.data.rollouts import read_rollouts

    answer = compare(read_rollouts(a, video=False), read_rollouts(b, video=False))
    if json:
        from regrasp.report.json import json_line

        print(json_line(answer.to_json()))
        return
    print(answer)
    if answer.paired:
        print(f"The object lay in the same {answer.paired} places with both.")


def compare(a: "Rollouts", b: "Rollouts") -> "Comparison":
    """B against A: in pairs where both began from the same starts."""
    from shlex import quote

    from regrasp.errors import DatasetError
    from regrasp.stats import Rate, compare_outcomes, compare_rates

    for rollouts in (a, b):
        if Rate.of(rollouts.successes).n == 0:
            path = rollouts.dataset.path
            raise DatasetError(
                f"Found no scored episode in {path}; expected outcomes; try `regrasp label {quote(str(path))}`."
            )
    paired = compare_outcomes(_by_start(a), _by_start(b))
    return paired or compare_rates(Rate.of(a.successes), Rate.of(b.successes))


def _by_start(rollouts: "Rollouts") -> dict[tuple[object, ...], bool]:
    """Outcomes by their start, its seed and where the object lay; empty when a scored episode has none, or shares it.

    The same seed lays the object elsewhere in another area.
    """
    scored = [outcome for outcome in rollouts.outcomes if outcome.success is not None]
    by_start = {_start_of(one): bool(one.success) for one in scored if one.seed is not None}
    return by_start if len(by_start) == len(scored) else {}


def _start_of(outcome: "Outcome") -> tuple[object, ...]:
    laid = {name: round(value, 4) for name, value in outcome.initial.items() if name.startswith("object")}
    return (outcome.seed, *sorted(laid.items()))
