"""In which unit each episode's joints are, and a dataset's episodes put into one unit for checks of other things."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis.joint_signals import poses
from regrasp.diagnosis.signals import gripper_joints, once_per_dataset

RADIANS, COUNTS, DEGREES = "radians", "encoder counts", "degrees"
"""Units of the joints; DEGREES also stands for what is of that size, such as -100 to 100."""

LARGEST_RADIANS = 2.1 * np.pi
"""No joint of an arm turns further from its zero."""

LEAST_COUNTS = 500.0
"""Degrees of an arm's joint stay below a turn and a half."""

LARGEST_FRACTION = 2.0
"""A gripper from 0 to 1, or in radians, stays below it."""

DEGREES_PER = {RADIANS: 180 / np.pi, COUNTS: 360 / 4096, DEGREES: 1.0}
"""Size of each unit in degrees."""

MIDDLE_COUNT = 2048.0
"""Where LeRobot's calibration puts the middle of a joint's range, to some ten counts."""

FITS_BETTER = 0.5
"""Converted poses must lie nearer to the usual ones by this factor than as they are."""


@dataclass(frozen=True, eq=False)
class Units:
    """Units of the joints of an arm.

    Attributes:
        body: Of the joints but the grippers, by episode.
        usual: The one of most episodes.
        small_grippers: Whether a gripper is from 0 to 1 where others are from 0 to 100; bool [E, J].
        usually_small: Whether that is so in most episodes, by joint; bool [J].
    """

    body: tuple[str, ...]
    usual: str
    small_grippers: NDArray[np.bool_]
    usually_small: NDArray[np.bool_]

    @property
    def odd_grippers(self) -> NDArray[np.bool_]:
        """Where a gripper is of the rarer size, bool [E, J]."""
        return self.small_grippers != self.usually_small


def unit_by_size(values: NDArray[np.float64]) -> str:
    """Unit of an arm's joints without the gripper, as far as their size tells."""
    largest = float(np.nan_to_num(np.abs(values)).max(initial=0.0))
    return RADIANS if largest <= LARGEST_RADIANS else COUNTS if largest > LEAST_COUNTS else DEGREES


def converts(values: NDArray[np.float64], reference: NDArray[np.float64], one: str, other: str) -> bool:
    """Whether values become like the reference when they are taken from `one` unit to the `other`."""
    if COUNTS in (one, other):
        return True  # by size alone: no joint in degrees goes that far
    return _fits(values, reference, DEGREES_PER[one] / DEGREES_PER[other])


def _fits(values: NDArray[np.float64], reference: NDArray[np.float64], factor: float) -> bool:
    distances = [np.abs(f * values - reference) for f in (1.0, factor)]
    as_is, converted = (float(np.nan_to_num(distance).mean()) for distance in distances)
    return converted < FITS_BETTER * as_is


def body_joints(dataset: Dataset) -> list[int]:
    """All joints but the grippers."""
    grippers = gripper_joints(dataset.joint_names)
    return [joint for joint in range(len(dataset.joint_names)) if joint not in grippers]


@once_per_dataset
def units(dataset: Dataset) -> Units:
    """The units of all episodes, from the size of what was measured and how well it fits the other episodes."""
    values = poses(dataset).states
    small = np.zeros((len(values), values.shape[2]), dtype=np.bool_)
    usually = np.zeros(values.shape[2], dtype=np.bool_)
    for joint in gripper_joints(dataset.joint_names):
        small[:, joint] = _small_gripper(dataset, values[:, :, joint], joint)
        usually[joint] = 2 * small[:, joint].sum() > len(values)
    body, usual = _body_units(values[:, :, body_joints(dataset)])
    return Units(body, usual, small, usually)


def _body_units(values: NDArray[np.float64]) -> tuple[tuple[str, ...], str]:
    found = [unit_by_size(episode) for episode in values]
    if len(set(found)) < 2:
        return tuple(found), found[0] if found else DEGREES
    counts = Counter(found)
    usual = max(counts, key=lambda unit: (counts[unit], unit == DEGREES))
    of_usual = values[[unit == usual for unit in found]]
    reference = np.median(np.nan_to_num(of_usual), axis=0)
    odd = [
        unit if converts(episode, reference, unit, usual) else usual
        for unit, episode in zip(found, values, strict=True)
    ]
    return tuple(odd), usual


def _small_gripper(dataset: Dataset, values: NDArray[np.float64], joint: int) -> NDArray[np.bool_]:
    """Episodes whose gripper opens and closes, never exceeds 2, and fits the large ones a hundred times as large.

    All False where none is large.
    """
    largest = np.nan_to_num(np.abs(values)).max(axis=1)
    large = largest > 10.0
    small = (largest <= LARGEST_FRACTION) & (np.nan_to_num(np.ptp(values, axis=1)) > 0.5 * largest)
    small &= largest > 0
    if not small.any() or not large.any():
        return np.zeros(len(values), dtype=np.bool_)
    reference = np.median(np.nan_to_num(values[large]), axis=0)
    for place in np.flatnonzero(small):
        flicker = len(np.unique(dataset.episodes[place].states[:, joint])) < 30
        small[place] = not flicker and _fits(values[place], reference, 100.0)
    return small


@once_per_dataset
def in_one_unit(dataset: Dataset) -> Dataset:
    """The dataset with its joints in the usual unit, and grippers from 0 to 100 where some are.

    So that checks of other things see no second defect. The dataset itself where nothing is to be converted.
    """
    found = units(dataset)
    odd = {
        episode.index: place
        for place, episode in enumerate(dataset.episodes)
        if found.body[place] != found.usual or found.small_grippers[place].any()
    }
    if not odd or dataset.states.shape != dataset.actions.shape:
        return dataset

    def convert(episode: Episode) -> Episode:
        place = odd[episode.index]
        states, actions = (
            _converted(dataset, values, place, found) for values in (episode.states, episode.actions)
        )
        return replace(episode, states=states, actions=actions)

    return dataset.map_episodes(convert, odd)


def _converted(
    dataset: Dataset, values: NDArray[np.float64], place: int, found: Units
) -> NDArray[np.float64]:
    changed = values.copy()
    body, unit = body_joints(dataset), found.body[place]
    if unit != found.usual:
        zero = {COUNTS: MIDDLE_COUNT}
        degrees = (values[:, body] - zero.get(unit, 0.0)) * DEGREES_PER[unit]
        changed[:, body] = degrees / DEGREES_PER[found.usual] + zero.get(found.usual, 0.0)
    changed[:, found.small_grippers[place]] *= 100.0
    if COUNTS in (unit, found.usual) and unit != found.usual:
        usual = np.array([known == found.usual for known in found.body])
        for joint in gripper_joints(dataset.joint_names):
            _stretch(changed[:, joint], poses(dataset).states[:, :, joint], place, usual)
    return changed


def _stretch(
    values: NDArray[np.float64], known: NDArray[np.float64], place: int, usual: NDArray[np.bool_]
) -> None:
    """Put a gripper in counts on the usual range, in place; one of the usual size stays as it is."""
    low, high = np.nan_to_num(known[place]).min(), np.nan_to_num(known[place]).max()
    usual_low, usual_high = (np.median(f(np.nan_to_num(known[usual]), axis=1)) for f in (np.min, np.max))
    if (high > LEAST_COUNTS) != (usual_high > LEAST_COUNTS) and high > low:
        values[:] = usual_low + (values - low) * (usual_high - usual_low) / (high - low)
