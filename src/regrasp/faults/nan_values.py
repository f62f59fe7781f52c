"""Numbers of a column are not numbers."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def nan_values(
    dataset: Dataset, *, episodes: Collection[int] = (0,), joint: int = 0, first: int = 10, last: int = 12
) -> Dataset:
    """NaN instead of one joint's commands in frames `first` to `last` of these episodes."""

    def damage(episode: Episode) -> Episode:
        actions = episode.actions.copy()
        actions[first : last + 1, joint] = np.nan
        return replace(episode, actions=actions)

    return dataset.map_episodes(damage, episodes)
