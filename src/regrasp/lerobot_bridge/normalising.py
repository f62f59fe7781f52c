"""Which statistics a policy in training normalises with.

LeRobot 0.6.1 takes those of the whole dataset, episodes that are held out included, and replaces those of a checkpoint
that is trained further by those of the new data. A policy that was trained to see -20 degrees as -0.5 sees something
else then, in every joint, before its first step.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.datasets.compute_stats import aggregate_stats
from lerobot.processor import rename_stats
from numpy.typing import NDArray

from regrasp.data.checkpoint import Checkpoint
from regrasp.data.dataset import Dataset
from regrasp.data.metadata import ACTION, STATE
from regrasp.data.statistics import pooled_statistics
from regrasp.lerobot_bridge.folders import read_rows

ROW = "stats/"

type Statistics = dict[str, dict[str, Any]]


def training_statistics(
    root: Path, data: Dataset, held_out: set[int], known: Mapping[str, Any]
) -> Statistics:
    """Statistics without the episodes held out, for the features of `known`, which gives those that cannot be had.

    Joints are pooled over all frames; pictures and counters are aggregated from their episodes by LeRobot.
    """
    rows = [row for row in read_rows(root) if int(row["episode_index"]) not in held_out]
    parts = [_of_row(row, known) for row in rows]
    fresh: Statistics = dict(aggregate_stats(parts)) if parts and all(parts) else {}
    trained = [episode for episode in data.episodes if episode.index not in held_out]
    fresh[STATE] = pooled_statistics(np.concatenate([episode.states for episode in trained]))
    fresh[ACTION] = pooled_statistics(np.concatenate([episode.actions for episode in trained]))
    return {name: {**values, **fresh.get(name, {})} for name, values in known.items()}


def checkpoint_statistics(checkpoint: Checkpoint, known: Mapping[str, Any]) -> Statistics | None:
    """The checkpoint's statistics laid over `known`; None where it has none of the joints of this robot."""
    for name in (STATE, ACTION):
        theirs = checkpoint.normalizer.get(name)
        if theirs is None or name not in known or _width(theirs) != _width(known[name]):
            return None
    kept = {
        name: {key: np.array(value) for key, value in values.items()}
        for name, values in checkpoint.normalizer.items()
    }
    return {name: {**known.get(name, {}), **kept.get(name, {})} for name in {**known, **kept}}


def renamed_statistics(statistics: Mapping[str, Any], names: Mapping[str, str]) -> Statistics:
    """The statistics, also under the names by which the policy asks for them.

    LeRobot 0.6.1 renames a camera's pictures and not its statistics in training, and then does not normalise them.
    """
    changed = {old: new for old, new in names.items() if old != new and old in statistics}
    return {**statistics, **rename_stats({old: statistics[old] for old in changed}, changed)}


def _of_row(row: Mapping[str, Any], known: Mapping[str, Any]) -> Statistics:
    """What one episode's row of the metadata says of each feature."""
    found: Statistics = {}
    for name in known:
        values = {
            key.rpartition("/")[2]: np.array(value, dtype=np.float64)
            for key, value in row.items()
            if key.startswith(f"{ROW}{name}/") and value is not None
        }
        if {"min", "max", "mean", "std", "count"} <= values.keys():
            found[name] = values
    return found


def _width(values: Mapping[str, Any]) -> int:
    """Numbers of one statistic."""
    column: NDArray[Any] = np.asarray(
        next(iter(values[name] for name in ("mean", "min") if name in values), [])
    )
    return column.size
