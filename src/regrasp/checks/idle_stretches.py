"""The arm rests for long at the start of episodes, at their end, or in between.

## What it detects
Long stretches in which neither the arm moves nor anything commands it to: before the demonstration sets in,
after it is done, or in its middle.

## Why it matters
A policy copies the waiting too. Frames at the start that look like the first frame and say "stay" are
answered in deployment by staying: the arm stands at home and nothing happens. Pauses in between stop it there.
A rest at the end does less harm, but up to half of the training goes into learning to stand still.

## How it decides
The arm rests while every joint, measured and commanded, stays within 5 % of its working range: of its first
pose at the start, of its last at the end, of any in the middle. Pauses of a second are natural. A rest is too
long when it lasts more than 1.5 seconds and more than 20 % of the dataset's median episode (40 % at the end).
Shorter ones of more than 3 seconds are worth knowing.

In two recordings of real arms the rests reach 4.6 s of 12 s at the start and 24 s of 40 s at the end; the
longest of demonstrations that set off at once, and of the twin's expert, are 0.8 s at the start and 1.2 s at the
end. Ends that a timer has left are told by `timer-ended-episodes`.

## What can fool it
A task in which waiting is right: until a light turns green, or while something is poured. A motion so fine that
no joint moves by 5 % of its range.

## How to fix it
Cut the rests off, which loses nothing: `regrasp fix` keeps half a second of each. In the next recording, start an
episode when the hand is about to move, and end it when the task is done.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import TrimEpisodes, dropping
from regrasp.diagnosis.rest import (
    KEPT_S,
    longest_pause,
    rests,
    timed_episodes,
    timer_length,
    trimming_command,
)


@check(severity=Severity.WARNING, explains=("calibration-offset",))
def idle_stretches(
    dataset: Dataset,
    *,
    min_idle_s: float = 1.5,
    max_start_share: float = 0.2,
    max_end_share: float = 0.4,
    worth_knowing_s: float = 3.0,
) -> Iterator[Finding]:
    """Report rests at the start, at the end and in the middle, one finding each."""
    lengths = np.array([episode.length for episode in dataset.episodes])
    if not len(lengths) or dataset.frames == 0:
        raise Undecided("needs frames, got none")
    usual_s = float(np.median(lengths)) / dataset.fps
    start_s, end_s = (frames / dataset.fps for frames in (rests(dataset).start, rests(dataset).end))
    end_s = _without_timer(dataset, end_s)
    limits = {
        "start": max(min_idle_s, max_start_share * usual_s),
        "middle": max(min_idle_s, max_start_share * usual_s),
        "end": max(min_idle_s, max_end_share * usual_s),
    }
    worth = min(worth_knowing_s, *limits.values())
    firsts, pause_s = _pauses(dataset, worth)
    found = {"start": start_s, "middle": pause_s, "end": end_s}
    for place, idle_s in found.items():
        limit = limits[place]
        if (idle_s > limit).any():
            yield _finding(dataset, place, idle_s, limit, None, firsts)
        elif (idle_s > worth_knowing_s).any():
            yield _finding(dataset, place, idle_s, worth_knowing_s, Severity.INFO, firsts)


def _without_timer(dataset: Dataset, end_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends that a timer has left are not this check's."""
    length = timer_length(dataset)
    if length is not None:
        end_s = end_s.copy()
        end_s[timed_episodes(dataset, length)] = 0.0
    return end_s


def _pauses(dataset: Dataset, at_least_s: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where each episode's longest pause between its rests begins, and its seconds."""
    least = max(2, int(at_least_s * dataset.fps) + 1)
    ends = rests(dataset)
    firsts, pauses = np.zeros(len(dataset.episodes), np.int64), np.zeros(len(dataset.episodes))
    for place, episode in enumerate(dataset.episodes):
        first, last = int(ends.start[place]), episode.length - int(ends.end[place])
        if last - first < least:
            continue
        firsts[place], frames = longest_pause(dataset, episode, first, last, least)
        pauses[place] = frames / dataset.fps
    return firsts, pauses


def _finding(
    dataset: Dataset,
    place: str,
    idle_s: NDArray[np.float64],
    limit_s: float,
    severity: Severity | None,
    firsts: NDArray[np.int64],
) -> Finding:
    worst = int(np.argmax(idle_s))
    resting = np.flatnonzero(idle_s > limit_s)
    numbers = tuple(dataset.episodes[one].index for one in resting)
    episode = dataset.episodes[worst]
    frames = round(float(idle_s[worst]) * dataset.fps)
    begin = {"start": 0, "middle": int(firsts[worst]), "end": episode.length - frames}[place]
    where = {"start": "at the start", "middle": "in the middle", "end": "at the end"}[place]
    most = "" if len(numbers) == 1 else f", longest in episode {episode.index}"
    return Finding(
        severity=severity,
        summary=(
            f"The arm rests for long {where} of {_of(numbers, dataset)}{most} (frames {begin}-{begin + frames - 1} "
            f"of {episode.length})."
        ),
        where=Where(numbers, frames=(begin, begin + frames - 1) if len(numbers) == 1 else None),
        evidence=(Evidence(f"longest rest {where}", float(idle_s[worst]), limit_s, "s"),),
        fix=_fix(dataset, place, resting, idle_s, numbers),
    )


def _of(numbers: tuple[int, ...], dataset: Dataset) -> str:
    if len(numbers) == 1:
        return f"episode {numbers[0]}"
    return f"{len(numbers)} of {count(len(dataset.episodes), 'episode')}"


def _fix(
    dataset: Dataset,
    place: str,
    resting: NDArray[np.int64],
    idle_s: NDArray[np.float64],
    numbers: tuple[int, ...],
) -> Fix:
    kept = {} if place == "middle" else _kept(dataset, place, resting, idle_s)
    if not kept:
        return Fix(
            "Record these episodes again without the pause, or drop them.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        )
    return Fix(
        f"Cut the rest off; {KEPT_S} s of it can stay.",
        trimming_command(dataset, "idle-stretches"),
        TrimEpisodes(kept),
    )


def _kept(
    dataset: Dataset, place: str, resting: NDArray[np.int64], idle_s: NDArray[np.float64]
) -> Mapping[int, tuple[int, int]]:
    """First and last frame to keep of each episode that rests; one that rests from its start to its end is not cut."""
    kept: dict[int, tuple[int, int]] = {}
    for one in resting:
        episode = dataset.episodes[one]
        if round(float(idle_s[one]) * dataset.fps) >= episode.length - 1:
            continue
        cut = round((float(idle_s[one]) - KEPT_S) * dataset.fps)
        kept[episode.index] = (cut, episode.length - 1) if place == "start" else (0, episode.length - 1 - cut)
    return kept
