"""How far ahead demonstrations can be foretold: what the length of an action chunk is chosen from."""

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset

RELATED = 0.1
"""Correlation below which a motion no longer has to do with the present one.

In four of five recordings of real arms it is reached after 0.6 to 1.1 s; in one of nervous motion after 0.17 s.
"""

LONGEST_S = 4.0
"""Lags up to here are looked at."""


def motion_correlation(dataset: Dataset) -> NDArray[np.float64]:
    """Autocorrelation of the steps from action to action, lag 0 upwards, over all joints and episodes.

    Each joint counts in units of its own usual step. Frames that are not finite count as still. Empty without
    motion.
    """
    moves = [np.diff(np.nan_to_num(episode.actions), axis=0) for episode in dataset.episodes]
    moves = [move for move in moves if len(move) > 1]
    if not moves:
        return np.zeros(0)
    scale = np.concatenate(moves).std(axis=0)
    longest = min(round(LONGEST_S * dataset.fps), max(map(len, moves)))
    total = np.zeros(longest)
    for move in moves:
        total[: len(move)] += _autocorrelation(move / np.where(scale > 1e-9, scale, np.inf), longest)
    return total / total[0] if total[0] > 0 else np.zeros(0)


def foreseeable_frames(dataset: Dataset) -> int | None:
    """Frames until the correlation of motion falls below `RELATED`; None when it never does or nothing moves."""
    correlation = motion_correlation(dataset)
    below = np.flatnonzero(correlation < RELATED)
    return int(below[0]) if len(below) else None


def _autocorrelation(moves: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Sum over joints of each lag's products, [min(longest, T)]; by the Fourier transform (Wiener-Khinchin)."""
    size = 1 << (2 * len(moves) - 1).bit_length()
    spectrum = np.fft.rfft(moves, size, axis=0)
    products = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=0).sum(axis=1)
    return products[: min(longest, len(moves))]
