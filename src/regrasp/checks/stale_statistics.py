"""The statistics are not those of the data.

## What it detects
Minimum, maximum, mean, standard deviation or count of states and actions in `meta/stats.json` that differ from
those of the tables.

## Why it matters
LeRobot normalises what a policy reads and what it commands with these numbers, and never looks whether they
fit. After episodes were added, dropped or converted without computing them anew, inputs lie outside the range
that a policy expects, and a joint whose deviation is too small drowns the loss of all others.

## How it decides
Mean and deviation may be off by `tolerance` of the joint's true deviation, minimum and maximum by as much of
its range. LeRobot computes variances in single precision as a difference of squares: measured 1.3e-6 of the
squared mean for a joint that never moves (0.077 degrees at 68), so ten times that is allowed. A count alone
that differs while the values fit is a remark.

Statistics of pictures are taken from samples and are not compared. Joints with numbers that are not finite are
left to `nan-values`.

## What can fool it
Statistics taken from other data on purpose, such as those of a larger dataset that this is a part of.

## How to fix it
Compute them anew: `regrasp fix`, or LeRobot's `lerobot-edit-dataset --operation.type=recompute_stats`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.metadata import ACTION, STATE
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.repair import RecomputeStatistics

SINGLE_PRECISION = 1e-5
"""Of the squared mean: error of a variance that may come of single precision; measured up to 1.3e-6."""

FIX = Fix("Compute the statistics anew.", repair=RecomputeStatistics())

type Statistics = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class _Off:
    """The statistic that is furthest from the data, in units of what is allowed."""

    feature: str
    joint: str
    name: str
    said: float
    true: float
    allowed: float

    @property
    def times(self) -> float:
        """How many times as far off as is allowed; infinite for what is no number."""
        if self.said == self.true:  # infinite, too
            return 0.0
        times = abs(self.said - self.true) / self.allowed if self.allowed else np.inf
        return times if np.isfinite(times) else np.inf


@check(severity=Severity.WARNING, explains=("averaged-quantiles",))
def stale_statistics(dataset: Dataset, *, tolerance: float = 0.02) -> Iterator[Finding]:
    """Report the statistics of states and actions that are off, with the worst of them."""
    if dataset.declared is None:
        raise Undecided("needs all episodes to be read, because the statistics are those of all")
    columns = _columns(dataset)
    known = {feature: dataset.stats[feature] for feature in columns if dataset.stats.get(feature)}
    if not known:
        raise Undecided("meta/stats.json has no statistics of states or actions")
    widths = [
        f"{feature} with {len(columns[feature][0])}" for feature in known if not _fits(dataset, feature)
    ]
    if widths:
        yield _of_another_width(widths)
        return
    compared = [off for feature in known for off in _compare(dataset, feature, tolerance)]
    if not compared:
        raise Undecided("every joint holds numbers that are not finite")
    off = [one for one in compared if one.times > 1]
    if off:
        yield _values(off)
    else:
        yield from _counts(dataset, known)


def _columns(dataset: Dataset) -> dict[str, tuple[tuple[str, ...], NDArray[np.float64]]]:
    return {STATE: (dataset.joint_names, dataset.states), ACTION: (dataset.names_of_actions, dataset.actions)}


def _fits(dataset: Dataset, feature: str) -> bool:
    """Whether each statistic but the count has one number for each joint."""
    width = _columns(dataset)[feature][1].shape[1]
    return all(values.size == width for name, values in dataset.stats[feature].items() if name != "count")


def _compare(dataset: Dataset, feature: str, tolerance: float) -> Iterator[_Off]:
    """Each statistic of each joint beside that of the data."""
    names, values = _columns(dataset)[feature]
    finite = np.isfinite(values).all(axis=0)
    values = values[:, finite]
    if not values.size:
        return
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of 1e300 have no deviation
        low, high, mean, std = values.min(axis=0), values.max(axis=0), values.mean(axis=0), values.std(axis=0)
    of_range = tolerance * (high - low) + 1e-5 * np.maximum(np.abs(low), np.abs(high)) + 1e-9
    true = {
        "min": (low, of_range),
        "max": (high, of_range),
        "mean": (mean, tolerance * std + 1e-4 * np.abs(mean) + 1e-9),
        "std": (std, tolerance * std + _rounding(std, mean) + 1e-9),
    }
    for name, (numbers, allowed) in true.items():
        said = dataset.stats[feature].get(name)
        if said is not None:
            kept = said.ravel()[finite]
            for place, joint in enumerate(np.flatnonzero(finite)):
                yield _Off(
                    feature,
                    names[joint] if joint < len(names) else f"joint_{joint + 1}",
                    name,
                    float(kept[place]),
                    float(numbers[place]),
                    float(allowed[place]),
                )


def _rounding(std: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far off a deviation is, up or down, whose variance is off by `SINGLE_PRECISION`."""
    with np.errstate(over="ignore", invalid="ignore"):
        variance, off = np.square(std), SINGLE_PRECISION * np.square(mean)
        return np.maximum(np.sqrt(variance + off) - std, std - np.sqrt(np.maximum(variance - off, 0)))


def _values(off: list[_Off]) -> Finding:
    worst = max(off, key=lambda one: one.times)
    joints = dict.fromkeys((one.feature, one.joint) for one in off)
    others = f"; {len(joints) - 1} more joints are off too" if len(joints) > 1 else ""
    return Finding(
        summary=(
            f"meta/stats.json says that the {worst.name} of {worst.joint} in '{worst.feature}' is "
            f"{worst.said:.4g}, and in the tables it is {worst.true:.4g}{others}."
        ),
        where=Where(joint=worst.joint if len(joints) == 1 else None),
        evidence=(Evidence(f"{worst.name} off by", abs(worst.said - worst.true), worst.allowed),),
        fix=FIX,
    )


def _of_another_width(widths: list[str]) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        summary=f"meta/stats.json describes another number of joints than the tables: {', '.join(widths)}.",
        where=Where(),
        evidence=(Evidence("columns whose statistics do not fit", len(widths), 0),),
        fix=FIX,
    )


def _counts(dataset: Dataset, known: Mapping[str, Statistics]) -> Iterator[Finding]:
    """A remark on statistics that fit the data but were taken from more or fewer frames."""
    counts = {float(count) for stats in known.values() for count in stats.get("count", np.zeros(0)).ravel()}
    wrong = {count for count in counts if count != dataset.frames}
    if wrong:
        said = max(wrong, key=lambda count: abs(count - dataset.frames))
        yield Finding(
            severity=Severity.INFO,
            summary=(
                f"meta/stats.json was computed over {said:.0f} frames, and the tables hold {dataset.frames}; "
                "its values still fit them."
            ),
            where=Where(),
            evidence=(Evidence("frames that differ", abs(said - dataset.frames), 0),),
            fix=FIX,
        )
