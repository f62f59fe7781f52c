"""Intervals over episodes, by drawing the episodes again (Efron 1979); the same values always give the same interval."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Array = NDArray[np.float64]


def interval_of_mean(values: ArrayLike, *, draws: int = 2000) -> tuple[float, float]:
    """95 % interval of a mean.

    Example:
        >>> low, high = interval_of_mean([1.0, 2.0, 3.0, 4.0])
        >>> 1 < low < 2.5 < high < 4
        True
    """
    (means,) = resampled_means(values, draws=draws)
    return _middle(means)


def interval_of_median(values: ArrayLike, *, draws: int = 500) -> tuple[float, float]:
    """95 % interval of a median; NaN of no values."""
    drawn = np.asarray(values, dtype=np.float64)
    if len(drawn) == 0:
        return float("nan"), float("nan")
    rng = np.random.default_rng(0)
    return _middle(np.median(rng.choice(drawn, size=(draws, len(drawn))), axis=1))


def interval_of_difference(one: ArrayLike, other: ArrayLike, *, draws: int = 500) -> tuple[float, float]:
    """95 % interval of how much greater the mean of one sample is than that of another."""
    ones, others = resampled_means(one, other, draws=draws)
    return _middle(ones - others)


def resampled_means(*samples: ArrayLike, draws: int = 2000) -> list[Array]:
    """Means of samples that are drawn again independently of each other, float64 [draws] for each."""
    rng = np.random.default_rng(0)
    values = [np.asarray(sample, dtype=np.float64) for sample in samples]
    return [rng.choice(sample, size=(draws, len(sample))).mean(axis=1) for sample in values]


def _middle(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
