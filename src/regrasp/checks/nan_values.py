"""A number in the tables is missing, infinite or not a number.

## What it detects
NaN, infinity or an empty cell in a column of numbers: actions, states, timestamps, and whatever else
was recorded.

## Why it matters
One NaN in a batch makes the loss NaN, and from that step on every weight of the policy. LeRobot does
not look for it. Statistics over the column become NaN too, and with them every normalised value.

## How it decides
Each number of each column must be finite. There is no tolerance.

## What can fool it
Nothing is reported that is not there. A sensor that says 0 instead of NaN when it fails is not seen here.

## How to fix it
Drop the episodes. If it happens again, look at the code that fills the column: a division by a time
difference of zero, or a read from a bus that timed out.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping


@check(severity=Severity.ERROR)
def nan_values(dataset: Dataset) -> Iterator[Finding]:
    """Report the bad numbers of each column, with every episode that holds some."""
    for name in _columns(dataset.episodes[0]):
        bad = {episode.index: _bad_frames(_columns(episode)[name]) for episode in dataset.episodes}
        episodes = tuple(number for number, frames in bad.items() if frames.any())
        if episodes:
            yield _finding(dataset, name, episodes, bad)


def _columns(episode: Episode) -> Mapping[str, NDArray[np.generic]]:
    own = {"action": episode.actions, "observation.state": episode.states, "timestamp": episode.timestamps}
    return {**own, **episode.extras}


def _bad_frames(column: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which numbers are not finite, [T, width]."""
    return ~np.isfinite(column.astype(np.float64)).reshape(len(column), -1)


def _finding(
    dataset: Dataset, name: str, episodes: tuple[int, ...], bad: Mapping[int, NDArray[np.bool_]]
) -> Finding:
    frames = np.flatnonzero(bad[episodes[0]].any(axis=1))
    columns = np.flatnonzero(np.any([bad[number].any(axis=0) for number in episodes], axis=0))
    names = {"action": dataset.names_of_actions, "observation.state": dataset.joint_names}.get(name, ())
    only = int(columns[0]) if len(columns) == 1 else len(names)
    return Finding(
        summary=f"Column '{name}' holds values that are not numbers.",
        where=Where(
            episodes=episodes,
            frames=(int(frames[0]), int(frames[-1])) if len(episodes) == 1 else None,
            joint=names[only] if only < len(names) else None,
        ),
        evidence=(Evidence("values not finite", sum(int(bad[number].sum()) for number in episodes), 0),),
        fix=Fix(
            "Drop these episodes before training.",
            drop_episodes(dataset, episodes),
            dropping(dataset, episodes),
        ),
    )
