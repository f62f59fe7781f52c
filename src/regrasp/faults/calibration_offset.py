"""A joint's zero lies elsewhere in some episodes, or leader and follower disagree about it."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode
from regrasp.data.rollouts import Rollouts


def calibration_offset[Measured: (Dataset, Rollouts)](
    dataset: Measured,
    *,
    joint: int = 1,
    degrees: float = 10.0,
    episodes: Collection[int] | None = None,
    columns: Collection[str] = ("states", "actions"),
) -> Measured:
    """In these episodes (the last third; of rollouts all) a joint is measured and commanded `degrees` higher than it is.

    With one of `columns` only leader or follower was calibrated anew.
    """
    if isinstance(dataset, Rollouts):
        these = [one.index for one in dataset.episodes] if episodes is None else episodes
        shifted = calibration_offset(
            dataset.dataset, joint=joint, degrees=degrees, episodes=these, columns=columns
        )
        return replace(dataset, dataset=shifted)
    numbers = [episode.index for episode in dataset.episodes]
    last = numbers[-max(len(numbers) // 3, 1) :]

    def shift(episode: Episode) -> Episode:
        offset = degrees * np.eye(episode.states.shape[1])[joint]
        return replace(episode, **{column: getattr(episode, column) + offset for column in columns})

    return dataset.map_episodes(shift, last if episodes is None else episodes)
