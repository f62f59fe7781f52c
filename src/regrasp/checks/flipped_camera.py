"""A camera's pictures are mirrored or stand on their head, in some episodes or since the training.

## What it detects
Episodes in which a camera's pictures are mirrored left-right, mirrored upside down, or turned by half a turn
(upside down without a mirror), compared with the others.

## Why it matters
What lies left appears right: the policy learns from these episodes to reach the wrong way. A driver's setting, or
a camera mounted again the other way up, does it, and nothing else in the recording tells.

## How it decides
Of each episode the first picture and the median over moments are shrunk to 12 x 16 cells of colour, and
each colour's mean and contrast are taken out. What is the same in a picture and its mirror image is taken out,
too: the rest turns into its negative when the picture is flipped. Episodes are sorted into two sides by the
strongest common pattern of these rests, and an episode of the smaller side is reported when its flipped picture
resembles the larger side by at least `min_resemblance`, and better than the picture as it is by `margin`: the
first picture and the median together, and neither of them worse. All three flips are tried, and the one that fits
best is named. Of equal halves the later is named, and the other one beside it.

*In a deployment* the first picture is compared with the contract's fingerprint in the same way; that of a camera on
the arm with six first pictures of the training, in grey. Where its jaws stay in view, a flip must put them where they
were in training; and if they do not lie there in the picture as it is, they alone tell.
`regrasp diagnose` turns the pictures of rollouts back and asks the policy again.

## What can fool it
A view that looks like its own mirror image says nothing: such flips are not found. All episodes flipped
alike are consistent in themselves; preflight compares them with the station.

## How to fix it
Drop these episodes, or flip their pictures back. Fix the camera's `rotation` in the station file.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.episode import grid_means
from regrasp.data.measures import likeness, standardised
from regrasp.data.rollouts import Rollouts
from regrasp.data.sight import CELLS, grey_thumbnail
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count, number_ranges
from regrasp.diagnosis.first_looks import FLIPS, Flip, Grid, best_flip, looks_of
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.views import View, smaller_side, views

if TYPE_CHECKING:
    from regrasp.data.contract import CameraContract, Contract


FEWEST_ROLLOUTS = 0.2
"""Share of the rollouts that must look flipped: a single picture of a camera on the arm may, in blinding light.
Chosen on one such case, 1 of 8 rollouts."""


@check(severity=Severity.ERROR, explains=("moved-camera", "changed-light"))
def flipped_camera(
    dataset: Dataset, *, min_resemblance: float = 0.5, margin: float = 0.15
) -> Iterator[Finding]:
    """Report the episodes in which a camera's pictures are flipped, for each camera and flip."""
    known = views(dataset)
    if max((len(one.views) for one in known.values()), default=0) < 2:
        raise Undecided("needs 2 episodes to compare, got 1")
    for name, one in known.items():
        patterns = np.array([_pattern(view) for view in one.views])
        found = _flipped(patterns, min_resemblance, margin) if len(patterns) > 1 else {}
        for flip in FLIPS:
            places = [place for place, best in found.items() if best.flip == flip]
            if places:
                lead = min(found[place].lead for place in places)
                numbers = tuple(one.views[place].number for place in places)
                rest = tuple(view.number for view in one.views if view.number not in numbers)
                yield _finding(dataset, name, _Flipped(flip, lead), numbers, rest, margin)


@check(severity=Severity.ERROR, explains=("moved-camera",))
def flipped_camera_live(
    contract: "Contract",
    live: LiveView,
    *,
    min_resemblance: float = 0.5,
    min_resemblance_on_arm: float = 0.25,
    margin: float = 0.15,
) -> Iterator[Finding]:
    """What each camera shows now, flipped, against what the policy was trained on."""
    known = [camera for camera in contract.cameras if camera.name in live.images and camera.fingerprint]
    if contract.cameras and not known:
        raise Undecided("needs a contract with fingerprints of the cameras")
    for camera in known:
        picture = live.images[camera.name]
        least = min_resemblance_on_arm if camera.rides else min_resemblance
        found = _flip_of(camera, picture, least, margin)
        if found:
            yield Finding(
                summary=f"Pictures of camera '{camera.name}' are {found.flip} since the training.",
                where=Where(camera=camera.name),
                evidence=(Evidence("resembles the training better, put back, by", found.lead, margin),),
                fix=Fix(f"Turn camera '{camera.name}' back, or correct its `rotation` in the station file."),
            )


@check(severity=Severity.ERROR, explains=("moved-camera",))
def flipped_camera_deployed(
    contract: "Contract",
    rollouts: Rollouts,
    *,
    min_resemblance: float = 0.5,
    min_resemblance_on_arm: float = 0.25,
    margin: float = 0.15,
) -> Iterator[Finding]:
    """The first picture of each camera in each rollout, flipped, against what the policy was trained on."""
    for camera, looks in looks_of(contract, rollouts.dataset):
        least = min_resemblance_on_arm if camera.rides else min_resemblance
        flips = {number: best_flip(camera, look) for number, look in looks.items()}
        clear = {n: flip for n, flip in flips.items() if flip.fit >= least and flip.lead > margin}
        for name in FLIPS:
            alike = {number: flip for number, flip in clear.items() if flip.name == name}
            if len(alike) >= FEWEST_ROLLOUTS * len(looks) and alike:
                yield _deployed(camera.name, alike, len(looks), margin)


