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
    """In these episodes (all) the gripper stays as it starts; with `low`, once open it never goes below that."""

    def idle(episode: Episode) -> Episode:
        states, actions = episode.states.copy(), episode.actions.copy()
        for values in (states, actions):
            gripper = values[:, joint]
            opened = low is not None and np.maximum.accumulate(gripper) >= low
            values[:, joint] = (
                gripper[0] if low is None else np.where(opened, np.maximum(gripper, low), gripper)
            )
        return replace(episode, states=states, actions=actions)

    return dataset.map_episodes(idle, episodes)
