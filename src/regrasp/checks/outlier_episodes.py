"""An episode is unlike all the others.

## What it detects
Episodes several times as long or as short as the others, in which the arm travels several times as far, or in
which it hardly moves.

## Why it matters
One such episode is as a rule a mishap: the recording was not stopped, the object fell and was tried for again and
again, somebody tested the arm. Every frame counts the same in training, so one episode that is five times as long
weighs as much as five demonstrations.

## How it decides
Each measure is compared with the median episode's. An episode is unlike the others when it is 2.5 times as long
or as short, and is so without its rests at the start and at the end and without its longest pause too; else when the
arm travels 2.5 times as far, over all joints and seen twice a second, so that tremor does not count; else when the
median joint covers less than a quarter of what it usually covers. Where the measure itself varies much from episode to
episode, five standard deviations (from the median deviation) must be exceeded too.

Sound episodes of one task differ by a factor of 1.3; the odd one in a recording of three is 5.6 times as
long as the others.

## What can fool it
Several tasks of different length in one dataset. With three or four episodes the usual one is hardly known.

## How to fix it
Look at the episode: `regrasp report` shows clips. Drop it if it is a mishap.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.rest import longest_pause, rests
from regrasp.diagnosis.signals import joint_scale, known_median

NORMAL_PER_MEDIAN_DEVIATION = 1.4826
"""Standard deviation of a normal distribution whose median absolute deviation is 1."""

DEVIATIONS = 5.0

PAUSE_S = 1.5
"""A longer pause is told by `idle-stretches`, and does not make an episode long."""


@check(severity=Severity.WARNING, explains=("thin-coverage",))
def outlier_episodes(
    dataset: Dataset, *, max_ratio: float = 2.5, min_range_ratio: float = 0.25, min_episodes: int = 3
) -> Iterator[Finding]:
    """Report episodes of unlike length, then of unlike path, then those in which the arm hardly moves."""
    if len(dataset.episodes) < min_episodes:
        raise Undecided(f"needs {min_episodes} episodes to know the usual one, got {len(dataset.episodes)}")
    lengths = np.array([float(episode.length) for episode in dataset.episodes])
    told = np.zeros(len(lengths), dtype=np.bool_)
    for values, what, unit, longer, shorter in (
        (lengths, "as long", "frames", max_ratio, 1 / max_ratio),
        (_paths(dataset), "path of the arm", "working ranges", max_ratio, 0.0),
        (_ranges(dataset), "range of the arm", "of the usual", np.inf, min_range_ratio),
    ):
        ratios = _ratios(values)
        unlike = _unlike(ratios, longer, shorter) & ~told
        if what == "as long":
            moving = _ratios(_in_motion(dataset, lengths, unlike))
            unlike &= np.where(ratios > 1, moving > longer, moving < shorter)
        told |= unlike
        if unlike.any():
            yield _finding(dataset, ratios, values, unlike, what, unit, (longer, shorter))


def _in_motion(
    dataset: Dataset, lengths: NDArray[np.float64], unlike: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Frames of each episode without its rests at the ends, and of those unlike also without its longest pause."""
    ends = rests(dataset)
    moving = lengths - ends.start - ends.end
    for place in np.flatnonzero(unlike):
        episode = dataset.episodes[place]
        first, end = int(ends.start[place]), episode.length - int(ends.end[place])
        moving[place] -= longest_pause(dataset, episode, first, end, round(PAUSE_S * dataset.fps))[1]
    return np.maximum(moving, 1.0)


def _paths(dataset: Dataset) -> NDArray[np.float64]:
    """How far all joints travel in each episode, in their working ranges, [E]."""
    scale = joint_scale(dataset)
    steps = [np.abs(np.diff(_seen(episode), axis=0)) / scale for episode in dataset.episodes]
    return np.array([float(np.nansum(step)) for step in steps])


def _seen(episode: Episode) -> NDArray[np.float64]:
    """The measured joints twice a second."""
    return episode.states[:: max(1, round(episode.fps / 2))]


def _ranges(dataset: Dataset) -> NDArray[np.float64]:
    """What the median joint covers in each episode, as a share of what it usually covers, [E]."""
    seen = [_seen(episode) for episode in dataset.episodes]
    covered = np.array([np.fmax.reduce(pose) - np.fmin.reduce(pose) for pose in seen])
    usual = np.maximum(known_median(covered, axis=0), np.finfo(np.float64).tiny)
    return known_median(covered / usual, axis=1)


def _ratios(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values / max(float(np.median(values)), np.finfo(np.float64).tiny)


def _unlike(ratios: NDArray[np.float64], longer: float, shorter: float) -> NDArray[np.bool_]:
    """Beyond the ratios, and beyond the spread of the logarithms."""
    away = np.abs(np.log(np.maximum(ratios, 1e-9)))
    beyond = away > DEVIATIONS * NORMAL_PER_MEDIAN_DEVIATION * float(np.median(away))
    return beyond & ((ratios > longer) | (ratios < shorter))


def _finding(
    dataset: Dataset,
    ratios: NDArray[np.float64],
    values: NDArray[np.float64],
    unlike: NDArray[np.bool_],
    what: str,
    unit: str,
    limits: tuple[float, float],
) -> Finding:
    places = np.flatnonzero(unlike)
    worst = int(places[np.argmax(np.abs(np.log(np.maximum(ratios[places], 1e-9))))])
    numbers = tuple(dataset.episodes[place].index for place in places)
    limit = limits[0] if ratios[worst] > 1 else limits[1]
    return Finding(
        summary=_summary(dataset, worst, ratios, values, what, unit, len(numbers)),
        where=Where(numbers),
        evidence=(Evidence(f"{what}, against the median episode", float(ratios[worst]), limit, "times"),),
        fix=Fix(
            "Look at it, and drop it if it is a mishap."
            if len(numbers) == 1
            else "Look at them, and drop those that are mishaps.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _summary(
    dataset: Dataset,
    worst: int,
    ratios: NDArray[np.float64],
    values: NDArray[np.float64],
    what: str,
    unit: str,
    number: int,
) -> str:
    episode = dataset.episodes[worst].index
    others = "" if number == 1 else f"; {number - 1} more likewise"
    if what == "as long":
        usual = f"{np.median(values):.0f}"
        return f"Episode {episode} has {values[worst]:.0f} {unit}, the median one {usual}{others}."
    if ratios[worst] > 1:
        return f"In episode {episode} the arm travels {ratios[worst]:.1f} times as far as usual{others}."
    return (
        f"In episode {episode} the arm hardly moves: {100 * ratios[worst]:.0f} % of the usual range{others}."
    )
