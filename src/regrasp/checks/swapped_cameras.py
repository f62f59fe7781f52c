"""Two cameras have changed places.

## What it detects
Episodes in which the pictures of two cameras are exchanged, in any share of the episodes.

## Why it matters
Cameras are found by a number that the computer gives out when they are plugged in, and that changes. A
policy trained on a mixture learns that any picture may come from anywhere; one deployed with exchanged
cameras drove the arm of the project that Regrasp comes from into the bin.

## How it decides
Each camera's pictures in an episode are averaged over `pictures` moments and shrunk to a 12 x 16 grid of
colours. What is the same in both cameras is taken out, which leaves a pattern for each episode; an exchange
turns that pattern into its negative. Episodes are sorted into two sides by the sign of the strongest common
pattern, and an episode of the smaller side is reported when each of its pictures resembles the other camera
of the larger side (correlation at least `min_resemblance`) better than its own by `margin`.

With equal halves, the side is at fault whose camera called `wrist` (or hand, gripper) changes less than the
other one; without such a name both halves are named.

## What can fool it
Cameras that see nearly the same: then nothing is reported. An exchange in all episodes, which is consistent
in itself: preflight compares such a dataset with the station. Two cameras that were moved into each
other's place on purpose.

## How to fix it
Rename the pictures of these episodes, or drop them. Give each camera a fixed path in the station file, by its
serial number or its USB port rather than by its index.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Camera, Dataset, Episode
from regrasp.data.episode import grid_means
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count, number_ranges
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.signals import require_cameras

WRIST_NAMES = ("wrist", "hand", "gripper", "onboard")
"""Names of cameras that ride on the arm, and so see everything move."""


@check(severity=Severity.ERROR)
def swapped_cameras(
    dataset: Dataset, *, pictures: int = 5, min_resemblance: float = 0.5, margin: float = 0.15
) -> Iterator[Finding]:
    """Report the episodes in which two cameras are exchanged, for each pair of cameras."""
    require_cameras(dataset, 2)
    if len(dataset.episodes) < 2:
        raise Undecided("needs 2 episodes to compare, got 1")
    for one, other in combinations(dataset.camera_names, 2):
        pair = [
            (_look(episode.cameras[one], pictures), _look(episode.cameras[other], pictures))
            for episode in dataset.episodes
            if one in episode.cameras and other in episode.cameras
        ]
        suspects = _exchanged(pair, min_resemblance, margin) if len(pair) > 1 else []
        if suspects:
            yield _finding(dataset, (one, other), pair, suspects, margin)


@dataclass(frozen=True, eq=False)
class _Look:
    """What one camera sees in one episode: a pattern of unit length, and how much it changes."""

    pattern: NDArray[np.float64]
    change: float


def _look(camera: Camera, pictures: int) -> _Look:
    """Averaged over evenly spaced moments; brightness and contrast, which light changes, are taken out."""
    moments = np.unique(np.linspace(0, camera.length - 1, pictures + 2).round()[1:-1].astype(int))
    cells = np.array([grid_means(picture) for picture in camera.frames(moments)])
    centred = cells.mean(axis=0) - cells.mean(axis=(0, 1, 2))
    return _Look(_unit(centred.ravel()), float(cells.std(axis=0).mean()))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


type _Pairs = list[tuple[_Look, _Look]]


def _exchanged(pair: _Pairs, min_resemblance: float, margin: float) -> list[tuple[int, float]]:
    """Places in `pair` that are exchanged, each with its margin over the pictures' own camera."""
    first = np.array([one.pattern for one, _ in pair])
    second = np.array([other.pattern for _, other in pair])
    turned = _smaller_side(first - second)
    if not turned.any():
        return []
    # As the cameras would be if the smaller side were put right: the sums serve to leave each episode out.
    right_first = np.where(turned[:, None], second, first)
    right_second = np.where(turned[:, None], first, second)
    sums = right_first.sum(axis=0), right_second.sum(axis=0)
    found: list[tuple[int, float]] = []
    for i in np.flatnonzero(turned):
        reference_first = _unit(sums[0] - right_first[i])
        reference_second = _unit(sums[1] - right_second[i])
        crossed = min(first[i] @ reference_second, second[i] @ reference_first)
        own = max(first[i] @ reference_first, second[i] @ reference_second)
        if crossed >= min_resemblance and crossed - own > margin:
            found.append((int(i), float(crossed - own)))
    return found


def _smaller_side(differences: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows point against most others along their strongest common direction; of equal halves the later."""
    _, _, directions = np.linalg.svd(differences, full_matrices=False)
    negative = differences @ directions[0] < 0
    against = negative if 2 * negative.sum() < len(negative) else ~negative
    tie = 2 * against.sum() == len(against)
    return ~against if tie and against[0] else against


def _finding(
    dataset: Dataset,
    names: tuple[str, str],
    pair: _Pairs,
    suspects: list[tuple[int, float]],
    margin: float,
) -> Finding:
    both = [e for e in dataset.episodes if names[0] in e.cameras and names[1] in e.cameras]
    places = {place for place, _ in suspects}
    tie = 2 * len(places) == len(both)
    if tie and _wrist_is_calmer(names, [looks for i, looks in enumerate(pair) if i not in places]):
        places = set(range(len(both))) - places
    sure = not tie or _wrist_place(names) is not None
    numbers, rest = _numbers(both, places), _numbers(both, set(range(len(both))) - places)
    which = (
        f"in {count(len(numbers), 'episode')}" if sure else f"here, or else in episodes {number_ranges(rest)}"
    )
    lead = min(lead for _, lead in suspects)
    return Finding(
        summary=f"Cameras '{names[0]}' and '{names[1]}' are exchanged {which}.",
        where=Where(numbers),
        evidence=(Evidence("resembles the other camera better by", lead, margin),),
        fix=Fix(
            "Exchange the pictures of these episodes or drop them; name cameras by serial number or port, "
            "not by index.",
            drop_episodes(dataset, numbers) if sure else None,
        ),
    )


def _numbers(episodes: list[Episode], places: set[int]) -> tuple[int, ...]:
    return tuple(episodes[place].index for place in sorted(places))


def _wrist_place(names: tuple[str, str]) -> int | None:
    """Which of two cameras rides on the arm by its name; None when that is not said of exactly one."""
    wrists = [any(word in name.lower() for word in WRIST_NAMES) for name in names]
    return wrists.index(True) if sum(wrists) == 1 else None


def _wrist_is_calmer(names: tuple[str, str], pair: _Pairs) -> bool:
    """Whether the camera called wrist changes less in these episodes than the one that is not."""
    place = _wrist_place(names)
    if place is None:
        return False
    changes = np.array([(one.change, other.change) for one, other in pair]).mean(axis=0)
    return bool(changes[place] < changes[1 - place])
