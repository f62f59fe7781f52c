"""An episode breaks off before the task is done.

## What it detects
Episodes that are much shorter than the others and end elsewhere: away from where the others end, or without the
grasp that the others have.

## Why it matters
The policy is shown that the task ends in the middle of the reach. It learns to stop there. The cause, a key
pressed too soon or a recorder that was killed, is easily overlooked among hundreds of episodes.

## How it decides
An episode is short when it has less than 60 % of the median episode's frames; sound ones of one task vary by
10 to 30 %. A short one breaks off when some joint ends further than 15 % of its working range, and more than four
standard deviations, from where the longer ones end; or when four in five of the longer ones grasp something and it
does not. A short episode that ends as the others do was quick.

## What can fool it
A task that ends anywhere and has no grasp: breaking off cannot be told from being quick. Two tasks of
different length in one dataset.

## How to fix it
Drop the episodes, which `regrasp fix` does on a copy, or record them again.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.coverage import known_grasps
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.signals import joint_scale, known_median

AWAY_SHARE = 0.15
"""Of a joint's working range, or of the median joint's if that is wider: as for starts, `scattered-starts`."""

NORMAL_PER_MEDIAN_DEVIATION = 1.4826
"""Standard deviation of a normal distribution whose median absolute deviation is 1."""

GRASPING_SHARE = 0.8
"""Of the longer episodes: when so many grasp, a grasp belongs to the task."""


@check(
    severity=Severity.WARNING,
    explains=("outlier-episodes", "idle-gripper", "idle-stretches", "thin-coverage"),
)
def truncated_episodes(
    dataset: Dataset, *, min_length_share: float = 0.6, min_episodes: int = 4
) -> Iterator[Finding]:
    """Report short episodes that do not end as the longer ones do."""
    if len(dataset.episodes) < min_episodes:
        raise Undecided(
            f"needs {min_episodes} episodes to know where the task usually ends, got {len(dataset.episodes)}"
        )
    lengths = np.array([episode.length for episode in dataset.episodes])
    limit = min_length_share * float(np.median(lengths))
    short = lengths < limit
    broken = short & (_end_elsewhere(dataset, ~short) | _lack_the_grasp(dataset, ~short))
    if not broken.any():
        return
    numbers = tuple(dataset.episodes[place].index for place in np.flatnonzero(broken))
    longest = int(lengths[broken].max())
    yield Finding(
        summary=(
            f"{len(numbers)} of {len(dataset.episodes)} episodes break off: they have "
            f"{_frames(lengths[broken])} frames, the others usually {np.median(lengths[~broken]):.0f}, and do not "
            "end as those do."
        ),
        where=Where(numbers),
        evidence=(Evidence("frames, of the longest of them", longest, limit),),
        fix=Fix(
            "Drop these episodes, or record them again.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _end_elsewhere(dataset: Dataset, usual: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether some joint of each episode ends away from where the usual ones end, [E]."""
    ends = np.array([episode.states[-1] for episode in dataset.episodes])
    away = np.abs(ends - known_median(ends[usual], axis=0))
    spread = NORMAL_PER_MEDIAN_DEVIATION * known_median(away[usual], axis=0)
    scale = joint_scale(dataset)
    limit = np.maximum(AWAY_SHARE * np.maximum(scale, np.median(scale)), 4 * spread)
    return np.asarray((away > limit).any(axis=1), dtype=np.bool_)


def _lack_the_grasp(dataset: Dataset, usual: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each episode lacks a grasp that belongs to the task, [E]."""
    grasping = {grasp.episode for grasp in known_grasps(dataset)}
    has = np.array([episode.index in grasping for episode in dataset.episodes])
    return ~has & (has[usual].mean() >= GRASPING_SHARE)


def _frames(lengths: NDArray[np.int64]) -> str:
    low, high = lengths.min(), lengths.max()
    return f"{low}" if low == high else f"{low} to {high}"
