"""Timestamps have a hole, or jitter."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def irregular_timestamps(
    dataset: Dataset,
    *,
    episodes: Collection[int] | None = None,
    hole_s: float = 0.3,
    jitter_s: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """In these episodes (the first), time jumps by `hole_s` in the middle, and each frame is off by `jitter_s`.

    `jitter_s` is a standard deviation; the first frame stays at 0.
    """

    def disturb(episode: Episode) -> Episode:
        rng = np.random.default_rng([seed, episode.index])
        late = np.where(np.arange(episode.length) > episode.length // 2, hole_s, 0.0)
        noise = rng.normal(0, jitter_s, episode.length) if jitter_s else np.zeros(episode.length)
        noise[0] = 0.0
        return replace(episode, timestamps=episode.timestamps + late + noise)

    return dataset.map_episodes(disturb, episodes or [dataset.episodes[0].index])
