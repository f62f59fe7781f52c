"""What the checks of joints share: where each episode's joints lie, how they rest, and how late they follow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis.signals import gripper_joints, joint_scale, known_median, once_per_dataset

POSES = ("start", "lowest", "low", "middle", "high", "highest", "end")
"""What `poses` tells of a joint in an episode: first and last value, and quantiles between them."""

QUANTILES = (0.02, 0.25, 0.5, 0.75, 0.98)
"""Those of lowest, low, middle, high and highest."""

STILL_SHARE = 0.003
"""Of a joint's working range, from one frame to the next: slower counts as standing still."""

DEGREE_STEPS = (360 / 4095, 360 / 4096)
"""One count of the servo's encoder: as LeRobot 0.6.1 turns it into degrees (`FeetechMotorsBus`), and as it is."""

ON_STEP = 0.05
"""How near to whole steps values lie that are counts, as a share of one."""

MOST_LOOKED_AT = 64
"""Frames of an episode, evenly spread, that tell whether a joint is measured in such steps."""

LONGEST_LAG_S = 1.0
"""Commands and measurements are compared up to so far apart."""

LEAST_LIKENESS = 0.6
"""Correlation of the speeds at the best lag from which a joint says anything about it. On five real arms
joints that move reach 0.7 to 0.99."""


@dataclass(frozen=True, eq=False)
class Poses:
    """Seven values of each joint in each episode (`POSES`), float64 [E, 7, J]; NaN where nothing is known."""

    states: NDArray[np.float64]
    actions: NDArray[np.float64]


@once_per_dataset
def poses(dataset: Dataset) -> Poses:
    """Where the joints of each episode start, end and spend their time."""
    return Poses(
        np.array([_pose(episode.states) for episode in dataset.episodes]),
        np.array([_pose(episode.actions) for episode in dataset.episodes]),
    )


