"""Episodes say nothing of what is to be done."""

from collections.abc import Collection

from regrasp.data import Dataset
from regrasp.faults.wording import reworded


def empty_instruction(
    dataset: Dataset, *, episodes: Collection[int] | None = None, wording: str = ""
) -> Dataset:
    """These episodes (the last) carry `wording`, which is no word."""
    return reworded(dataset, wording, episodes or [dataset.episodes[-1].index])
