"""Two spellings of one instruction."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode


def near_duplicate_instructions(
    dataset: Dataset, *, episodes: Collection[int] | None = None, wording: str | None = None
) -> Dataset:
    """These episodes (the last) carry `wording`; without one, the first instruction less its last letter."""
    slip = wording if wording is not None else dataset.tasks[0][:-1]
    number = len(dataset.tasks)

    def rename(episode: Episode) -> Episode:
        indices = np.full(episode.length, number, dtype=np.int64)
        return replace(episode, tasks=(slip,), task_indices=indices)

    renamed = dataset.map_episodes(rename, episodes or [dataset.episodes[-1].index])
    return replace(renamed, tasks=(*dataset.tasks, slip))
