"""Does success depend on where the object lay, or on how the arm stood at first?"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.finding import Evidence
from regrasp.diagnosis.ranking import Symptom
from regrasp.stats import Rate

type Array = NDArray[np.float64]

FEWEST = 3
"""Successes and failures each, below which no pattern is looked for."""

CHANCE = 0.01
"""Chance of a pattern as clear in any of the initial conditions when outcomes are dealt out at random."""

PERMUTATIONS = 999


def success_by_start(rollouts: Rollouts) -> Iterator[Symptom]:
    """The initial condition (object's place, start pose) that parts successes from failures best, if one does.

    By rank: the Mann-Whitney statistic of each condition, and of its distance from the middle; the largest is compared
    with those of outcomes that are dealt out anew.
    """
    scored = [(o.success, o.initial) for o in rollouts.outcomes if o.success is not None and o.initial]
    won = np.array([success for success, _ in scored], dtype=np.bool_)
    if min(won.sum(), (~won).sum()) < FEWEST:
        return
    conditions = _conditions([initial for _, initial in scored])
    if not conditions:
        return
    ranks = np.stack([_ranks(values) for values in conditions.values()])
    observed = _clearness(ranks, won)
    rng = np.random.default_rng(0)
    dealt = [_clearness(ranks, rng.permutation(won)).max() for _ in range(PERMUTATIONS)]
    best = int(np.argmax(observed))
    p = (1 + sum(one >= observed[best] for one in dealt)) / (PERMUTATIONS + 1)
    if p <= CHANCE:
        name = list(conditions)[best]
        yield _symptom(name, conditions[name], won, p)


def _conditions(initials: list[Mapping[str, float]]) -> dict[str, Array]:
    """Name -> one value for each rollout; also the distance from the middle, under the name of both."""
    shared = set.intersection(*(set(initial) for initial in initials))
    found: dict[str, Array] = {}
    for name in sorted(shared):
        values = np.array([initial[name] for initial in initials], dtype=np.float64)
        if np.isfinite(values).all() and np.ptp(values) > 0:
            found[name] = values
            found[f"distance of {name} from the middle, {np.median(values):.3g},"] = np.abs(
                values - np.median(values)
            )
    return found


def _ranks(values: Array) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=np.float64)


def _clearness(ranks: Array, won: NDArray[np.bool_]) -> Array:
    """How far the ranks [C, N] of successes lie from what chance gives, 0 to 1 for parted altogether; [C]."""
    k, n = int(won.sum()), len(won)
    shares = (ranks[:, won].sum(axis=1) - k * (k + 1) / 2) / (k * (n - k))
    return np.abs(2 * shares - 1)


def _symptom(name: str, values: Array, won: NDArray[np.bool_], p: float) -> Symptom:
    cut = _best_cut(values, won)
    above, below = Rate.of(won[values > cut].tolist()), Rate.of(won[values <= cut].tolist())
    return Symptom(
        "success-depends-on-start",
        f"Success depends on the start: {above} where {name} is above {cut:.3g}, {below} elsewhere.",
        (
            Evidence("success above", round(100 * above.value), None, "%"),
            Evidence("success elsewhere", round(100 * below.value), None, "%"),
            Evidence("by chance", p, CHANCE),
        ),
    )


def _best_cut(values: Array, won: NDArray[np.bool_]) -> float:
    """The cut that parts successes from failures best (Youden 1950)."""
    places = np.unique(values)
    cuts = (places[1:] + places[:-1]) / 2
    parted = [
        abs(won[values > cut].sum() / won.sum() - (~won)[values > cut].sum() / (~won).sum()) for cut in cuts
    ]
    return float(cuts[int(np.argmax(parted))])
