"""One number for each episode about how the arm moved: what symptoms compare between training and deployment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.data.grasps import SHORTEST_S, closings
from regrasp.data.rollouts import Ticks
from regrasp.diagnosis.signals import action_scale, joint_scale, longest_run
from regrasp.stats.smoothness import log_dimensionless_jerk, reversals_per_s, still_frames

type Array = NDArray[np.float64]

PHASES = 20
"""Places along the training's path: 5 % of an episode each."""

NEAR_QUANTILE = 0.99
"""Of the training episodes' own distances to the training's path at a place."""

NEAR = 1.5
"""Times that distance: who comes so near has been there. With 1 the odd episode of the twin's demonstrations, though it
succeeded, misses a third of the path."""


def closings_of(episodes: Sequence[Episode], place: int, threshold: float) -> tuple[Array, Array]:
    """How often each episode closes the gripper after an opening, and when it first does, seconds; NaN if never."""
    found = [
        list(closings(episode.states[:, place], threshold, SHORTEST_S * episode.fps)) for episode in episodes
    ]
    counts = np.array([len(stretches) for stretches in found], dtype=np.float64)
    firsts = [
        stretches[0][0] / episode.fps if stretches else float("nan")
        for stretches, episode in zip(found, episodes, strict=True)
    ]
    return counts, np.array(firsts)


@dataclass(frozen=True, eq=False)
class Path:
    """The way that the training's episodes went: the median pose at each phase [PHASES, J], and how near is near."""

    poses: Array
    near: Array
    scale: Array

    @classmethod
    def of(cls, train: Dataset) -> "Path":
        """Near is `NEAR` times as far as 99 of 100 training episodes keep."""
        scale = joint_scale(train)
        phases = np.linspace(0, 1, PHASES)
        taken = [e.states[(phases * (e.length - 1)).round().astype(int)] for e in train.episodes]
        poses = np.nanmedian(np.stack(taken), axis=0)
        away = np.stack([_nearest(episode, poses, scale) for episode in train.episodes])
        return cls(poses, NEAR * np.nanquantile(away, NEAR_QUANTILE, axis=0), scale)

    def covered(self, episode: Episode) -> float:
        """Share of the path that the episode comes through, 0-1: of the poses that it comes near to."""
        return float(np.mean(_nearest(episode, self.poses, self.scale) <= self.near))


def _nearest(episode: Episode, poses: Array, scale: Array) -> Array:
    """How near the episode comes to each pose, in ranges of the joint that is furthest off, [PHASES]."""
    apart = np.abs(episode.states[:, None] - poses) / scale
    return np.nan_to_num(apart, nan=np.inf).max(axis=2).min(axis=0)


def smoothness(episodes: Sequence[Episode], train: Dataset) -> Array:
    """Log dimensionless jerk of the measured joints, over no more time than half of the training lasts."""
    frames = int(np.median([episode.length for episode in train.episodes]))
    scale = joint_scale(train)
    return np.array([log_dimensionless_jerk(e.states[:frames], e.fps, scale) for e in episodes])


def reversals(episodes: Sequence[Episode], train: Dataset) -> Array:
    """Turns of the commanded joints a second, all joints together."""
    scale = action_scale(train)
    return np.array([reversals_per_s(episode.actions, episode.fps, scale) for episode in episodes])


def standstill_s(episodes: Sequence[Episode], train: Dataset, done: Sequence[bool]) -> Array:
    """The longest stretch in which nothing moves; that at the end does not count where the task was `done`."""
    scale = joint_scale(train)
    longest: list[float] = []
    for episode, over in zip(episodes, done, strict=True):
        still = still_frames(episode.states, episode.fps, scale)
        moving = np.flatnonzero(~still)
        shown = still[: moving[-1] + 1] if over and len(moving) else still
        longest.append(longest_run(shown)[1] / episode.fps)
    return np.array(longest)


def lag(episodes: Sequence[Episode]) -> Array:
    """How far each joint's command lies from where it is in all but 5 % of the frames, [episodes, J]."""
    return np.stack([np.nanquantile(np.abs(e.actions - e.states), 0.95, axis=0) for e in episodes])


def overshoot(episodes: Sequence[Episode], low: Array, high: Array, scale: Array) -> Array:
    """How far commands go outside low to high [J] at most, in ranges of the joint that goes furthest, [episodes]."""
    farthest = [np.maximum(low - e.actions, e.actions - high) / scale for e in episodes]
    return np.array([max(float(np.nanmax(one)), 0.0) for one in farthest])


def overshoot_of_others(train: Dataset) -> Array:
    """The same for each training episode, outside of what all the others command."""
    scale, episodes = action_scale(train), train.episodes
    lows = np.stack([np.nanmin(episode.actions, axis=0) for episode in episodes])
    highs = np.stack([np.nanmax(episode.actions, axis=0) for episode in episodes])
    found: list[float] = []
    for place, episode in enumerate(episodes):
        others = np.arange(len(episodes)) != place
        found += list(overshoot([episode], lows[others].min(axis=0), highs[others].max(axis=0), scale))
    return np.array(found)


def largest_steps(episodes: Sequence[Episode]) -> Array:
    """The largest step of each joint's command from one frame to the next, [episodes, J]."""
    return np.stack([_largest(np.abs(np.diff(e.actions, axis=0)), e.actions.shape[1]) for e in episodes])


def largest_steps_in_chunks(episodes: Sequence[Episode], ticks: Ticks) -> tuple[Array, Array]:
    """The largest step of each joint's sent command at seams between chunks, and within chunks, [episodes, J] each.

    NaN for an episode without ticks.
    """
    at_seams: list[Array] = []
    within: list[Array] = []
    for episode in episodes:
        turns = ticks.of(episode.index)
        steps = np.abs(np.diff(turns.sent, axis=0))
        seam = np.diff(turns.chunk) != 0
        joints = episode.actions.shape[1]
        at_seams.append(_largest(steps[seam[: len(steps)]], joints))
        within.append(_largest(steps[~seam[: len(steps)]], joints))
    return np.stack(at_seams), np.stack(within)


def _largest(steps: Array, joints: int) -> Array:
    return np.nanmax(steps, axis=0) if len(steps) else np.full(joints, np.nan)


def loop_rates(episodes: Sequence[Episode], ticks: Ticks) -> Array:
    """Turns of the loop a second, by the clock; NaN without ticks."""
    rates: list[float] = []
    for episode in episodes:
        wall = ticks.of(episode.index).wall_s
        lasted = float(wall[-1] - wall[0]) if len(wall) > 1 else 0.0
        rates.append((len(wall) - 1) / lasted if lasted > 0 else float("nan"))
    return np.array(rates)
