"""The statistics give a camera's pictures hardly any contrast, although its pictures have it.

## What it detects
A standard deviation of pixels in `meta/stats.json` that is smaller than the quantiles, or the range, beside it
allow.

## Why it matters
Recorders before LeRobot 0.6.0 squared pixels in eight bits, which overflows; the deviation came out between 0
and 0.04 instead of about 0.2. A policy that divides pictures by it multiplies them tenfold, or by a hundred
million where it is 0. ACT and SmolVLA as LeRobot 0.6.1 ships them do not: the one takes ImageNet's statistics
(`dataset.use_imagenet_stats`), the other none.

## How it decides
A tenth of all pixels are darker than `q10` and a tenth brighter than `q90`, so the deviation cannot be smaller
than those alone make it, whatever the others are; quantiles that were averaged over episodes only lower that
bound. Less than `min_share` of the bound is reported. Where there are no quantiles, a deviation below 5 %
of the range is reported while the mean lies in the middle 60 % of it: a dark picture with a lamp in it has its
mean at the edge.

## What can fool it
Without quantiles: a camera that sees nothing but an even grey, with one bright and one black point.

## How to fix it
Nothing for ACT and SmolVLA. Before training a policy that uses them, let `regrasp fix` compute them anew.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.episode import IMAGE_PREFIX
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.repair import RecomputeStatistics

LEAST_OF_RANGE, MIDDLE = 0.05, (0.2, 0.8)
"""Without quantiles: deviation and place of the mean, as shares of the range from minimum to maximum."""

TAILS = {"q01": 0.01, "q10": 0.09, "q90": 0.09, "q99": 0.01}
"""Share of the pixels that lie at least as far out as this quantile, and not as far as the next."""

type Statistics = Mapping[str, NDArray[np.float64]]


@check(severity=Severity.INFO)
def overflowed_image_statistics(dataset: Dataset, *, min_share: float = 0.5) -> Iterator[Finding]:
    """Report the cameras whose deviation is smaller than it can be."""
    known = {name: stats for name in dataset.camera_names if (stats := _statistics(dataset, name))}
    if dataset.camera_names and not known:
        raise Undecided("meta/stats.json has no statistics of pictures")
    for name, stats in known.items():
        least = _least_deviation(stats)
        deviation = stats["std"].ravel()
        channel = int(np.argmax(least - deviation))
        if deviation[channel] < min_share * least[channel]:
            yield _finding(name, deviation[channel], min_share * least[channel])


def _statistics(dataset: Dataset, camera: str) -> Statistics | None:
    """Of one camera, if they are complete and finite."""
    keys = (IMAGE_PREFIX + camera, f"observation.{camera}", camera)
    stats = next((dataset.stats[key] for key in keys if key in dataset.stats), {})
    needed = [stats.get(name) for name in ("min", "max", "mean", "std")]
    sizes = {values.size if values is not None else 0 for values in needed}
    return stats if len(sizes) == 1 and sizes != {0} and _finite(stats) else None


def _finite(stats: Statistics) -> bool:
    return all(np.isfinite(values).all() for values in stats.values())


def _least_deviation(stats: Statistics) -> NDArray[np.float64]:
    """The smallest deviation that pixels with these quantiles, or this range, can have; one for each channel."""
    mean = stats["mean"].ravel()
    if all(name in stats and stats[name].size == mean.size for name in TAILS):
        outward = {"q01": -1, "q10": -1, "q90": 1, "q99": 1}
        away = {name: np.maximum(outward[name] * (stats[name].ravel() - mean), 0) for name in TAILS}
        return np.sqrt(sum(share * np.square(away[name]) for name, share in TAILS.items()))
    low, high = stats["min"].ravel(), stats["max"].ravel()
    place = (mean - low) / np.maximum(high - low, np.finfo(np.float64).tiny)
    inside = (place > MIDDLE[0]) & (place < MIDDLE[1])
    return np.where(inside, 2 * LEAST_OF_RANGE * (high - low), 0.0)


def _finding(camera: str, deviation: float, least: float) -> Finding:
    return Finding(
        summary=(
            f"Camera '{camera}' has a standard deviation of {deviation:.3g} in meta/stats.json, less than its "
            "other statistics allow: an overflow in the recorder."
        ),
        where=Where(camera=camera),
        evidence=(Evidence("standard deviation", float(deviation), float(least)),),
        fix=Fix(
            "Compute it anew before training a policy that normalises pictures; ACT and SmolVLA do not use it.",
            repair=RecomputeStatistics(pictures=True),
        ),
    )
