"""Joints are commanded or measured where the arm cannot go."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import LIMITS
from regrasp.data import Dataset, Episode

COLUMNS = ("states", "actions")


def out_of_limits(
    dataset: Dataset, *, joint: int = 2, episodes: Collection[int] | None = None, degrees: float = 40.0
) -> Dataset:
    """In these episodes (the first) a joint of an SO-101 in degrees runs past its upper limit by `degrees`.

    Command and measurement alike are stretched away from the first pose, or upwards where that is the highest.
    """

    def stretch(episode: Episode) -> Episode:
        first = episode.states[0, joint]
        away = episode.states[:, joint] - first
        furthest = away.max() if away.max() > 0.25 * np.ptp(away) else away.min()
        factor = (LIMITS[joint, 1] + degrees - first) / furthest
        return replace(
            episode,
            **{column: _stretched(getattr(episode, column), joint, first, factor) for column in COLUMNS},
        )

    return dataset.map_episodes(stretch, episodes or [dataset.episodes[0].index])


def _stretched(values: NDArray[np.float64], joint: int, first: float, factor: float) -> NDArray[np.float64]:
    changed = values.copy()
    changed[:, joint] = first + (values[:, joint] - first) * factor
    return changed
