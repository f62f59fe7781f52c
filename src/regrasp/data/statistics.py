"""Statistics of the joints as LeRobot keeps them in `meta/stats.json`, taken over all frames at once."""

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""Names and shares of the quantiles that LeRobot 0.6.1 writes."""


def pooled_statistics(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """`min`, `max`, `mean`, `std`, `count` and the quantiles of each column, [T, J] to [J] each.

    The quantiles are those of all frames together. LeRobot's own are averages over the episodes of each
    episode's quantiles (`lerobot.datasets.compute_stats.aggregate_feature_stats`). A column with a number
    that is not finite gives NaN, as LeRobot's own does.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
        return {
            "min": values.min(axis=0),
            "max": values.max(axis=0),
            "mean": values.mean(axis=0),
            "std": values.std(axis=0),
            "count": np.array([float(len(values))]),
            **dict(zip(QUANTILES, quantiles, strict=True)),
        }
