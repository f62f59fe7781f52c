"""Two cameras have changed places.

## What it detects
Episodes in which the pictures of two cameras are exchanged, in any share of the episodes; and, in a
deployment, cameras that stand in for each other when compared with what the policy was trained on.

## Why it matters
Cameras are found by a number that the computer gives out when they are plugged in, and that changes. A
policy trained on a mixture learns that any picture may come from anywhere; one deployed with exchanged
cameras drove the arm of the project that Regrasp comes from into the bin.

## How it decides
Each camera's pictures in an episode are averaged over a few moments and shrunk to a 12 x 16 grid of
colours. What is the same in both cameras is taken out, which leaves a pattern for each episode; an exchange
turns that pattern into its negative. Episodes are sorted into two sides by the sign of the strongest common
pattern, and an episode of the smaller side is reported when each of its pictures resembles the other camera
of the larger side (correlation at least `min_resemblance`) better than its own by `margin`. For cameras that see
nearly the same, half of what tells them apart is enough, if it is more than twice what tells the episodes of one
camera apart.

The side is at fault whose camera called `wrist` (or hand, gripper) changes less than the other one, be it
the larger side or a half. Without such a name it is the smaller side, and with equal halves both are named.

*In a deployment*, the first picture of each camera, on the same grid, is compared with the contract's
fingerprint of every camera (correlation, each colour's mean and contrast taken out). An exchange of cameras
is reported when the pictures resemble the fingerprints of the others better than their own, by more than half
of what tells these fingerprints apart. Any exchange of up to five cameras is found, and the one that puts it
right is offered.

## What can fool it
Cameras that see nearly the same: then nothing is reported, and a deployment is left undecided. A scene that
has changed altogether resembles no fingerprint. An exchange in all episodes, which is consistent
in itself: preflight compares such a dataset with the station. Two cameras that were moved into each
other's place on purpose.

## How to fix it
Rename the pictures of these episodes, or drop them. Give each camera a fixed path in the station file, by its
serial number or its USB port rather than by its index. In a deployment, `--cameras` exchanges them for one
run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.data.episode import called_wrist, grid_means
from regrasp.data.measures import likeness
from regrasp.data.rollouts import Rollouts
from regrasp.data.sight import CELLS, THUMBNAIL, Sight
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count, number_ranges
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.repair import SwapCameras
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.views import smaller_side

if TYPE_CHECKING:
    from regrasp.data.contract import CameraContract, Contract

CLEARLY = 0.7
"""A camera that changes less than this share of another one changes clearly less. Front cameras change 0.1
(made up) to 0.4 times (simulated) as much as wrist cameras."""

MOST_CAMERAS = 5
"""120 permutations; of more cameras than that, exchanges are not looked for."""


@check(
    severity=Severity.ERROR, explains=("moved-camera", "changed-light", "flipped-camera", "video-out-of-step")
)
def swapped_cameras(
    dataset: Dataset, *, min_resemblance: float = 0.5, margin: float = 0.15
) -> Iterator[Finding]:
    """Report the episodes in which two cameras are exchanged, for each pair of cameras."""
    seen = sights(dataset, cameras=2)
    if len(dataset.episodes) < 2:
        raise Undecided("needs 2 episodes to compare, got 1")
    for names in combinations(dataset.camera_names, 2):
        both = seen.of(*names)
        pair = [(_look(one), _look(other)) for _, (one, other) in both]
        suspects = _exchanged(pair, min_resemblance, margin) if len(pair) > 1 else []
        if suspects:
            episodes = [episode for episode, _ in both]
            yield _finding(dataset, names, episodes, pair, suspects)


@dataclass(frozen=True, eq=False)
class _Look:
    """What one camera sees in one episode: a pattern of unit length, and how much it changes."""

    pattern: NDArray[np.float64]
    change: float


def _look(sight: Sight) -> _Look:
    """Averaged over evenly spaced moments; brightness and contrast, which light changes, are taken out."""
    moments = sight.colours[1:-1] if len(sight.colours) > 2 else sight.colours
    rows, columns = (size // parts for size, parts in zip(THUMBNAIL, CELLS, strict=True))
    cells = moments.reshape(-1, CELLS[0], rows, CELLS[1], columns, 3).mean(axis=(2, 4))
    centred = cells.mean(axis=0) - cells.mean(axis=(0, 1, 2))
    return _Look(_unit(centred.ravel()), float(cells.std(axis=0).mean()))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


type _Pairs = list[tuple[_Look, _Look]]


@dataclass(frozen=True)
class _Suspect:
    """A place among the episodes that is exchanged, by how much it fits the other camera better, and the limit."""

    place: int
    lead: float
    limit: float


def _exchanged(pair: _Pairs, min_resemblance: float, margin: float) -> list[_Suspect]:
    """Places in `pair` that are exchanged, each with its margin over the pictures' own camera."""
    first = np.array([one.pattern for one, _ in pair])
    second = np.array([other.pattern for _, other in pair])
    turned = smaller_side(first - second)
    if not turned.any():
        return []
    # As the cameras would be if the smaller side were put right: the sums serve to leave each episode out.
    right_first = np.where(turned[:, None], second, first)
    right_second = np.where(turned[:, None], first, second)
    sums = right_first.sum(axis=0), right_second.sum(axis=0)
    limit = min(margin, _apart(right_first, right_second) / 2)
    found: list[_Suspect] = []
    for i in np.flatnonzero(turned):
        reference_first = _unit(sums[0] - right_first[i])
        reference_second = _unit(sums[1] - right_second[i])
        crossed = min(first[i] @ reference_second, second[i] @ reference_first)
        own = max(first[i] @ reference_first, second[i] @ reference_second)
        if crossed >= min_resemblance and crossed - own > limit:
            found.append(_Suspect(int(i), float(crossed - own), limit))
    return found


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """What tells two cameras apart, 0-2; at least four times what tells the episodes of either apart."""
    middles = [_unit(side.sum(axis=0)) for side in (first, second)]
    scatter = max(
        1 - float(np.median(side @ middle)) for side, middle in zip((first, second), middles, strict=True)
    )
    return max(1 - float(middles[0] @ middles[1]), 4 * scatter)


