"""A policy whose normaliser has the statistics of other data."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from regrasp.data.checkpoint import Checkpoint, read_checkpoint
from regrasp.data.metadata import ACTION, STATE
from regrasp.data.normaliser import rewritten_checkpoint

type Statistics = Mapping[str, Mapping[str, NDArray[Any]]]


def normalisation_mismatch(checkpoint: Checkpoint, *, times: float = 1.5) -> Checkpoint:
    """The same, with all means and deviations `times` as large, on the way in and out."""
    return replace(
        checkpoint,
        normalizer=_scaled(checkpoint.normalizer, times),
        unnormalizer=_scaled(checkpoint.unnormalizer, times),
    )


def _scaled(statistics: Statistics, times: float) -> dict[str, dict[str, NDArray[Any]]]:
    return {
        feature: {
            name: times * values if name in ("mean", "std") else values for name, values in kept.items()
        }
        for feature, kept in statistics.items()
    }


def mis_normalised(path: str | Path, into: Path, *, times: float = 1.5) -> Path:
    """A copy on disk of the checkpoint at `path` with its joints' means and deviations `times` as large; its folder.

    The contract beside it is the old one, which still holds the rightful statistics.
    """
    checkpoint = read_checkpoint(path)
    joints = {name: kept for name, kept in checkpoint.normalizer.items() if name in (STATE, ACTION)}
    return rewritten_checkpoint(path, into, _scaled(joints, times))