def _pose(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """First value, five quantiles (the nearest value each), last value; [T, J] to [7, J]; NaN is left out."""
    rising = np.sort(values, axis=0)  # NaN comes last
    if np.isnan(rising[-1]).any():
        return np.stack([_pose_of_known(column[~np.isnan(column)]) for column in values.T], axis=1)
    places = np.round(np.array(QUANTILES) * (len(values) - 1)).astype(np.int64)
    return np.concatenate([values[:1], rising[places], values[-1:]])


def _pose_of_known(column: NDArray[np.float64]) -> NDArray[np.float64]:
    return _pose(column[:, None])[:, 0] if len(column) else np.full(len(POSES), np.nan)


@once_per_dataset
def first_frames(dataset: Dataset) -> NDArray[np.int64]:
    """Where each episode begins in `dataset.states`, and where the last one ends; int64 [E + 1]."""
    return np.cumsum([0, *(episode.length for episode in dataset.episodes)])


def episodes_of_frames(dataset: Dataset, frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """In which episode, by place in `dataset.episodes`, each frame of `dataset.states` lies."""
    return np.searchsorted(first_frames(dataset), frames, side="right") - 1


@once_per_dataset
def resting_gaps(dataset: Dataset) -> NDArray[np.float64]:
    """By how much a standing joint's command exceeds its measurement: median of each episode, float64 [E, J].

    NaN where a joint stands still for less than a tenth of a second. Needs joints that match.
    """
    slow = STILL_SHARE * joint_scale(dataset)
    return np.array([_resting_gap(episode, slow) for episode in dataset.episodes])


def _resting_gap(episode: Episode, slow: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the frames in which neither the command nor the joint moves."""
    gaps = episode.actions - episode.states
    with np.errstate(invalid="ignore"):
        still = np.zeros(gaps.shape, dtype=np.bool_)
        still[1:] = np.abs(np.diff(episode.states, axis=0)) <= slow
        still[1:] &= np.abs(np.diff(episode.actions, axis=0)) <= slow
    still &= np.isfinite(gaps)
    rising = np.sort(np.where(still, gaps, np.inf), axis=0)
    known, joints = still.sum(axis=0), np.arange(gaps.shape[1])
    medians = (rising[np.maximum(known - 1, 0) // 2, joints] + rising[known // 2 % len(rising), joints]) / 2
    return np.where(known >= max(2.0, 0.1 * episode.fps), medians, np.nan)


@dataclass(frozen=True, eq=False)
class Lags:
    """How long after its command each joint moves, seconds.

    Attributes:
        joints: Of each joint in each episode, float64 [E, J]; NaN where it moves too little to tell.
        episodes: The median of the joints, float64 [E]; NaN where none tells.
    """

    joints: NDArray[np.float64]
    episodes: NDArray[np.float64]

    @property
    def usual(self) -> float:
        """The median of the episodes; NaN where none tells."""
        known = self.episodes[np.isfinite(self.episodes)]
        return float(np.median(known)) if len(known) else float("nan")


@once_per_dataset
def lags(dataset: Dataset) -> Lags:
    """The shift at which the speeds of command and measurement are most alike; grippers are left out.

    What a gripper holds stops it, so its speed tells of the object. Needs joints that match.
    """
    arm = [j for j in range(dataset.states.shape[1]) if j not in gripper_joints(dataset.joint_names)]
    joints = np.full((len(dataset.episodes), dataset.states.shape[1]), np.nan)
    if arm:
        least = 0.1 * joint_scale(dataset)[arm]
        for place, episode in enumerate(dataset.episodes):
            joints[place, arm] = _lags_s(episode.actions[:, arm], episode.states[:, arm], episode.fps, least)
    return Lags(joints, _median_of_known(joints))


def _median_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each row without its NaN; NaN for a row of nothing else."""
    medians = np.full(len(values), np.nan)
    told = np.isfinite(values).any(axis=1)
    medians[told] = known_median(values[told], axis=1)
    return medians


def _lags_s(
    actions: NDArray[np.float64], states: NDArray[np.float64], fps: float, least: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Lag of each column, seconds; NaN where it moves less than `least` or the two are not alike."""
    longest = min(round(LONGEST_LAG_S * fps), len(actions) - 3)
    if longest < 1:
        return np.full(actions.shape[1], np.nan)
    wanted, moved = (_steps(values) for values in (actions, states))
    likeness = _likeness(wanted, moved, longest)
    best = np.argmax(likeness, axis=1)
    found = (best + _vertex(likeness, best) - longest) / fps
    travelled = np.minimum(np.abs(wanted).sum(axis=1), np.abs(moved).sum(axis=1))
    tells = (likeness.max(axis=1) >= LEAST_LIKENESS) & (travelled > least)
    return np.where(tells, found, np.nan)


def _steps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From frame to frame, [J, T - 1]; 0 next to what is no number."""
    known = np.where(np.isfinite(values), values, np.nan)
    return np.nan_to_num(np.diff(known, axis=0).T)


def _likeness(wanted: NDArray[np.float64], moved: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Correlation of rows [J, T] at shifts of -longest to longest frames; positive: `moved` is later."""
    size = _fast_length(wanted.shape[1] + longest)
    products = np.conj(np.fft.rfft(wanted, size)) * np.fft.rfft(moved, size)
    around = np.fft.irfft(products, size)
    energy = np.sqrt((wanted**2).sum(axis=1) * (moved**2).sum(axis=1))
    shifts = np.concatenate([around[:, -longest:], around[:, : longest + 1]], axis=1)
    return shifts / np.maximum(energy, np.finfo(np.float64).tiny)[:, None]


def _fast_length(least: int) -> int:
    """The next number of the form 2^k or 3 * 2^k: quick to transform."""
    power = 1 << (least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= least else power


def _vertex(values: NDArray[np.float64], best: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where between neighbours the parabola through the best of each row peaks, -0.5 to 0.5."""
    rows = np.arange(len(values))
    inner = (best > 0) & (best < values.shape[1] - 1)
    at = np.clip(best, 1, values.shape[1] - 2)
    left, top, right = (values[rows, at + step] for step in (-1, 0, 1))
    bend = 2 * top - left - right
    return np.where(inner & (bend > 0), 0.5 * (right - left) / np.where(bend > 0, bend, 1.0), 0.0)


@once_per_dataset
def share_on_degree_steps(dataset: Dataset) -> NDArray[np.float64]:
    """Share of the values that lie whole steps of the encoder, in degrees, from the first one; float64 [E, J].

    NaN for a joint of which 20 steps, or 20 different places, were not seen. By chance a tenth of the values do.
    """
    return np.array([_share_on_steps(episode.states) for episode in dataset.episodes])


def _share_on_steps(states: NDArray[np.float64]) -> NDArray[np.float64]:
    some = states[:: max(1, len(states) // MOST_LOOKED_AT)]
    away = some - some[0]
    tells = np.isfinite(away) & (np.abs(away) > 0.01)
    enough = tells.sum(axis=0) >= 20
    best = np.zeros(states.shape[1])
    for step in DEGREE_STEPS:
        counts = np.where(tells, away / step, 0.5)
        on_step = np.abs(counts - np.round(counts)) < ON_STEP
        best = np.maximum(best, on_step.sum(axis=0) / np.maximum(tells.sum(axis=0), 1))
    wide = np.ptp(np.where(np.isfinite(away), away, 0.0), axis=0) > 20 * DEGREE_STEPS[0]
    return np.where(enough & wide, best, np.nan)
