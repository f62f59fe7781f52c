"""The measured joints run too late behind the commands, or before them."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def action_lag(dataset: Dataset, *, episodes: Collection[int] | None = None, seconds: float = 0.4) -> Dataset:
    """In these episodes (all) the measured joints are `seconds` later; earlier, if that is negative.

    What is missing at an end is the pose that comes first or last.
    """

    def delay(episode: Episode) -> Episode:
        frames = np.arange(episode.length) - round(seconds * episode.fps)
        return replace(episode, states=episode.states[np.clip(frames, 0, episode.length - 1)])

    return dataset.map_episodes(delay, episodes)
