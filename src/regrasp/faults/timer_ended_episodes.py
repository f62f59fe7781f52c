"""A timer ends every episode, whatever the arm is doing."""

import numpy as np

from regrasp.data import Dataset, Episode
from regrasp.faults.frames import with_frames


def timer_ended_episodes(dataset: Dataset, *, share: float = 0.85) -> Dataset:
    """All episodes last as long as `share` of the shortest: cut off, or held in their last frame."""
    length = round(share * min(episode.length for episode in dataset.episodes))

    def end(episode: Episode) -> Episode:
        return with_frames(episode, np.minimum(np.arange(length), episode.length - 1))

    return dataset.map_episodes(end).as_recorded()
