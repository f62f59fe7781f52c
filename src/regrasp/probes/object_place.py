"""Rollouts with the object where training had it, held against those with the object elsewhere."""

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.experiment import Setting, experiment
from regrasp.diagnosis.places import placed
from regrasp.diagnosis.probe import ProbeResult
from regrasp.diagnosis.reference import InputDistance, interval_of_median

HEALTHY_FAILURES = 0.1
"""Share of rollouts in which a well-trained policy of the simulated arm fails."""

FEWEST_INSIDE = 2
"""One rollout is an accident."""


@experiment(cause="uncovered-positions")
def object_place(setting: Setting) -> ProbeResult | None:
    """Nobody chose the places by how the rollouts would end, so that the place is what was put right."""
    training = setting.training
    found = placed(training.dataset, training.learned, setting.rollouts)
    inside, outside = found.inside_rate, found.outside_rate
    if inside.n < FEWEST_INSIDE or not outside.n:
        return None
    failed = (~found.success[found.outside]).astype(float)
    share = InputDistance(
        "the share of rollouts that fail",
        before=1 - outside.value,
        after=1 - inside.value,
        healthy=HEALTHY_FAILURES,
        limit=HEALTHY_FAILURES,
        interval=interval_of_median(failed),
    )
    gained = inside.value - outside.value
    return ProbeResult(
        probe="object-place",
        cause="uncovered-positions",
        intervention="the object where the training had it",
        distances=(share,),
        moved=gained,
        moved95=_interval(found.success[~found.outside], found.success[found.outside]),
        episodes=inside.n + outside.n,
        command=None,
        moving="success rises by {:.2f}",
    )


def _interval(one: NDArray[np.bool_], other: NDArray[np.bool_], *, draws: int = 500) -> tuple[float, float]:
    """95 % interval of the difference of two shares, by drawing again."""
    rng = np.random.default_rng(0)
    shares = [rng.choice(part.astype(float), size=(draws, len(part))).mean(axis=1) for part in (one, other)]
    low, high = np.quantile(shares[0] - shares[1], [0.025, 0.975])
    return float(low), float(high)
