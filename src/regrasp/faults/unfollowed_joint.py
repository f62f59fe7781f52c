"""A joint does not go where it is told."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def unfollowed_joint(
    dataset: Dataset,
    *,
    joint: int = 3,
    episodes: Collection[int] | None = None,
    stop: float | None = None,
) -> Dataset:
    """In these episodes (all) a joint is measured where it started; with `stop`, never beyond that."""

    def hold(episode: Episode) -> Episode:
        states = episode.states.copy()
        states[:, joint] = states[0, joint] if stop is None else np.minimum(states[:, joint], stop)
        return replace(episode, states=states)

    return dataset.map_episodes(hold, episodes)
