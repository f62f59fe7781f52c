"""The gripper is never closed on anything."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def idle_gripper(
    dataset: Dataset,
    *,
    joint: int = -1,
    episodes: Collection[int] | None = None,
    low: float | None = None,
) -> Dataset:
    """In these episodes (all) the gripper stays as it starts, or, with `low`, never goes below that."""

    def idle(episode: Episode) -> Episode:
        states, actions = episode.states.copy(), episode.actions.copy()
        for values in (states, actions):
            values[:, joint] = values[0, joint] if low is None else np.maximum(values[:, joint], low)
        return replace(episode, states=states, actions=actions)

    return dataset.map_episodes(idle, episodes)
