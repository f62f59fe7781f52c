"""Where in an episode the gripper closes on something."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.data.measures import gripper_index, gripper_threshold

SHORTEST_S = 0.2
"""The gripper stays closed, or open, for less: a slip, not a grasp."""

SETTLING_S = 1.0
"""Jaws that have met the object stand still within this time."""

PRESSED_SHARE = 0.04
"""Of the gripper's span: how far the command goes below the jaws when something is between them.

In four recordings of real arms, jaws that close on nothing follow to within 2.7 % of the span, and jaws on
an object stay 4.5 to 25 % behind.
"""


@dataclass(frozen=True, eq=False)
class Grasp:
    """A closing of the gripper: the frame in which the jaws have come to rest, and all joints there [J].

    `pressed` tells whether the command went on closing against something.
    """

    episode: int
    frame: int
    pose: NDArray[np.float64]
    pressed: bool


def find_grasps(dataset: Dataset) -> tuple[Grasp, ...]:
    """The grasps of all episodes, in order.

    A grasp is a closing that follows an opening and lasts. Closings on nothing, such as on the way home, are
    left out where the episode has one on something; where it has none, its first closing counts. No grasps
    where the gripper has no open and closed position (`gripper_threshold`).
    """
    threshold, place = gripper_threshold(dataset), gripper_index(dataset.joint_names)
    if threshold is None or place is None:
        return ()
    low, high = np.nanpercentile(dataset.states[:, place], [1, 99])
    pressing = PRESSED_SHARE * float(high - low)
    return tuple(
        grasp for episode in dataset.episodes for grasp in _of_episode(episode, place, threshold, pressing)
    )


def _of_episode(episode: Episode, place: int, threshold: float, pressing: float) -> list[Grasp]:
    grasps = [
        _grasp(episode, place, first, last, pressing)
        for first, last in closings(episode.states[:, place], threshold, SHORTEST_S * episode.fps)
    ]
    return [grasp for grasp in grasps if grasp.pressed] or grasps[:1]


def closings(gripper: NDArray[np.float64], threshold: float, shortest: float) -> Iterator[tuple[int, int]]:
    """First frame and end of each stretch at or below `threshold` that follows an opening.

    Openings shorter than `shortest` frames do not part a stretch, and stretches shorter than it do not count.

    Example:
        >>> list(closings(np.array([0, 50, 50, 5, 5, 5, 60, 60.0]), 20.0, 2))
        [(3, 6)]
    """
    closed = gripper <= threshold
    edges = np.flatnonzero(np.diff(closed.astype(np.int8), prepend=0, append=0))
    begun: list[list[int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if begun and start - begun[-1][1] < shortest:
            begun[-1][1] = end
        else:
            begun.append([start, end])
    for start, end in begun:
        if start > 0 and end - start >= shortest:
            yield start, end


def _grasp(episode: Episode, place: int, first: int, end: int, pressing: float) -> Grasp:
    """Follows the jaws from the threshold to rest, then asks whether the command is still below them."""
    window = round(SETTLING_S * episode.fps)
    gripper = episode.states[first : min(end, first + window), place]
    settled = gripper <= gripper.min() + 0.1 * (gripper[0] - gripper.min())
    frame = first + int(np.argmax(settled))
    held = slice(frame, min(end, frame + window // 2 + 1))
    pressed = _behind(episode, place, held) > pressing
    return Grasp(episode.index, frame, episode.states[frame], bool(pressed))


def _behind(episode: Episode, place: int, frames: slice) -> float:
    """How far the jaws stay open beyond their command; 0 where the gripper is not commanded."""
    if episode.actions.shape != episode.states.shape:
        return 0.0
    return float(np.median(episode.states[frames, place] - episode.actions[frames, place]))
