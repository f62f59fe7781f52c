"""A joint's zero lies elsewhere in some episodes, or leader and follower disagree about it."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def calibration_offset(
    dataset: Dataset,
    *,
    joint: int = 1,
    degrees: float = 10.0,
    episodes: Collection[int] | None = None,
    columns: Collection[str] = ("states", "actions"),
) -> Dataset:
    """In these episodes (the last third) a joint is measured and commanded `degrees` higher than it is.

    With one of `columns` only leader or follower was calibrated anew.
    """
    numbers = [episode.index for episode in dataset.episodes]
    last = numbers[-max(len(numbers) // 3, 1) :]

    def shift(episode: Episode) -> Episode:
        offset = degrees * np.eye(episode.states.shape[1])[joint]
        return replace(episode, **{column: getattr(episode, column) + offset for column in columns})

    return dataset.map_episodes(shift, last if episodes is None else episodes)
