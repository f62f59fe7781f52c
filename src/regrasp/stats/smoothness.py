"""How an arm moves: smoothly or not, back and forth, or not at all. Joints are columns, [T, J], in their own units.

Measures that add joints up take a `scale` [J], the range in which each joint works, so that units do not count.
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

WINDOW_S = 0.5
"""Over which derivatives are fitted. An encoder step of 0.088 degrees at 30 Hz is a jerk of 2,376 degrees/s^3 between
neighbouring frames; fitted over 15 frames it is 17, a sixth of that of a reach through 100 degrees in 3 s."""

ORDER = 4
"""Of the polynomial: a third derivative that may itself change."""

TURN_SHARE = 0.02
"""Of its range by which a joint must come back for a turn: above the droop and jitter of a resting servo (1-3 degrees
of a range of 100 to 200)."""

STILL_SHARE, STILL_S = 0.01, 0.3
"""A joint stands still while it stays within this share of its range for this long."""


def log_dimensionless_jerk(positions: Array, fps: float, scale: Array) -> float:
    """Smoothness of a motion: the higher (less negative), the smoother. NaN for what is too short or does not move.

    -ln(D^5 / A^2 * integral of the squared jerk), D the duration and A the greatest distance from the first pose, both
    over all joints (Hogan & Sternad 2009; the logarithm after Balasubramanian et al. 2015). Derivatives are fitted
    (Savitzky & Golay 1964). Motions of about one duration can be compared; a pause makes it lower.

    Example:
        >>> t = np.linspace(0, 1, 90)[:, None]
        >>> least_jerk = 10 * t**3 - 15 * t**4 + 6 * t**5
        >>> shaking = least_jerk + 0.02 * np.sin(40 * t)
        >>> [round(log_dimensionless_jerk(x, 30, np.ones(1)), 1) for x in (least_jerk, shaking)]
        [-6.7, -13.0]
    """
    from scipy.signal import savgol_filter

    length = _window(fps)
    moved = positions / scale
    if len(moved) < 2 * length or not np.isfinite(moved).all():
        return float("nan")
    amplitude = float(np.linalg.norm(moved - moved[0], axis=1).max())
    if amplitude < STILL_SHARE:
        return float("nan")
    jerk = np.asarray(savgol_filter(moved, length, ORDER, deriv=3, delta=1 / fps, axis=0), dtype=np.float64)
    duration = len(moved) / fps
    return float(-np.log(duration**5 / amplitude**2 * np.sum(jerk**2) / fps))


def _window(fps: float) -> int:
    """Frames of the fit: odd, and more than the order of its polynomial."""
    return max(2 * round(WINDOW_S * fps / 2) + 1, ORDER + 3)


def reversals_per_s(positions: Array, fps: float, scale: Array) -> float:
    """How often a second joints turn round, all joints together; turns smaller than `TURN_SHARE` do not count.

    Example:
        >>> t = np.arange(60)[:, None] / 30
        >>> round(reversals_per_s(np.sin(2 * np.pi * 3 * t), 30, np.ones(1)))
        6
    """
    from scipy.signal import find_peaks

    if len(positions) < 3:
        return float("nan")
    turns = sum(
        len(find_peaks(sign * joint, prominence=TURN_SHARE)[0])
        for joint in np.nan_to_num(positions / scale).T
        for sign in (1.0, -1.0)
    )
    return turns * fps / len(positions)


def still_frames(positions: Array, fps: float, scale: Array) -> NDArray[np.bool_]:
    """Which frames belong to a stretch of `STILL_S` or more in which no joint moves, [T].

    Example:
        >>> x = np.concatenate([np.zeros(20), np.linspace(0, 1, 20)])[:, None]
        >>> int(still_frames(x, 10, np.ones(1)).sum())
        21
    """
    length = max(round(STILL_S * fps), 2)
    still = np.zeros(len(positions), dtype=np.bool_)
    if len(positions) < length:
        return still
    windows = np.lib.stride_tricks.sliding_window_view(positions / scale, length, axis=0)
    begins = np.flatnonzero((np.ptp(windows, axis=-1) <= STILL_SHARE).all(axis=1))
    for offset in range(length):
        still[begins + offset] = True
    return still
