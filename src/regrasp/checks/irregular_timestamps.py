"""Timestamps do not follow the frames.

## What it detects
Episodes whose timestamps have a hole, stand still or run backwards, jitter, or do not begin at 0.

## Why it matters
LeRobot looks a frame's pictures up by its timestamp, and stops training with an error where the nearest picture
is further away than `tolerance_s`, 0.1 ms. A hole is time in which nothing was recorded: the arm jumps in the
middle of a motion, and the policy learns that jump. With cameras this is an error, else a warning.

## How it decides
Frame i belongs at i / fps seconds. A timestamp may be off by `tolerance_s`, as in LeRobot, and by what single
precision cannot hold (4 microseconds after a minute). A step of more than one and a half frames is a hole, one of
nothing or less is time that stands still or runs backwards, anything else is jitter.

## What can fool it
LeRobot's recorder writes i / fps whatever the clock said, so frames that it dropped leave no hole: see
`dropped-frames`.

## How to fix it
Drop episodes with holes. Where a recorder of your own wrote wall-clock time, resample to a fixed rate, or write
i / fps if the frames really came at that pace.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping

TOLERANCE_S = 1e-4
"""LeRobot 0.6.1's default of `tolerance_s` (`configs/train.py`)."""

HOLE_FRAMES = 1.5
"""A longer step cannot be one frame that came late and be followed by one that came in time."""


@dataclass(frozen=True)
class _Worst:
    """What is wrong with one episode's time, at which frame it is worst, and by how many seconds."""

    kind: str
    episode: int
    frame: int
    off_s: float
    limit_s: float


@check(severity=Severity.WARNING)
def irregular_timestamps(dataset: Dataset, *, tolerance_s: float = TOLERANCE_S) -> Iterator[Finding]:
    """Report episodes whose time runs backwards, then holes, then jitter."""
    found = [worst for e in dataset.episodes if (worst := _worst(e, tolerance_s)) is not None]
    for kind in ("back", "hole", "jitter"):
        episodes = [one for one in found if one.kind == kind]
        if episodes:
            yield _finding(dataset, kind, episodes)


def _worst(episode: Episode, tolerance_s: float) -> _Worst | None:
    """The worst kind of irregularity in an episode; None where there is none. NaN is left to `nan-values`."""
    times, step_s = episode.timestamps, 1 / episode.fps
    if not episode.length or not np.isfinite(times).all():
        return None
    away = np.abs(times - np.arange(episode.length) * step_s)
    limit_s = tolerance_s + float(np.finfo(np.float32).eps) * float(np.abs(times).max())
    if away.max() <= limit_s:
        return None
    steps = np.diff(times)
    if len(steps) and steps.min() <= 0:
        return _Worst("back", episode.index, int(steps.argmin()) + 1, float(step_s - steps.min()), limit_s)
    if len(steps) and steps.max() > HOLE_FRAMES * step_s:
        return _Worst("hole", episode.index, int(steps.argmax()) + 1, float(steps.max() - step_s), limit_s)
    return _Worst("jitter", episode.index, int(away.argmax()), float(away.max()), limit_s)


def _finding(dataset: Dataset, kind: str, found: list[_Worst]) -> Finding:
    worst = max(found, key=lambda one: one.off_s)
    episodes = tuple(one.episode for one in found)
    where = f"at frame {worst.frame} of episode {worst.episode}"
    summary, fix = {
        "back": (
            f"Time stands still or runs backwards in {count(len(found), 'episode')}, most {where}.",
            "Drop these episodes.",
        ),
        "hole": (
            f"{worst.off_s:.3g} s are missing {where}"
            + (f"; {count(len(found), 'episode')} have such holes." if len(found) > 1 else "."),
            "Drop these episodes.",
        ),
        "jitter": (
            f"Timestamps are up to {1000 * worst.off_s:.3g} ms off, most {where}.",
            "Resample to a fixed rate; or write frame / fps, if the frames came at that pace.",
        ),
    }[kind]
    lost = kind != "jitter"
    return Finding(
        severity=Severity.ERROR if dataset.camera_names else None,
        summary=summary,
        where=Where(episodes, frames=(worst.frame, worst.frame) if len(found) == 1 else None),
        evidence=(Evidence("timestamp off by", 1000 * worst.off_s, 1000 * worst.limit_s, "ms"),),
        fix=Fix(
            fix,
            drop_episodes(dataset, episodes) if lost else None,
            dropping(dataset, episodes) if lost else None,
        ),
    )
