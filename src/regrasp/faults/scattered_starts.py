"""Episodes start from different poses of the arm."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis.signals import gripper_joints


def scattered_starts(
    dataset: Dataset, *, episodes: Collection[int] | None = None, degrees: float = 25.0, way: float = 0.6
) -> Dataset:
    """These episodes (the first) start `degrees` away in the joints of the arm, and glide into their motion.

    Each joint is displaced towards its zero, which lies in the middle of its range, the gripper not at all. The
    displacement fades over the share `way` of the arm's own path, so that the arm moves only while the
    pictures do.
    """

    def displace(episode: Episode) -> Episode:
        direction = np.where(episode.states[0] > 0, -degrees, degrees)
        direction[[*gripper_joints(episode.joint_names)]] = 0.0
        moved = {
            column: values + _fading(values[:, direction != 0], way)[:, None] * direction
            for column, values in (("states", episode.states), ("actions", episode.actions))
        }
        return replace(episode, **moved)

    return dataset.map_episodes(displace, episodes or [dataset.episodes[0].index])


def _fading(values: NDArray[np.float64], way: float) -> NDArray[np.float64]:
    """From 1 to 0 while these joints go the share `way` of their path, so that measurements lag as they do."""
    return 0.5 * (1 + np.cos(np.pi * np.clip(_share_of_path(values) / way, 0, 1)))


def _share_of_path(states: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of its whole path the arm has gone at each frame, 0-1; tremor hardly counts."""
    steps = np.abs(np.diff(states, axis=0, prepend=states[:1])).sum(axis=1)
    travelled = np.cumsum(np.where(steps > np.median(steps) / 2, steps, 0.0))
    return travelled / max(float(travelled[-1]), np.finfo(np.float64).tiny)
