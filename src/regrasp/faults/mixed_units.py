"""Episodes of one dataset are in different units."""

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER, LIMITS
from regrasp.data import Dataset, Episode

type Unit = Literal["radians", "counts", "-100..100", "degrees"]


def mixed_units(
    dataset: Dataset,
    *,
    episodes: Collection[int] | None = None,
    unit: Unit = "radians",
    gripper: bool = True,
    columns: Collection[str] = ("states", "actions"),
) -> Dataset:
    """These episodes (the first and the last) of an SO-101 in degrees are written in another unit.

    With `gripper`, the gripper goes from 0 to 1 (radians), in counts, or as it was (-100..100). With the unit
    "degrees" the joints stay as they are.
    """

    def convert(episode: Episode) -> Episode:
        return replace(
            episode, **{column: _converted(getattr(episode, column), unit, gripper) for column in columns}
        )

    ends = {dataset.episodes[0].index, dataset.episodes[-1].index}
    return dataset.map_episodes(convert, ends if episodes is None else episodes)


def _converted(values: NDArray[np.float64], unit: Unit, gripper: bool) -> NDArray[np.float64]:
    factors = {
        "radians": np.full(6, np.pi / 180),
        "counts": np.full(6, 4096 / 360),
        "-100..100": 200 / np.ptp(LIMITS, axis=1),
        "degrees": np.ones(6),
    }[unit]
    zeros = 2048.0 if unit == "counts" else 0.0
    middle = LIMITS.mean(axis=1) if unit == "-100..100" else np.zeros(6)
    changed = (values - middle) * factors + zeros
    percent = {"radians": 0.01, "counts": 14.0, "-100..100": 1.0, "degrees": 0.01}[unit] if gripper else 1.0
    changed[:, GRIPPER] = values[:, GRIPPER] * percent + (2000.0 if unit == "counts" and gripper else 0.0)
    return changed
