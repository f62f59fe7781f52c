"""Episodes break off long before the task is done."""

from collections.abc import Collection

import numpy as np

from regrasp.data import Dataset
from regrasp.faults.frames import with_frames


def truncated_episodes(
    dataset: Dataset, *, episodes: Collection[int] | None = None, share: float = 0.35
) -> Dataset:
    """These episodes (one in six) keep the first `share` of their frames."""
    chosen = episodes or [
        episode.index for episode in dataset.episodes[:: max(6, len(dataset.episodes) // 6)]
    ]
    return dataset.map_episodes(
        lambda episode: with_frames(episode, np.arange(max(2, round(share * episode.length)))), chosen
    ).as_recorded()
