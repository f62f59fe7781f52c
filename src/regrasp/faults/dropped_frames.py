"""Frames are missing in the middle of an episode, although its timestamps run on."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.faults.frames import with_frames


def dropped_frames(
    dataset: Dataset, *, episodes: Collection[int] | None = None, frames: int = 12, at: int | None = None
) -> Dataset:
    """These episodes (the first) lose so many frames from frame `at` on: where the arm goes furthest meanwhile.

    What is left is numbered, and timed, from 0.
    """

    def lose(episode: Episode) -> Episode:
        first = _fastest(episode.states[:, :-1], frames) if at is None else at
        return with_frames(episode, np.delete(np.arange(episode.length), np.arange(first, first + frames)))

    return dataset.map_episodes(lose, episodes or [dataset.episodes[0].index])


def _fastest(states: NDArray[np.float64], frames: int) -> int:
    """First of the frames over which the joints, together, go furthest; not at an end."""
    ways = np.linalg.norm(states[frames + 1 :] - states[: -frames - 1], axis=1)
    ways[:3], ways[-3:] = 0.0, 0.0
    return int(np.argmax(ways)) + 1
