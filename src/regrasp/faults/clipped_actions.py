"""Commands are cut off at one value while the leader goes on."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def clipped_actions(
    dataset: Dataset, *, joint: int = 1, share: float = 0.2, episodes: Collection[int] | None = None
) -> Dataset:
    """In these episodes (all) a joint is not commanded into the highest `share` of the range of commands.

    The arm is measured accordingly.
    """
    low, high = float(np.nanmin(dataset.actions[:, joint])), float(np.nanmax(dataset.actions[:, joint]))
    limit = high - share * (high - low)

    def clip(episode: Episode) -> Episode:
        actions, states = episode.actions.copy(), episode.states.copy()
        actions[:, joint] = np.minimum(actions[:, joint], limit)
        states[:, joint] = np.minimum(states[:, joint], limit)
        return replace(episode, actions=actions, states=states)

    return dataset.map_episodes(clip, episodes)
