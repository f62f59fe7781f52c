"""The quantiles in the statistics are averages over episodes, not those of the data.

## What it detects
`q01` and `q99` in `meta/stats.json` that lie inside the range which they should span.

## Why it matters
LeRobot computes quantiles for each episode and averages them (`aggregate_feature_stats` of 0.6.1). A joint that
stands elsewhere in each episode then gets bounds that a good part of its frames lies beyond. pi0.5 and MolmoAct2
normalise with these quantiles: such frames leave the interval from -1 to 1 for which the policy was made. ACT
and SmolVLA use mean and deviation and do not care.

## How it decides
The 1 % and 99 % quantiles of all frames together are compared with those in the file. What is further off than
`max_off` of the range between them (of a quarter of the median joint's, for a joint that hardly moves) is
reported, with the largest share of frames that lie beyond the two quantiles of a joint; it should be 2 %.

## What can fool it
Nearly every dataset made with LeRobot is like this, so it is a remark, never a reason against a dataset.

## How to fix it
Before training pi0.5 or MolmoAct2, let `regrasp fix` compute them over all frames; with ACT and SmolVLA, leave it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.metadata import ACTION, STATE
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.repair import RecomputeStatistics
from regrasp.diagnosis.signals import action_scale, joint_scale


@dataclass(frozen=True)
class _Off:
    """One joint: the larger error of its two quantiles, as a share of its working range."""

    feature: str
    joint: str
    share: float
    said: tuple[float, float]
    true: tuple[float, float]
    beyond: float


@check(severity=Severity.INFO)
def averaged_quantiles(dataset: Dataset, *, max_off: float = 0.05) -> Iterator[Finding]:
    """Report that quantiles are off, with the joint where they are off most."""
    if dataset.declared is None:
        raise Undecided("needs all episodes to be read, because the statistics are those of all")
    columns = {STATE: dataset.states, ACTION: dataset.actions}
    known = [feature for feature in columns if _has_quantiles(dataset, feature, columns[feature].shape[1])]
    if not known:
        raise Undecided("meta/stats.json has no quantiles of states or actions")
    joints = [one for feature in known for one in _compare(dataset, feature, columns[feature])]
    off = [one for one in joints if one.share > max_off]
    if off:
        yield _finding(off, max_off)


def _has_quantiles(dataset: Dataset, feature: str, width: int) -> bool:
    stats = dataset.stats.get(feature, {})
    return all(name in stats and stats[name].size == width for name in ("q01", "q99"))


def _compare(dataset: Dataset, feature: str, values: NDArray[np.float64]) -> Iterator[_Off]:
    """Each joint that moves; those with numbers that are not finite are left out."""
    names = dataset.joint_names if feature == STATE else dataset.names_of_actions
    scale = joint_scale(dataset) if feature == STATE else action_scale(dataset)
    finite = np.isfinite(values).all(axis=0)
    low, high = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    if finite.any():
        low[finite], high[finite] = np.quantile(values.T[finite], [0.01, 0.99], axis=1)
    said_low, said_high = (dataset.stats[feature][name].ravel() for name in ("q01", "q99"))
    for joint in np.flatnonzero(high > low):
        said = float(said_low[joint]), float(said_high[joint])
        true = float(low[joint]), float(high[joint])
        error = max(abs(said[0] - true[0]), abs(said[1] - true[1])) / float(scale[joint])
        outside = (values[:, joint] < said[0]) | (values[:, joint] > said[1])
        name = names[joint] if joint < len(names) else f"joint_{joint + 1}"
        yield _Off(feature, name, error, said, true, float(outside.mean()))


def _finding(off: list[_Off], max_off: float) -> Finding:
    worst = max(off, key=lambda one: one.share)
    beyond = max(one.beyond for one in off)
    return Finding(
        summary=(
            f"Quantiles are averages over episodes: those of {worst.joint} in '{worst.feature}' span "
            f"{worst.said[0]:.4g} to {worst.said[1]:.4g}, in the data {worst.true[0]:.4g} to {worst.true[1]:.4g}."
        ),
        where=Where(joint=worst.joint),
        evidence=(
            Evidence("quantile off by", 100 * worst.share, 100 * max_off, "%"),
            Evidence("frames beyond a joint's quantiles", 100 * beyond, 2, "%"),
        ),
        fix=Fix(
            "Compute them over all frames before training pi0.5 or MolmoAct2; ACT and SmolVLA do not use them.",
            repair=RecomputeStatistics(),
        ),
    )
