"""Pictures in which there is nothing to see."""

import numpy as np
from numpy.typing import NDArray

EMPTY_GREY_LEVELS = 4.0
"""Sensor noise of 5 grey levels spreads the cells of an even picture of 128 x 128 over 1.4, of 48 x 64 over 3.1."""

BURNT_GREY_LEVEL = 250.0
"""From here on nothing can be told from white: the camera's curve is flat."""


def spread(cells: NDArray[np.floating]) -> NDArray[np.floating]:
    """Between which grey levels the middle nine tenths of the cells lie: the distance, [n] of [n, 12, 16]."""
    low, high = np.percentile(cells, [5, 95], axis=(1, 2))
    return high - low


def burnt_out(cells: NDArray[np.floating]) -> NDArray[np.floating]:
    """Share of the cells that are (nearly) white, 0-1; [n] of [n, 12, 16]."""
    return (cells >= BURNT_GREY_LEVEL).mean(axis=(1, 2))


def empty(cells: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which pictures show nothing; [n] of [n, 12, 16]."""
    return (spread(cells) <= EMPTY_GREY_LEVELS) | (burnt_out(cells) >= 0.9)
