"""An episode is a copy of another.

## What it detects
Episodes that hold the same measurements and commands as an earlier one: whole, with a few frames cut off, or
saved again with rounding. Pictures are not compared: re-encoded ones differ in every pixel.

## Why it matters
A copy adds no experience, but doubles the weight of its demonstration. Where one of the two is held out, the
policy is judged by what it was trained on. Copies come of merging a dataset with a part of itself, or of a
recording that was resumed from a backup.

## How it decides
Each frame's measurements and commands are rounded to `grid_share` of a joint's working range, far below an
encoder's step and far above rounding in single precision. Two episodes share a frame when all of that is equal.
The later one is a copy when `min_share` of the different frames of the shorter are shared, and these are
at least `min_frames`: arms at rest look the same for a while, but all their frames count as one. On the
four recordings of real arms at hand that have several episodes, no two share 1 % of their frames.

## What can fool it
A simulated expert without noise, started twice from one state, does the same twice; that is a copy, too. One
that is replayed with noise is none.

## How to fix it
Drop the copies, which are the later ones.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.signals import action_scale, joint_scale

SHOWN = 8
"""Pairs that are spelled out; the others are counted."""


@check(severity=Severity.WARNING, explains=("thin-coverage",))
def duplicate_episodes(
    dataset: Dataset, *, min_share: float = 0.8, min_frames: int = 10, grid_share: float = 1e-4
) -> Iterator[Finding]:
    """Report the later ones of episodes that hold the same frames, each with the one that it copies."""
    if len(dataset.episodes) < 2:
        raise Undecided(f"needs 2 episodes to compare, got {len(dataset.episodes)}")
    names = _names_of_frames(dataset, grid_share)
    copies = _copies(dataset, names, min_share, min_frames)
    if copies:
        yield _finding(dataset, copies, min_share)


def _names_of_frames(dataset: Dataset, grid_share: float) -> NDArray[np.uint64]:
    """One number for each frame, equal for frames that are equal on the grid; uint64 [frames]."""
    with np.errstate(over="ignore", invalid="ignore"):  # nothing moves, or a number is not finite
        values = np.hstack([dataset.states / joint_scale(dataset), dataset.actions / action_scale(dataset)])
        places = np.nan_to_num(values / grid_share, nan=2.0**40, posinf=2.0**41, neginf=-(2.0**41))
    # The offset keeps an encoder's steps off the borders of the grid.
    numbers = np.floor(np.clip(places, -(2.0**60), 2.0**60) + 0.3183).astype(np.int64).view(np.uint64)
    factors = np.random.default_rng(0).integers(2**63, 2**64, numbers.shape[1], dtype=np.uint64) | np.uint64(
        1
    )
    mixed = numbers * factors
    return (mixed ^ (mixed >> np.uint64(29))) @ factors[::-1].copy()


def _copies(
    dataset: Dataset, names: NDArray[np.uint64], min_share: float, min_frames: int
) -> dict[int, tuple[int, float]]:
    """For the place of each copy, the place of the first episode that it copies, and the share of frames."""
    owners = np.repeat(np.arange(len(dataset.episodes)), [e.length for e in dataset.episodes])
    order = np.argsort(names, kind="stable")  # owners rise already
    names, owners = names[order], owners[order]
    new = np.append(True, (names[1:] != names[:-1]) | (owners[1:] != owners[:-1]))
    names, owners = names[new], owners[new]  # each episode's different frames, those of one name side by side
    different = np.bincount(owners, minlength=len(dataset.episodes))
    copies: dict[int, tuple[int, float]] = {}
    for (first, later), shared in _shared(names, owners):
        share = shared / min(different[first], different[later])
        if shared >= min_frames and share >= min_share and later not in copies:
            copies[later] = (copies[first][0] if first in copies else first, float(share))
    return copies


def _shared(names: NDArray[np.uint64], owners: NDArray[np.int64]) -> Iterator[tuple[tuple[int, int], int]]:
    """Pairs of episodes and how many frames they share, in order.

    An episode is paired with the first one that has a frame and with the one before it that has it: enough
    to find the first of many copies, and linear in the frames.
    """
    again = np.append(False, names[1:] == names[:-1])
    starts = np.maximum.accumulate(np.where(again, 0, np.arange(len(names))))
    later = np.flatnonzero(again)
    first, before = owners[starts[later]], owners[later - 1]
    pairs = np.concatenate(
        [np.stack([owners[later], first], 1), np.stack([owners[later], before], 1)[first != before]]
    )
    known, counts = np.unique(pairs, axis=0, return_counts=True) if len(pairs) else (pairs, np.zeros(0, int))
    for (copy, original), shared in zip(known.tolist(), counts.tolist(), strict=True):
        yield (original, copy), shared


def _finding(dataset: Dataset, copies: dict[int, tuple[int, float]], min_share: float) -> Finding:
    number = [episode.index for episode in dataset.episodes]
    episodes = tuple(number[copy] for copy in copies)
    named = [f"{number[copy]} of {number[first]}" for copy, (first, _) in copies.items()]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    are = "episode is a copy" if len(copies) == 1 else "episodes are copies"
    return Finding(
        summary=f"{len(copies)} {are}: {', '.join(named[:SHOWN])}{more}.",
        where=Where(episodes),
        evidence=(
            Evidence("frames shared", 100 * min(share for _, share in copies.values()), 100 * min_share, "%"),
        ),
        fix=Fix(
            "Drop the copies.",
            drop_episodes(dataset, episodes),
            dropping(dataset, episodes),
        ),
    )
