"""The instruction is an identifier."""

from collections.abc import Collection

from regrasp.data import Dataset
from regrasp.faults.wording import reworded


def unspecific_instruction(
    dataset: Dataset, *, episodes: Collection[int] | None = None, wording: str = "pick_and_place"
) -> Dataset:
    """These episodes (all) carry `wording`."""
    return reworded(dataset, wording, episodes)
