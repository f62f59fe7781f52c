"""Gives episodes another instruction; faults of language are made with it."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def reworded(dataset: Dataset, wording: str, episodes: Collection[int] | None) -> Dataset:
    """These episodes, or all, carry `wording`, which is appended to the instructions if it is new."""
    tasks = dataset.tasks if wording in dataset.tasks else (*dataset.tasks, wording)
    number = tasks.index(wording)

    def rename(episode: Episode) -> Episode:
        indices = np.full(episode.length, number, dtype=np.int64)
        return replace(episode, tasks=(wording,), task_indices=indices)

    return replace(dataset.map_episodes(rename, episodes), tasks=tasks)