def _finding(
    dataset: Dataset, names: tuple[str, str], both: list[Episode], pair: _Pairs, suspects: list[_Suspect]
) -> Finding:
    places = {suspect.place for suspect in suspects}
    tie = 2 * len(places) == len(both)
    if _wrist_is_calmer(names, [looks for i, looks in enumerate(pair) if i not in places], tie):
        places = set(range(len(both))) - places
    sure = not tie or _wrist_place(names) is not None
    numbers, rest = _numbers(both, places), _numbers(both, set(range(len(both))) - places)
    which = (
        f"in {count(len(numbers), 'episode')}" if sure else f"here, or else in episodes {number_ranges(rest)}"
    )
    least = min(suspects, key=lambda suspect: suspect.lead)
    return Finding(
        summary=f"Cameras '{names[0]}' and '{names[1]}' are exchanged {which}.",
        where=Where(numbers),
        evidence=(Evidence("resembles the other camera better by", least.lead, least.limit),),
        fix=Fix(
            "Exchange the pictures of these episodes or drop them; name cameras by serial number or port, "
            "not by index.",
            drop_episodes(dataset, numbers) if sure else None,
            SwapCameras(numbers, names) if sure else None,
        ),
    )


def _numbers(episodes: list[Episode], places: set[int]) -> tuple[int, ...]:
    return tuple(episodes[place].index for place in sorted(places))


def _wrist_place(names: tuple[str, str]) -> int | None:
    """Which of two cameras rides on the arm by its name; None when that is not said of exactly one."""
    wrists = [called_wrist(name) for name in names]
    return wrists.index(True) if sum(wrists) == 1 else None


def _wrist_is_calmer(names: tuple[str, str], pair: _Pairs, tie: bool) -> bool:
    """Whether the camera called wrist changes less in these episodes than the one that is not.

    Where they are not just a half of the episodes, clearly less.
    """
    place = _wrist_place(names)
    if place is None or not pair:
        return False
    changes = np.array([(one.change, other.change) for one, other in pair]).mean(axis=0)
    return bool(changes[place] < changes[1 - place] * (1.0 if tie else CLEARLY))


