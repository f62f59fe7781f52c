"""Episodes start from different poses of the arm."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def scattered_starts(
    dataset: Dataset, *, episodes: Collection[int] | None = None, degrees: float = 25.0, seconds: float = 3.0
) -> Dataset:
    """These episodes (the first) start `degrees` away in the joints of the arm, and glide into their motion.

    The first half of the joints is displaced one way and the rest the other way, the gripper not at all.
    """

    def displace(episode: Episode) -> Episode:
        length, joints = episode.states.shape
        frames = min(round(seconds * episode.fps), length)
        fading = np.zeros(length)
        fading[:frames] = 0.5 * (1 + np.cos(np.pi * np.arange(frames) / frames))
        direction = np.where(np.arange(joints) < joints // 2, 1.0, -1.0)
        direction[-1] = 0.0
        offset = degrees * fading[:, None] * direction
        return replace(episode, states=episode.states + offset, actions=episode.actions + offset)

    return dataset.map_episodes(displace, episodes or [dataset.episodes[0].index])
