"""The statistics are not those of the data."""

from dataclasses import replace

from regrasp.data import Dataset
from regrasp.data.metadata import ACTION, STATE


def stale_statistics(dataset: Dataset, *, scale: float = 0.45, offset: float = 11.0) -> Dataset:
    """Statistics of states and actions as if all values had been `scale * value + offset` (scale above 0)."""
    changed = dict(dataset.stats)
    for feature in (STATE, ACTION):
        changed[feature] = {
            name: values if name == "count" else scale * values + (0.0 if name == "std" else offset)
            for name, values in dataset.stats[feature].items()
        }
    return replace(dataset, stats=changed)
