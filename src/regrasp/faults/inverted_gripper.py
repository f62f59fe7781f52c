"""The gripper is measured the other way round: 100 where it is closed."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.data.rollouts import Rollouts


def inverted_gripper[Measured: (Dataset, Rollouts)](
    dataset: Measured,
    *,
    joint: int = -1,
    episodes: Collection[int] | None = None,
    opened: float = 100.0,
) -> Measured:
    """In these episodes (the second; of rollouts all) the gripper is commanded and measured as `opened` minus itself."""
    if isinstance(dataset, Rollouts):
        these = [episode.index for episode in dataset.episodes] if episodes is None else episodes
        changed = inverted_gripper(dataset.dataset, joint=joint, episodes=these, opened=opened)
        return replace(dataset, dataset=changed)

    def invert(episode: Episode) -> Episode:
        return replace(episode, states=_inverted(episode.states), actions=_inverted(episode.actions))

    def _inverted(values: NDArray[np.float64]) -> NDArray[np.float64]:
        changed = values.copy()
        changed[:, joint] = opened - values[:, joint]
        return changed

    numbers = [episode.index for episode in dataset.episodes]
    return dataset.map_episodes(invert, numbers[1:2] or numbers if episodes is None else episodes)