def _deployed(camera: str, flips: dict[int, Flip], rollouts: int, margin: float) -> Finding:
    flip = min(flips.values(), key=lambda flip: flip.lead)
    return Finding(
        summary=f"Pictures of camera '{camera}' are {flip.name} since the training, "
        f"in {len(flips)} of {count(rollouts, 'rollout')}.",
        where=Where(tuple(flips), camera=camera),
        evidence=(Evidence("resembles the training better, put back, by", flip.lead, margin),),
        fix=Fix(f"Turn camera '{camera}' back, or correct its `rotation` in the station file."),
    )


def _flip_of(
    camera: "CameraContract", picture: NDArray[np.uint8], least: float, margin: float
) -> "_Flipped | None":
    """How a picture is flipped: from the jaws where the contract knows them and they tell, else from all it shows."""
    jaws, aspect = camera.jaws and camera.jaws.unpacked, camera.height / camera.width
    as_is = jaws and jaws.place(picture, aspect)
    if not jaws or not as_is:
        return _by_picture(camera, picture, FLIPS, least, margin)
    put_back = {flip: jaws.near(turn(picture), aspect) for flip, turn in FLIPS.items()}
    fitting = {flip: place.likeness for flip, place in put_back.items() if place and jaws.fits(place, aspect)}
    if jaws.fits(as_is, aspect):  # jaws that are their own mirror image
        return _by_picture(camera, picture, fitting, least, margin)
    best = max(fitting, key=lambda flip: fitting[flip], default=None)
    return _Flipped(best, fitting[best] - as_is.likeness) if best else None


def _by_picture(
    camera: "CameraContract", picture: NDArray[np.uint8], flips: Collection[str], least: float, margin: float
) -> "_Flipped | None":
    """That of these flips after which the picture resembles the training best, if clearly more than as it is."""
    seen, trained = _compared(camera, picture)
    if seen.shape != trained[0].shape or not flips:
        return None
    fits = {flip: max(likeness(FLIPS[flip](seen), one) for one in trained) for flip in flips}
    best = max(fits, key=lambda flip: fits[flip])
    lead = fits[best] - max(likeness(seen, one) for one in trained)
    return _Flipped(best, lead) if fits[best] >= least and lead > margin else None


def _compared(camera: "CameraContract", picture: NDArray[np.uint8]) -> tuple[Grid, list[Grid]]:
    """A picture, and what the camera showed in training, on one grid: in colour, or in grey if it rides on the arm."""
    if not camera.rides:
        return grid_means(picture, (camera.rows, camera.columns)), [camera.picture]
    greys = (grey_thumbnail(picture), *camera.greys)
    seen, *trained = (grid_means(grey.astype(np.uint8), CELLS)[..., None] for grey in greys)
    return seen, trained


@dataclass(frozen=True)
class _Flipped:
    """Which flip fits, and by how much better than none."""

    flip: str
    lead: float


def _pattern(view: View) -> Grid:
    """First and still picture on the grid without each colour's mean and contrast, [2, 12, 16, 3]."""
    pictures = (view.first, view.still)
    return np.stack([standardised(grid_means(np.round(p).astype(np.uint8), CELLS)) for p in pictures])


def _flipped(patterns: Grid, min_resemblance: float, margin: float) -> dict[int, _Flipped]:
    """Places in `patterns` [n, 2, 12, 16, 3] that are flipped, with the flip that fits each best."""
    found: dict[int, _Flipped] = {}
    for name, flip in FLIPS.items():
        turned = smaller_side((patterns - flip(patterns)).reshape(len(patterns), -1))
        right = np.where(turned[:, None, None, None, None], flip(patterns), patterns)
        total = right.sum(axis=0)
        for place in np.flatnonzero(turned):
            others = total - right[place]
            crossed = _resemblances(flip(patterns[place]), others)
            gains = crossed - _resemblances(patterns[place], others)
            lead = float(gains.mean())
            if crossed.mean() >= min_resemblance and lead > margin and gains.min() >= 0:
                known = found.get(int(place))
                if known is None or lead > known.lead:
                    found[int(place)] = _Flipped(name, lead)
    return found


def _resemblances(pair: Grid, others: Grid) -> NDArray[np.float64]:
    """Correlation of the first pictures and of the still ones, [2]."""
    one, other = pair.reshape(2, -1), others.reshape(2, -1)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.where(lengths > 0, (one * other).sum(axis=1) / np.maximum(lengths, 1e-9), 0.0)


def _finding(
    dataset: Dataset,
    camera: str,
    flipped: _Flipped,
    numbers: tuple[int, ...],
    rest: tuple[int, ...],
    margin: float,
) -> Finding:
    tie = len(numbers) == len(rest)
    which = (
        f"here, or else in episodes {number_ranges(rest)}" if tie else f"in {count(len(numbers), 'episode')}"
    )
    return Finding(
        summary=f"Pictures of camera '{camera}' are {flipped.flip} {which}.",
        where=Where(numbers, camera=camera),
        evidence=(Evidence("resembles the other episodes better, put back, by", flipped.lead, margin),),
        fix=Fix(
            "Drop these episodes or flip their pictures back; fix the camera's rotation in the station file.",
            None if tie else drop_episodes(dataset, numbers),
            None if tie else dropping(dataset, numbers),
        ),
    )
