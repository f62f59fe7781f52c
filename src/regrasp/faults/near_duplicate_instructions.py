"""Two spellings of one instruction."""

from collections.abc import Collection

from regrasp.data import Dataset
from regrasp.faults.wording import reworded


def near_duplicate_instructions(
    dataset: Dataset, *, episodes: Collection[int] | None = None, wording: str | None = None
) -> Dataset:
    """These episodes (the last) carry `wording`; without one, the first instruction less its last letter."""
    slip = wording if wording is not None else dataset.tasks[0][:-1]
    return reworded(dataset, slip, episodes or [dataset.episodes[-1].index])
