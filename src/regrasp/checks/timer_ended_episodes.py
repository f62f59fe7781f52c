"""A timer ended the episodes, not the person who showed the task.

## What it detects
Nearly all episodes have the same number of frames, and in many of them the motion was over long before, or was
not over.

## Why it matters
`--dataset.episode_time_s` ends each episode after so many seconds. A task that takes half of them leaves the policy
with as much standing still to learn as doing; one that takes longer is cut off, and its end is never shown.

## How it decides
A timer is taken for the cause when at least five episodes, and four in five, have one length to the frame, give or
take one. It does harm when in a quarter of them the arm rests at the end for more than 1.5 seconds and 15 % of the
episode, or when in a quarter the arm still moves in the last fifth of a second. Rest means that each joint stays
within 5 % of its working range. Episodes cut off are a warning, and so is a quarter of them with a rest of more
than 40 % of the episode; else it is worth knowing.

Sound demonstrations that a person ends differ by 10 to 30 % in length, and rest for half a second at the end.

## What can fool it
A script or a conveyor that takes the same time always, and whose arm then waits.

## How to fix it
Cut the rest off: `regrasp fix` keeps half a second. When recording, end each episode with the right arrow key as
soon as the task is done, and set `--dataset.episode_time_s` to more than the longest will take.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.repair import TrimEpisodes
from regrasp.diagnosis.rest import (
    FEWEST_SAME,
    KEPT_S,
    rests,
    timed_episodes,
    timer_length,
    trimming_command,
)

MOVING_S = 0.2
"""Whoever ends an episode by hand has let the arm rest for longer: half a second in 20 sound ones."""

WARNING_SHARE = 0.4
"""Of the episode: a rest beyond it is a warning, as in `idle-stretches`."""


@check(severity=Severity.INFO, explains=("idle-gripper",))
def timer_ended_episodes(
    dataset: Dataset,
    *,
    min_idle_s: float = 1.5,
    min_idle_share: float = 0.15,
    min_episodes_share: float = 0.25,
) -> Iterator[Finding]:
    """Report that a timer ended the episodes, where it left rests or cut motion off."""
    if len(dataset.episodes) < FEWEST_SAME:
        raise Undecided(f"needs {FEWEST_SAME} episodes to tell a timer, got {len(dataset.episodes)}")
    length = timer_length(dataset)
    if length is None:
        return
    timed = np.array(timed_episodes(dataset, length))
    rest_s = rests(dataset).end[timed] / dataset.fps
    limit_s = max(min_idle_s, min_idle_share * length / dataset.fps)
    idle, cut = rest_s > limit_s, rest_s < MOVING_S
    fewest = min_episodes_share * len(timed)
    if cut.sum() >= fewest:
        yield _cut_off(dataset, timed, int(cut.sum()), length, fewest)
    elif idle.sum() >= fewest:
        yield _idle(dataset, timed, rest_s, limit_s, length, min_episodes_share)


def _cut_off(dataset: Dataset, timed: NDArray[np.int64], cut: int, length: int, fewest: float) -> Finding:
    return Finding(
        severity=Severity.WARNING,
        summary=f"{_all_same(dataset, timed, length)}; {cut} of them end in the middle of a motion.",
        where=Where(tuple(dataset.episodes[place].index for place in timed)),
        evidence=(Evidence("episodes cut off", cut, fewest),),
        fix=Fix(
            "Record again with a longer --dataset.episode_time_s, and end each episode with the right arrow key."
        ),
    )


def _idle(
    dataset: Dataset,
    timed: NDArray[np.int64],
    rest_s: NDArray[np.float64],
    limit_s: float,
    length: int,
    fewest_share: float,
) -> Finding:
    idle = rest_s > limit_s
    usual_s = float(np.median(rest_s[idle]))
    warned = float(np.mean(rest_s > WARNING_SHARE * length / dataset.fps)) >= fewest_share
    return Finding(
        severity=Severity.WARNING if warned else Severity.INFO,
        summary=(
            f"{_all_same(dataset, timed, length)}; in {int(idle.sum())} of them the arm came to rest before, "
            f"as a median {usual_s:.1f} s of {length / dataset.fps:.0f} s."
        ),
        where=Where(tuple(dataset.episodes[place].index for place in timed)),
        evidence=(Evidence("rest at the end, median of these", usual_s, limit_s, "s"),),
        fix=Fix(
            f"Cut the rests off; {KEPT_S} s can stay. In the next recording, end each episode with the right "
            "arrow key.",
            trimming_command(dataset, "timer-ended-episodes"),
            TrimEpisodes(_kept(dataset, timed[idle], rest_s[idle])),
        ),
    )


def _all_same(dataset: Dataset, timed: NDArray[np.int64], length: int) -> str:
    number = "All" if len(timed) == len(dataset.episodes) else f"{len(timed)} of"
    lengths = {dataset.episodes[place].length for place in timed}
    frames = f"{length}" if len(lengths) == 1 else f"{min(lengths)} to {max(lengths)}"
    return f"{number} {len(dataset.episodes)} episodes have {frames} frames, as if a timer had ended them"


def _kept(
    dataset: Dataset, places: NDArray[np.int64], rest_s: NDArray[np.float64]
) -> dict[int, tuple[int, int]]:
    """First and last frame to keep, by the number of each episode."""
    cuts = np.round((rest_s - KEPT_S) * dataset.fps).astype(int)
    episodes = [dataset.episodes[place] for place in places]
    return {
        episode.index: (0, episode.length - 1 - int(cut)) for episode, cut in zip(episodes, cuts, strict=True)
    }
