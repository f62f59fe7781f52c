"""Where the cameras see the arm at the start of an episode, against where its joints say it stands."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

type Grids = Mapping[str, Array]
"""First pictures by camera, on a grid, [n, rows, columns, 3], 0-255."""

FEWEST_STARTS, FEWEST_ROLLOUTS = 20, 3
"""Starts from which a joint can be learned to be read off pictures, and those over which a reading is averaged."""

NOISE_GREY_LEVELS = 2.0
"""A cell varies from one start to the next at least by this, a sensor's noise."""

MOST_UNLIKE = 1.0
"""Root mean square over the cells of a camera, of how far the median of the rollouts' pictures lies from that of the
training, in deviations of the training. Three rightly started rollouts of the simulated arm have 0.77 and 0.74, and less
the more there are; an arm that stands 8 degrees off in its lift, wrist or elbow has 2.2 and more, 14 in its pan 1.5."""

RIDGES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Penalties that are tried, as shares of the mean variance of a picture; the best without each start counts."""

ERRORS = 4.0
"""A joint is off where pictures and encoder differ by so many standard errors; by chance once in 16,000 joints."""


@dataclass(frozen=True)
class ZeroOffset:
    """A joint reads `degrees` more than the cameras show, within `low` and `high` (95 %); `place` in joint order.

    `error` is how well a single picture tells this joint, a standard deviation over training starts left out in turn.
    """

    place: int
    degrees: float
    low: float
    high: float
    error: float


def unlikeness(train: Grids, seen: Grids) -> dict[str, float]:
    """Camera -> how much the rollouts' first pictures differ from the training's; see `MOST_UNLIKE`."""
    return {
        name: float(np.sqrt(np.mean(np.median(_in_deviations(train[name], seen[name]), axis=0) ** 2)))
        for name in train
        if name in seen
    }


def zero_offsets(
    train: Grids, train_states: Array, seen: Grids, states: Array, *, least: float
) -> list[ZeroOffset]:
    """Joints whose encoders read at least `least` away from where the pictures show them, the surest first.

    Each joint is read off the pictures by ridge regression on the training's starts (states [m, J]); the pictures of
    the rollouts (states [n, J]) must look like those, see `unlikeness`. Where pictures tell nothing of a joint, the
    reading is its usual start.
    """
    names = [name for name in train if name in seen]
    known = np.concatenate([_in_deviations(train[name], train[name]) for name in names], axis=1)
    new = np.concatenate([_in_deviations(train[name], seen[name]) for name in names], axis=1)
    read, errors = _readings(known, train_states, new)
    gaps = states - read
    mean = gaps.mean(axis=0)
    spread = np.maximum(errors, gaps.std(axis=0, ddof=1))
    standard = spread * np.sqrt(1 / len(states) + 1 / len(train_states))
    off = np.flatnonzero((np.abs(mean) >= least) & (np.abs(mean) > ERRORS * standard))
    reach = 1.96 * standard
    found = [
        ZeroOffset(
            int(j), float(mean[j]), float(mean[j] - reach[j]), float(mean[j] + reach[j]), float(errors[j])
        )
        for j in off
    ]
    return sorted(found, key=lambda offset: -abs(offset.degrees) / float(standard[offset.place]))


def _in_deviations(train: Array, pictures: Array) -> Array:
    """Each cell's distance from the training's median, in deviations of the training, [n, cells]."""
    spread = np.maximum(train.std(axis=0), NOISE_GREY_LEVELS)
    return ((pictures - np.median(train, axis=0)) / spread).reshape(len(pictures), -1)


def _readings(known: Array, values: Array, new: Array) -> tuple[Array, Array]:
    """What new pictures say [n, J], and the standard deviation of what known ones say when left out, [J].

    Ridge regression in its dual form; the error without each start in closed form (Allen's PRESS, 1974).
    """
    centre, middle = known.mean(axis=0), values.mean(axis=0)
    kernel = (known - centre) @ (known - centre).T
    across = (new - centre) @ (known - centre).T
    size = float(np.trace(kernel)) / len(kernel)
    read, errors = np.empty((len(new), values.shape[1])), np.full(values.shape[1], np.inf)
    for ridge in RIDGES:
        inverse = np.linalg.inv(
            kernel + ridge * size * np.eye(len(kernel)) + size
        )  # `+ size`: the mean is free
        weights = inverse @ (values - middle)
        without = np.sqrt(np.mean((weights / np.diag(inverse)[:, None]) ** 2, axis=0))
        better = without < errors
        errors = np.where(better, without, errors)
        read[:, better] = (middle + (across + size) @ weights)[:, better]
    return read, errors
