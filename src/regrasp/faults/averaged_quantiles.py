"""Quantiles as LeRobot aggregates them: averages over the episodes of each episode's quantiles."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.metadata import ACTION, STATE
from regrasp.data.statistics import QUANTILES


def averaged_quantiles(dataset: Dataset, *, features: Collection[str] = (STATE, ACTION)) -> Dataset:
    """The quantiles of these features, weighted by the frames of each episode."""
    lengths = [episode.length for episode in dataset.episodes]
    changed = dict(dataset.stats)
    for feature in features:
        columns = [e.states if feature == STATE else e.actions for e in dataset.episodes]
        changed[feature] = {**dataset.stats[feature], **_averaged(columns, lengths)}
    return replace(dataset, stats=changed)


def _averaged(columns: list[NDArray[np.float64]], lengths: list[int]) -> dict[str, NDArray[np.float64]]:
    shares = list(QUANTILES.values())
    of_each = np.array([np.quantile(column, shares, axis=0) for column in columns])
    return dict(zip(QUANTILES, np.average(of_each, axis=0, weights=lengths), strict=True))
