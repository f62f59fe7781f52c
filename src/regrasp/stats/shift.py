"""Do two sets of episodes show the same distribution? Energy distances, and permutations of whole episodes.

Frames of one episode resemble each other, so a test that takes them for independent finds a difference everywhere.
Here an episode is the unit: each counts the same whatever its length, and permutations exchange whole episodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

CUTS = 256
"""Places at which distributions are compared: distances are right to a two hundredth of the range."""

PERMUTATIONS = 999
"""The smallest p-value is then 0.001 (Phipson & Smyth 2010)."""


@dataclass(frozen=True, eq=False)
class Shift:
    """Two sets of episodes compared, column by column.

    Attributes:
        distance: Energy distance between the sets, [J], in the square root of the column's unit.
        single: The distance of each episode of the first set to the rest of that set, [n, J].
        p: Chance of a distance as large in any of the columns when the sets are alike, [J] (Westfall & Young 1993).
    """

    distance: Array
    single: Array
    p: Array


@dataclass(frozen=True, eq=False)
class Distributions:
    """The share of each episode's frames up to each of `CUTS` places, [E, J, CUTS], and the width between places, [J]."""

    shares: Array
    width: Array

    @classmethod
    def of(cls, episodes: Sequence[Array]) -> Self:
        """Of episodes [T, J]; values that are not finite are left out."""
        pooled = np.concatenate(episodes)
        low, high = np.nanmin(pooled, axis=0), np.nanmax(pooled, axis=0)
        width = np.maximum(high - low, 1e-9) / (CUTS - 1)
        places = low + width * np.arange(CUTS)[:, None]
        shares = np.stack([_shares_up_to(episode, places) for episode in episodes])
        return cls(shares, width)

    def distance(self, one: Array, other: Array) -> Array:
        """Energy distance between mean distributions [..., J, CUTS], [..., J] (Székely & Rizzo 2013)."""
        return np.sqrt(2.0 * np.sum((one - other) ** 2, axis=-1) * self.width)


def compare_episodes(one: Sequence[Array], other: Sequence[Array], *, seed: int = 0) -> Shift:
    """Whether the episodes of `other` [T, J] are distributed as those of `one`; the same for the same seed.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> here = [rng.normal(size=(50, 2)) for _ in range(20)]
        >>> there = [rng.normal(size=(80, 2)) + [0, 2] for _ in range(5)]
        >>> compare_episodes(here, there).p.round(3).tolist()[1], compare_episodes(here, here[:5]).p[1] > 0.5
        (0.001, np.True_)
    """
    all_of_them = Distributions.of([*one, *other])
    shares, n, m = all_of_them.shares, len(one), len(other)
    total = shares.sum(axis=0)
    observed = all_of_them.distance(shares[:n].mean(axis=0), shares[n:].mean(axis=0))
    rest = (shares[:n].sum(axis=0) - shares[:n]) / max(n - 1, 1)
    single = all_of_them.distance(shares[:n], rest)
    rng = np.random.default_rng(seed)
    chosen = np.zeros((PERMUTATIONS, n + m))
    for row in chosen:
        row[rng.permutation(n + m)[:m]] = 1.0
    drawn = np.tensordot(chosen, shares, axes=1)
    by_chance = all_of_them.distance(drawn / m, (total - drawn) / n)
    usual = np.maximum(np.median(by_chance, axis=0), 1e-12)
    largest = (by_chance / usual).max(axis=1)
    exceeded = (largest[:, None] >= observed / usual).sum(axis=0)
    return Shift(observed, single, (exceeded + 1) / (PERMUTATIONS + 1))


def exceeding_by_chance(k: int, m: int, n: int, rank: int) -> float:
    """Chance that `k` or more of `m` values exceed the `rank`-th largest of `n` others when all are alike.

    The precedence test (Nelson 1963): of the k + rank - 1 largest of all, k or more are then among the m.

    Example:
        >>> round(exceeding_by_chance(1, 1, 99, 1), 3), exceeding_by_chance(3, 10, 100, 1) < 0.001
        (0.01, True)
    """
    from scipy.stats import hypergeom

    return float(hypergeom.sf(k - 1, m + n, m, k + rank - 1))


def _shares_up_to(episode: Array, places: Array) -> Array:
    """The distribution function of each column at its places [CUTS, J], [J, CUTS]; 0 where nothing is finite."""
    columns: list[Array] = []
    for values, cuts in zip(episode.T, places.T, strict=True):
        known = np.sort(values[np.isfinite(values)])
        columns.append(np.searchsorted(known, cuts + 1e-12, side="right") / max(len(known), 1))
    return np.stack(columns)
