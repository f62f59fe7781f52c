"""`regrasp compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import Json

if TYPE_CHECKING:
    from regrasp.data.rollouts import Rollouts
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
        import json as writer

        print(writer.dumps(answer.to_json()))
        return
    print(answer)
    if answer.paired:
        print(f"The same {answer.paired} starts were tried with both.")


def compare(a: "Rollouts", b: "Rollouts") -> "Comparison":
    """B against A: in pairs where both began from the same starts."""
    from regrasp.errors import DatasetError
    from regrasp.stats import Rate, compare_outcomes, compare_rates

    for rollouts in (a, b):
        if Rate.of(rollouts.successes).n == 0:
            path = rollouts.dataset.path
            raise DatasetError(
                f"Found no scored episode in {path}; expected outcomes; try `regrasp label {path}`."
            )
    paired = compare_outcomes(_by_seed(a), _by_seed(b))
    return paired or compare_rates(Rate.of(a.successes), Rate.of(b.successes))


def _by_seed(rollouts: "Rollouts") -> dict[int, bool]:
    """Outcomes by the seed of their start; empty when a scored episode has none, or shares it."""
    scored = [outcome for outcome in rollouts.outcomes if outcome.success is not None]
    by_seed = {one.seed: bool(one.success) for one in scored if one.seed is not None}
    return by_seed if len(by_seed) == len(scored) else {}
