"""Commands jump back and forth instead of running smoothly."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def jerky_motion(
    dataset: Dataset,
    *,
    episodes: Collection[int] | None = None,
    degrees: float = 7.0,
    every: int = 4,
    seed: int = 0,
) -> Dataset:
    """Each `every` frames of these episodes (the first), the arm's commands get a new random offset.

    `degrees` is the offset's standard deviation. A policy does that when it plans anew, a little
    differently, after so many frames. The measured joints stay as they were, and so fit the pictures; the
    gripper is left alone.
    """

    def shake(episode: Episode) -> Episode:
        rng = np.random.default_rng([seed, episode.index])
        plans = -(-episode.length // every)
        offset = np.repeat(rng.normal(0, degrees, (plans, episode.actions.shape[1])), every, axis=0)
        offset[:every], offset[:, -1] = 0.0, 0.0
        return replace(episode, actions=episode.actions + offset[: episode.length])

    return dataset.map_episodes(shake, episodes or [dataset.episodes[0].index])
