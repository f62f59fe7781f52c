"""Arithmetic that checks share. What needs the whole dataset is computed once and kept with it."""

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS
from regrasp.data import Dataset
from regrasp.diagnosis.check import Undecided

SMALLEST_SCALE = 0.25
"""A joint that hardly takes part is measured by this share of the median joint's range, not by its own."""


def once_per_dataset[T](compute: Callable[[Dataset], T]) -> Callable[[Dataset], T]:
    """Remember a function's result for as long as the dataset lives: it is kept with the dataset itself."""

    @wraps(compute)
    def remembered(dataset: Dataset) -> T:
        known = vars(dataset).setdefault("_remembered", {})
        if compute not in known:
            known[compute] = compute(dataset)
        return known[compute]

    return remembered


@once_per_dataset
def joint_scale(dataset: Dataset) -> NDArray[np.float64]:
    """In how wide a range each joint is measured, float64 [J], in its own unit: makes limits free of units.

    The span from the 1st to the 99th percentile; at least `SMALLEST_SCALE` of the median joint's, so that
    the flicker of a resting joint is not taken for its range.
    """
    return _scale(dataset.states)


@once_per_dataset
def action_scale(dataset: Dataset) -> NDArray[np.float64]:
    """In how wide a range each joint is commanded, float64 [J]; otherwise as `joint_scale`."""
    return _scale(dataset.actions)


def _scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spans = span(values)
    return np.maximum(np.maximum(spans, SMALLEST_SCALE * np.median(spans)), np.finfo(np.float64).tiny)


def span(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the 1st to the 99th percentile of each column; [T, J] to [J]. NaN is left out; 0 of nothing.

    Example:
        >>> span(np.array([[0.0], [np.nan], [100.0]])).tolist()
        [98.0]
    """
    if np.isfinite(values).all():
        low, high = np.percentile(values, [1, 99], axis=0)
        return high - low
    finite = np.where(np.isfinite(values), values, np.nan)
    known = np.where(np.isnan(finite).all(axis=0), 0.0, finite)
    low, high = np.nanpercentile(known, [1, 99], axis=0)
    return high - low


def known_median(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The median without NaN; where there is none, without the masked arrays that NumPy's own takes time for.

    Example:
        >>> known_median(np.array([[1.0, 2.0], [3.0, np.nan]]), axis=0).tolist()
        [2.0, 2.0]
    """
    return np.asarray(np.nanmedian(values, axis) if np.isnan(values).any() else np.median(values, axis))


def require_matching_joints(dataset: Dataset) -> None:
    """Commands and measurements must name the same joints in the same order to be compared."""
    if dataset.states.shape != dataset.actions.shape or dataset.action_names not in ((), dataset.joint_names):
        raise Undecided(
            "actions and states name different joints, so one cannot be compared with the other: "
            f"{', '.join(dataset.action_names)} against {', '.join(dataset.joint_names)}"
        )


def longest_run(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """First index and length of the longest stretch of True; the first of several; length 0 where none is.

    Example:
        >>> longest_run(np.array([True, False, True, True]))
        (2, 2)
    """
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    best = int(np.argmax(ends - starts))
    return int(starts[best]), int(ends[best] - starts[best])


def steps_out_of_line(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each step departs from the steps around it, float64 [T, J], in the unit of `values`.

    A step is compared with the median of itself and its two neighbours: steady motion gives 0 at any
    speed, and a single jump its own height. The first two and the last value are 0.

    Example:
        >>> steps_out_of_line(np.array([[0.0], [1], [2], [9], [10], [11]]))[:, 0].tolist()
        [0.0, 0.0, 0.0, 6.0, 0.0, 0.0]
    """
    away = np.zeros_like(values)
    if len(values) > 3:
        steps = np.diff(values, axis=0)
        before, here, after = steps[:-2], steps[1:-1], steps[2:]
        usual = np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))  # median
        away[2:-1] = np.abs(here - usual)
    return away


def gripper_joints(joint_names: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of the grippers: by name, else the last of joints that have no telling names.

    Example:
        >>> gripper_joints(("shoulder_pan", "gripper")), gripper_joints(("joint_1", "joint_2"))
        ((1,), (1,))
    """
    named = tuple(i for i, name in enumerate(joint_names) if "gripper" in name.lower())
    if named or not joint_names:
        return named
    numbered = all(name.strip("_-. ").lower().startswith(("joint", "motor")) for name in joint_names)
    return (len(joint_names) - 1,) if numbered and not set(joint_names) & set(JOINTS) else ()
