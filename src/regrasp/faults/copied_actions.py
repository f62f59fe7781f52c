"""The recorded commands are the measurements, written down a second time."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def copied_actions(
    dataset: Dataset,
    *,
    episodes: Collection[int] | None = None,
    joints: Collection[int] | None = None,
    later: int = 0,
) -> Dataset:
    """In these episodes (all) the commands of these joints (all) are the measurements `later` frames on."""

    def copy(episode: Episode) -> Episode:
        columns = list(range(episode.actions.shape[1]) if joints is None else joints)
        frames = np.minimum(np.arange(episode.length) + later, episode.length - 1)
        actions = episode.actions.copy()
        actions[:, columns] = episode.states[frames][:, columns]
        return replace(episode, actions=actions)

    return dataset.map_episodes(copy, episodes)
