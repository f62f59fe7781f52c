"""Which way round a gripper is measured, from the other episodes and from what it holds."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis.joint_signals import first_frames, poses
from regrasp.diagnosis.signals import gripper_joints, once_per_dataset
from regrasp.diagnosis.unit_signals import LARGEST_FRACTION, in_one_unit

if TYPE_CHECKING:
    from regrasp.data.contract import JointContract

FITS_BETTER = 0.5
"""Inverted, an episode must be nearer to the others by this factor."""

MIN_DISTANCE = 0.2
"""Of the gripper's range: an episode nearer to the others than that, or whose gripper moves less, is not inverted."""

PRESSED = 0.04
"""Of the gripper's range: how far the command goes beyond jaws that hold something. In four recordings of real
arms jaws that close on nothing follow to 2.7 % of it, and jaws on an object stay 4.5 to 25 % behind."""

HELD_S = 0.3
"""Jaws that stand still for so long are stopped, not slow."""

LOWEST_PERCENT, LARGEST_PERCENT = -15.0, 115.0
"""A gripper from 0 to 100 goes a little beyond by a bad calibration."""


@once_per_dataset
def inverted_grippers(dataset: Dataset) -> NDArray[np.bool_]:
    """Which grippers are measured the other way round than in the other episodes, bool [E, J].

    Of a dataset whose joints are in one unit.
    """
    odd = np.zeros((len(dataset.episodes), dataset.states.shape[1]), dtype=np.bool_)
    if dataset.states.shape == dataset.actions.shape:
        for joint in gripper_joints(dataset.joint_names):
            ends = gripper_ends(dataset, joint)
            if ends[1] > ends[0]:
                odd[:, joint] = _unlike_the_others(dataset, joint, ends)
    return odd


@once_per_dataset
def in_one_sense(dataset: Dataset) -> Dataset:
    """The dataset in one unit and with no gripper inverted, so that checks of other things see no second defect."""
    dataset = in_one_unit(dataset)
    odd = inverted_grippers(dataset)
    if not odd.any():
        return dataset
    sums = np.array([sum(gripper_ends(dataset, joint)) for joint in range(odd.shape[1])])
    places = {episode.index: place for place, episode in enumerate(dataset.episodes) if odd[place].any()}

    def turn(episode: Episode) -> Episode:
        here = odd[places[episode.index]]
        states, actions = (
            np.where(here, sums - values, values) for values in (episode.states, episode.actions)
        )
        return replace(episode, states=states, actions=actions)

    return dataset.map_episodes(turn, places)


def gripper_ends(dataset: Dataset, joint: int) -> tuple[float, float]:
    """Lowest and highest value that episodes reach, closed and open: 0 and 100 where that is the unit."""
    values = np.nan_to_num(poses(dataset).states[:, :, joint])
    low, high = float(values.min()), float(values.max())
    return (
        (0.0, 100.0) if LARGEST_FRACTION < high <= LARGEST_PERCENT and low >= LOWEST_PERCENT else (low, high)
    )


def _unlike_the_others(dataset: Dataset, joint: int, ends: tuple[float, float]) -> NDArray[np.bool_]:
    """Episodes that are like the others only when inverted, bool [E]."""
    values = np.nan_to_num(poses(dataset).states[:, :, joint])
    inverted = sum(ends) - values[:, [0, 5, 4, 3, 2, 1, 6]]  # lowest becomes highest
    span = ends[1] - ends[0]
    odd = _side(values, inverted)
    if not odd.any() or odd.all():
        return np.zeros(len(values), dtype=np.bool_)
    odd = ~odd if _prefer(dataset, joint, ends, values, odd) else odd
    reference = np.median(values[~odd], axis=0)
    as_is, turned = (np.abs(v - reference).mean(axis=1) for v in (values, inverted))
    moves = (np.ptp(values, axis=1) > MIN_DISTANCE * span) & (np.ptp(reference) > MIN_DISTANCE * span)
    return odd & moves & (turned < FITS_BETTER * as_is) & (as_is > MIN_DISTANCE * span)


def _side(values: NDArray[np.float64], inverted: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which episodes to invert so that all are alike, bool [E]; the first is one of those that stay, or the rest.

    Starts from the episode that is most unlike its own inverse, then lets each join the nearer median twice.
    """
    first = int(np.argmax(np.abs(values - inverted).mean(axis=1)))
    reference = values[first]
    odd = np.zeros(len(values), dtype=np.bool_)
    for _ in range(3):
        odd = np.abs(inverted - reference).mean(axis=1) < np.abs(values - reference).mean(axis=1)
        reference = np.median(np.where(odd[:, None], inverted, values), axis=0)
    return odd


def _prefer(
    dataset: Dataset,
    joint: int,
    ends: tuple[float, float],
    values: NDArray[np.float64],
    odd: NDArray[np.bool_],
) -> bool:
    """Whether the episodes called odd are the right ones: by what they hold, else by number, else by the start."""
    signs = pressing_sides(dataset, joint, ends)
    for_odd, for_rest = (int(signs[side].sum()) for side in (odd, ~odd))
    if for_odd * for_rest < 0:
        return for_odd < for_rest
    if 2 * odd.sum() != len(odd):
        return bool(2 * odd.sum() > len(odd))
    return bool(np.median(values[odd, 0]) < np.median(values[~odd, 0]))


def pressing_sides(dataset: Dataset, joint: int, ends: tuple[float, float]) -> NDArray[np.int64]:
    """On which side of resting jaws the command lies longer, int64 [E]: -1 below, 1 above, 0 where none is held."""
    if dataset.states.shape != dataset.actions.shape:
        return np.zeros(len(dataset.episodes), dtype=np.int64)
    span = ends[1] - ends[0]
    states, gaps = dataset.states[:, joint], dataset.actions[:, joint] - dataset.states[:, joint]
    low, high = np.nanmin(states), np.nanmax(states)
    inside = (states > low + 0.05 * span) & (states < high - 0.05 * span)
    frames = max(round(HELD_S * dataset.fps), 1)
    still = np.zeros(len(states), dtype=np.bool_)
    still[frames:] = np.abs(states[frames:] - states[:-frames]) < 0.01 * span
    held = inside & still & (np.abs(gaps) > PRESSED * span)
    signs = np.where(held, np.sign(gaps), 0.0)
    sums = np.add.reduceat(np.nan_to_num(signs), first_frames(dataset)[:-1])
    return np.where(np.abs(sums) >= frames, np.sign(sums), 0).astype(np.int64)


def contract_ends(joint: "JointContract") -> tuple[float, float]:
    """The gripper's ends by the contract: 0 and 100 where that is the unit, else the lowest and highest value."""
    percent = LARGEST_FRACTION < joint.high <= LARGEST_PERCENT and joint.low >= LOWEST_PERCENT
    return (0.0, 100.0) if percent else (joint.low, joint.high)


def starts_inverted(joint: "JointContract", value: float, least: float = MIN_DISTANCE) -> bool:
    """Whether a first value lies inside the training's starts when it is inverted, and far from them as it is.

    `least` is the distance that counts as far, and how near inside goes by a tenth of it; shares of the range.
    """
    low, high = contract_ends(joint)
    span = high - low
    turned = distance_to_starts(joint, low + high - value)
    return span > 0 and distance_to_starts(joint, value) > least * span and turned <= 0.1 * least * span


def distance_to_starts(joint: "JointContract", value: float) -> float:
    """How far a value lies outside the training's starts."""
    return max(joint.start_low - value, value - joint.start_high, 0.0)
