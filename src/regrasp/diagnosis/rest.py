"""When the arm rests: at the start of episodes, at their end, and in between; and whether a timer ended them."""

import shlex
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis.signals import action_scale, joint_scale, once_per_dataset

REST_SHARE = 0.05
"""Of a joint's working range: who rests stays this close to one pose, measured and commanded.

A hand on the leader drifts by 3 %; at 5 % the rests of two real recordings are as a person sees them.
"""

KEPT_S = 0.5
"""What is left of a rest that is cut off: people take a few tenths of a second to set off."""

SAMPLES = 6
"""A long rest is looked for in this many samples of it before every frame is."""

SAME_LENGTH_FRAMES = 1
"""A timer's episodes differ by a frame: 372 to 374 in a recording that was set to 12.4 seconds."""

FEWEST_SAME = 5
"""Four episodes of one length happen to a steady hand; of 5, at 4 in 5, a timer is the likely reason."""

SAME_SHARE = 0.8


@dataclass(frozen=True, eq=False)
class Rests:
    """Frames for which each episode rests at its start and at its end, [E] each."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]


@once_per_dataset
def rests(dataset: Dataset) -> Rests:
    """How long each episode stays near its first pose, and how long near its last."""
    lengths = [
        (_both(dataset, episode, backwards=False), _both(dataset, episode, backwards=True))
        for episode in dataset.episodes
    ]
    start, end = np.array(lengths, dtype=np.int64).reshape(-1, 2).T
    return Rests(start, end)


def _both(dataset: Dataset, episode: Episode, *, backwards: bool) -> int:
    """Frames, from one end, in which neither what is measured nor what is commanded leaves its first value."""
    step = -1 if backwards else 1
    return min(
        frames_near_first(episode.states[::step], REST_SHARE * joint_scale(dataset)),
        frames_near_first(episode.actions[::step], REST_SHARE * action_scale(dataset)),
    )


def frames_near_first(values: NDArray[np.float64], limit: NDArray[np.float64], chunk: int = 64) -> int:
    """How many rows pass before one leaves the first by more than `limit` in some column.

    Example:
        >>> frames_near_first(np.array([[0.0], [1], [0], [3], [0]]), np.array([2.0]))
        3
    """
    for first in range(0, len(values), chunk):
        away = (np.abs(values[first : first + chunk] - values[0]) > limit).any(axis=1)
        if away.any():
            return first + int(np.argmax(away))
    return len(values)


def longest_pause(dataset: Dataset, episode: Episode, first: int, end: int, at_least: int) -> tuple[int, int]:
    """First frame and length of the longest rest between two frames, if it lasts `at_least`; else length 0."""
    values = np.concatenate([episode.states[first:end], episode.actions[first:end]], axis=1)
    limit = REST_SHARE * np.concatenate([joint_scale(dataset), action_scale(dataset)])
    step = max(1, at_least // SAMPLES)
    if not _still(values[::step], max(2, at_least // step), limit).any():
        return first, 0
    begins = _still(values, at_least, limit)
    resting = np.zeros(len(values), dtype=np.int64)
    np.add.at(resting, np.flatnonzero(begins), 1)
    np.add.at(resting, np.minimum(np.flatnonzero(begins) + at_least, len(values) - 1), -1)
    begin, frames = _longest(np.cumsum(resting) > 0)
    return first + begin, frames


def _still(values: NDArray[np.float64], frames: int, limit: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the window of `frames` rows that begins at each row spans no more than `limit`, [T]."""
    still = np.zeros(len(values), dtype=np.bool_)
    if len(values) >= frames:
        windows = np.lib.stride_tricks.sliding_window_view(values, frames, axis=0)
        still[: len(windows)] = (np.ptp(windows, axis=-1) <= limit).all(axis=1)
    return still


def _longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    if not len(edges):
        return 0, 0
    first, end = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return int(first), int(end - first)


def trimming_command(dataset: Dataset, check: str) -> str:
    """The command that cuts off, on a copy, the rests that a check found."""
    return shlex.join(["regrasp", "fix", str(dataset.path), "--into", f"{dataset.path}_trimmed", check])


def timer_length(dataset: Dataset) -> int | None:
    """The length that nearly all episodes have to the frame, as when a timer ends them; None without one."""
    counts = Counter(episode.length for episode in dataset.episodes)
    if not counts:
        return None
    usual, _ = counts.most_common(1)[0]
    same = sum(n for length, n in counts.items() if abs(length - usual) <= SAME_LENGTH_FRAMES)
    return usual if same >= max(FEWEST_SAME, SAME_SHARE * len(dataset.episodes)) else None


def timed_episodes(dataset: Dataset, length: int) -> list[int]:
    """Places of the episodes of this length, give or take a frame."""
    return [
        place
        for place, episode in enumerate(dataset.episodes)
        if abs(episode.length - length) <= SAME_LENGTH_FRAMES
    ]
