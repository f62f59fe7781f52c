"""The statistics that a checkpoint normalises with, put in place on a copy of it.

LeRobot 0.6.1 keeps them twice, in a safetensors file for the way in and in one for the way out. Only the numbers
are exchanged: names, shapes, types and everything else in the files stay byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regrasp.data.checkpoint import (
    MODEL_FOLDER,
    POSTPROCESSOR,
    PREPROCESSOR,
    Checkpoint,
    pretrained_folder,
    read_checkpoint,
)
from regrasp.data.contract import Contract, write_contract
from regrasp.data.contract_measuring import NORMALISING, joint_statistics, of_checkpoint
from regrasp.data.dataset import Dataset
from regrasp.data.metadata import ACTION, STATE
from regrasp.data.new_folder import copy_folder, new_folder
from regrasp.data.safetensors import overwrite_safetensors, read_safetensors
from regrasp.data.statistics import pooled_statistics
from regrasp.errors import CheckpointError

SAME = 1e-4
"""Statistics that differ by less, as a share or in their unit, are the same: LeRobot keeps them as float32."""

type Statistics = Mapping[str, Mapping[str, NDArray[Any]]]
"""Feature -> statistic -> values."""


@dataclass(frozen=True, eq=False)
class Rightful:
    """The statistics that a policy ought to have, and where they come from."""

    statistics: Statistics
    source: Literal["contract", "data"]


def rightful_statistics(checkpoint: Checkpoint, contract: Contract | None, dataset: Dataset) -> Rightful:
    """Those that were saved with the weights, as the contract holds them; else those of the training data.

    A contract that was written beside other statistics than the checkpoint has now is believed: it was there first.
    Of the data, what LeRobot took is taken (`meta/stats.json`), or counted anew where that is missing. Statistics of
    pictures, which a contract does not hold, stay as they are unless those of the data give its digest.
    """
    if contract is not None and contract.normalisation and _changed(contract, checkpoint):
        kept = {
            feature: {name: np.array(values) for name, values in statistics.items()}
            for feature, statistics in contract.normalisation.items()
        }
        whole = {**dataset.stats, **kept}
        held = with_statistics(checkpoint.normalizer, whole)
        same = replace(checkpoint, normalizer=held).normalisation_digest == contract.normalisation_digest
        return Rightful(whole if same else kept, "contract")
    counted = {STATE: dataset.states, ACTION: dataset.actions}
    own = {
        feature: dataset.stats.get(feature) or pooled_statistics(values)
        for feature, values in counted.items()
    }
    return Rightful(own, "data")


def with_statistics(held: Statistics, rightful: Statistics) -> dict[str, dict[str, NDArray[Any]]]:
    """What a normaliser holds, with those numbers in place that `rightful` knows in the same shape."""
    return {
        feature: {
            name: _in_place(values, rightful.get(feature, {}).get(name)) for name, values in kept.items()
        }
        for feature, kept in held.items()
    }


def rewritten_checkpoint(path: str | Path, into: Path, statistics: Statistics) -> Path:
    """A copy of a checkpoint's `pretrained_model` in the new folder `into` that normalises with `statistics`.

    Gives the copy's `pretrained_model`. The contract beside it is copied as it is.

    Raises:
        CheckpointError: The checkpoint holds no statistics that could be exchanged.
    """
    source = pretrained_folder(path)
    if not any(source.glob(PREPROCESSOR)):
        raise CheckpointError(
            f"Found no statistics in {source}; expected those of a normaliser, to be exchanged; try "
            "`regrasp train DATASET --policy CHECKPOINT --new-statistics`."
        )
    with new_folder(into) as partial:
        copy_folder(source, partial / MODEL_FOLDER)
        for pattern in (PREPROCESSOR, POSTPROCESSOR):
            for file in sorted((partial / MODEL_FOLDER).glob(pattern)):
                _exchange(file, statistics)
    return into / MODEL_FOLDER


@dataclass(frozen=True, eq=False)
class Restoring:
    """What a copy of a checkpoint would normalise with, and what of it differs from what it has now.

    `changes` are sentences, one for each statistic of a feature.
    """

    checkpoint: Checkpoint
    dataset: Dataset
    rightful: Rightful
    changes: tuple[str, ...]

    @property
    def named(self) -> str:
        """Where the statistics come from."""
        return "its contract" if self.rightful.source == "contract" else self.dataset.name

    def to_json(self) -> dict[str, object]:
        """As `regrasp fix --json` prints it."""
        return {
            "checkpoint": str(self.checkpoint.path),
            "statistics_of": self.rightful.source,
            "changes": list(self.changes),
        }


def plan_restoring(path: str | Path, dataset: Dataset) -> Restoring:
    """What there is to put right in the statistics of a checkpoint that was trained on a dataset."""
    checkpoint = read_checkpoint(path)
    rightful = rightful_statistics(checkpoint, checkpoint.contract, dataset)
    changes = [
        *_changes("on the way in", checkpoint.normalizer, rightful.statistics),
        *_changes("on the way out", checkpoint.unnormalizer, rightful.statistics),
    ]
    return Restoring(checkpoint, dataset, rightful, tuple(changes))


def restore(plan: Restoring, into: Path) -> Path:
    """Write the copy, with a contract that knows its statistics; gives its `pretrained_model`."""
    written = rewritten_checkpoint(plan.checkpoint.path, into, plan.rightful.statistics)
    contract, copy = plan.checkpoint.contract, read_checkpoint(written)
    if contract is not None and contract.normalisation_digest != copy.normalisation_digest:
        write_contract(written, contract.model_copy(update=of_checkpoint(copy)))
    return written


def _changes(way: str, held: Statistics, rightful: Statistics) -> list[str]:
    """What would change, feature by feature."""
    told: list[str] = []
    for feature, kept in with_statistics(held, rightful).items():
        for name, new in kept.items():
            old = held[feature][name]
            if name in NORMALISING and not np.allclose(old, new, rtol=SAME, atol=SAME, equal_nan=True):
                told.append(f"{name} of {feature} {way}: {_told(old)} becomes {_told(new)}")
    return told


def _told(values: NDArray[Any]) -> str:
    return " ".join(f"{value:.4g}" for value in np.ravel(values))


def _changed(contract: Contract, checkpoint: Checkpoint) -> bool:
    own = joint_statistics(checkpoint.normalizer)
    out = joint_statistics(checkpoint.unnormalizer)
    kept = contract.normalisation
    return own != kept or any(out[name] != kept.get(name) for name in out.keys() & {ACTION})


def _in_place(values: NDArray[Any], rightful: NDArray[Any] | None) -> NDArray[Any]:
    """The rightful numbers where they have the same size, in the shape and type that is kept."""
    if rightful is None or np.size(rightful) != np.size(values):
        return values
    return np.asarray(rightful).reshape(np.shape(values)).astype(values.dtype)


def _exchange(file: Path, statistics: Statistics) -> None:
    """Overwrite the numbers of one safetensors file, in place of their old ones."""
    rightful: dict[str, NDArray[Any]] = {}
    for key, values in read_safetensors(file).items():
        feature, _, name = key.rpartition(".")
        rightful[key] = _in_place(values, statistics.get(feature, {}).get(name))
    overwrite_safetensors(file, rightful)