@check(severity=Severity.ERROR)
def swapped_cameras_live(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """What each camera shows now, against what the policy was trained on."""
    exchange = _exchange_of(live.images, _told_apart(contract, live.images))
    if exchange is not None:
        yield exchange.finding(Where())


@check(severity=Severity.ERROR)
def swapped_cameras_deployed(contract: "Contract", rollouts: Rollouts) -> Iterator[Finding]:
    """The first picture of each camera in each rollout, against what the policy was trained on."""
    episodes: dict[str, list[int]] = {}
    exchanges: dict[str, _Exchange] = {}
    for episode in rollouts.episodes:
        pictures = {name: camera.frames([0])[0] for name, camera in episode.cameras.items()}
        exchange = _exchange_of(pictures, _told_apart(contract, pictures))
        if exchange is not None:
            exchanges.setdefault(exchange.option, exchange)
            episodes.setdefault(exchange.option, []).append(episode.index)
    for option, exchange in exchanges.items():
        yield exchange.finding(Where(episodes=tuple(episodes[option])))


@dataclass(frozen=True)
class _Exchange:
    """Under each camera's name, whose picture belongs there; and by how much it fits better."""

    sources: Mapping[str, str]
    gain: float
    limit: float

    @property
    def option(self) -> str:
        """As the command line takes it."""
        return ",".join(f"{name}={source}" for name, source in self.sources.items())

    def finding(self, where: Where) -> Finding:
        names = " and ".join(f"'{name}'" for name in self.sources)
        return Finding(
            summary=f"Cameras {names} have changed places since the training.",
            where=where,
            evidence=(
                Evidence("resembles the other camera better by", round(self.gain, 3), round(self.limit, 3)),
            ),
            fix=Fix(
                "Put the plugs back, or exchange the pictures for this run.",
                f"regrasp rollout CHECKPOINT --station STATION --cameras {self.option}",
            ),
        )


def _told_apart(contract: "Contract", pictures: Mapping[str, object]) -> "list[CameraContract]":
    """The cameras that can be compared; Undecided when they are too few or look the same."""
    cameras = [camera for camera in contract.cameras if camera.fingerprint and camera.name in pictures]
    if not 2 <= len(cameras) <= MOST_CAMERAS:
        raise Undecided(f"needs 2 to {MOST_CAMERAS} cameras with a fingerprint, got {len(cameras)}")
    for one, other in combinations(cameras, 2):
        noise = 1 - min(camera.likeness_low or 0.0 for camera in (one, other))
        if 1 - _alike(one, other) <= noise:
            raise Undecided(f"cameras '{one.name}' and '{other.name}' saw too much the same in training")
    return cameras


def _exchange_of(
    pictures: Mapping[str, NDArray[np.uint8]], cameras: "list[CameraContract]"
) -> _Exchange | None:
    """The permutation of the cameras that fits best, if it fits clearly better than none."""
    fits = {
        (seen.name, trained.name): likeness(
            grid_means(pictures[seen.name], (trained.rows, trained.columns)), trained.picture
        )
        for seen in cameras
        for trained in cameras
    }
    best = max(permutations(cameras), key=lambda order: _total(fits, cameras, order))
    moved = [(seen, trained) for seen, trained in zip(cameras, best, strict=True) if seen is not trained]
    if not moved:
        return None
    gain = float(
        np.mean([fits[seen.name, trained.name] - fits[seen.name, seen.name] for seen, trained in moved])
    )
    limit = float(np.mean([(1 - _alike(seen, trained)) / 2 for seen, trained in moved]))
    if gain <= limit:
        return None
    sources = {trained.name: seen.name for seen, trained in moved}
    return _Exchange(
        {camera.name: sources[camera.name] for camera in cameras if camera.name in sources}, gain, limit
    )


def _total(
    fits: Mapping[tuple[str, str], float],
    cameras: "list[CameraContract]",
    order: "tuple[CameraContract, ...]",
) -> float:
    return sum(fits[seen.name, trained.name] for seen, trained in zip(cameras, order, strict=True))


def _alike(one: "CameraContract", other: "CameraContract") -> float:
    """How alike two fingerprints are."""
    return likeness(one.picture, other.picture) if one.picture.shape == other.picture.shape else 0.0
