"""A camera was moved between episodes, or since the training.

## What it detects
Episodes in which a camera that stands still by itself looks at the scene from elsewhere than in the others: it
was pushed, turned, or its zoom was touched.

## Why it matters
A policy learns where things are from where they appear. Of the changes that LIBERO-Plus (arXiv 2510.13626) makes,
another camera pose is among the two that cost most: pi0 succeeds in 14 % of its tasks, OpenVLA in 1 %. A mixture
can be learned, but only with enough episodes of each view.

## How it decides
A camera stands still when most of its picture does while the arm moves; a camera on the arm is not judged, nor
one that is called so. The
median over moments of an episode shows the place without the arm. It is laid upon that of the episode that
resembles all others most, with shift, turn and zoom free (least squares that leave out what does not fit;
brightness and contrast are free too). Episodes whose views agree are a group; those outside the largest are
reported when the points of the picture lie elsewhere by more than `max_shift` of its width on average, or when
the view resembles the others by less than `min_resemblance` however it is laid. Of equal groups the
earlier one counts as right.

A shift of 1.2 % is 8 of 640 pixels; a turn by 1.9 degrees does the same. Views of one place agree to 0.02 % on
the simulated arm (16 episodes, 128 x 128, AV1).

*In a deployment*, the first picture of each camera is laid upon the thumbnail that the contract keeps; only those
parts count that hardly differed from episode to episode. It is reported when it is shifted by more than
`max_shift_live`, turned by more than `max_turn_deg`, or scaled by more than `max_zoom`, and when it resembles the
thumbnail by less than `min_resemblance` however it is laid. Where laying it back takes away less than two fifths of
what differs, no move of the camera explains the picture, and the finding says that the place may have changed: of 16
moves and 16 turns of the simulated front camera 77 % and more went, of 16 raised tables 14 to 29 %
(`benchmarks/changed_places.py --seed 5`).

Rollouts are judged by the first picture of each, and reported where half of them and more are moved. `regrasp
diagnose` moves the pictures of training starts as much and puts them back, and asks the policy about both.

A camera on the arm starts where the arm does, and sees another place each time; but its jaws ride along. The contract
keeps the edges that stayed in all first pictures of the training, in the mix of colours that shows them best. They
are reported when they lie elsewhere by more than 4 % of the width beyond what nearly all training pictures did, or
resemble the training's by 0.25 less than these. On the simulated arm those of 180 rightly set stations, turned by up
to 1.5 degrees, lie up to 2.5 % away, those of 60 cameras turned by 11 to 20 degrees 10 % or more (the limit there:
4.9 %).

Where nothing rides along, the view is laid upon six first pictures of the training, and reported when its points lie
elsewhere than in each of those that it resembles (by `min_resemblance_on_arm`) by more than `max_away`; when it
resembles none, it stays undecided.

## What can fool it
Another table cloth, or a scene rearranged from end to end, looks like another view. A wall without any structure
cannot be laid upon itself. A camera on the arm that was turned in its mount shows in
preflight alone, and jaws that start more open than in training look moved.

## How to fix it
If few episodes are odd, drop them. Otherwise keep them, and record as many again from where the camera
stands now. Screw the camera down, and mark its place. In a deployment, put the camera back: the finding says which
way the view went.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.alignment import Alignment, align
from regrasp.data.episode import called_wrist
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.moved_views import View as MovedView
from regrasp.diagnosis.moved_views import ViewLimits, directions, view_of
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.views import View, views

if TYPE_CHECKING:
    from regrasp.data.contract import CameraContract, Contract

STILL_GREY_LEVELS = 4.0
"""A pixel that varies by so much within an episode counts exp(-1/2) = 0.6 as much as a still one, one that varies by
twice as much 0.14. Still pixels of the simulated front camera vary by 0.9."""


@check(severity=Severity.WARNING)
def moved_camera(
    dataset: Dataset, *, max_shift: float = 0.012, min_resemblance: float = 0.5
) -> Iterator[Finding]:
    """Report the episodes in which a camera that stands still looks from elsewhere, for each such camera."""
    fixed = [one for one in views(dataset).values() if one.fixed and not called_wrist(one.camera)]
    if not fixed:
        raise Undecided("no camera stands still while the arm moves")
    if max(len(one.views) for one in fixed) < 2:
        raise Undecided("needs 2 episodes to compare, got 1")
    for one in fixed:
        moved = _moved(one.views, max_shift, min_resemblance)
        if moved:
            yield _finding(dataset, one.camera, moved, max_shift, min_resemblance)


type _Moved = list[tuple[View, Alignment]]


def _moved(all_views: tuple[View, ...], max_shift: float, min_resemblance: float) -> _Moved:
    """The views outside the largest group, each with where its content lies compared with that group."""
    middle = _most_typical(all_views)
    places = [_place(middle.grey, _weight(middle), view) for view in all_views]
    points = np.array([place.coordinates(view.aspect) for view, place in zip(all_views, places, strict=True)])
    points[[place.likeness < min_resemblance for place in places]] = np.nan
    main = _largest_group(points, max_shift)
    if main.all():
        return []
    if not main.any():
        raise Undecided("no two views could be laid upon each other")
    right = [view for view, inside in zip(all_views, main, strict=True) if inside]
    reference, weight = (
        np.median([v.grey for v in right], axis=0),
        np.median([_weight(v) for v in right], axis=0),
    )
    others = [view for view, inside in zip(all_views, main, strict=True) if not inside]
    moved = [(view, _place(reference, weight, view)) for view in others]
    return [
        (view, place)
        for view, place in moved
        if place.likeness < min_resemblance or place.away(view.aspect) > max_shift
    ]


def _most_typical(all_views: tuple[View, ...]) -> View:
    """The view that resembles all others most."""
    patterns = np.array([(view.grey - view.grey.mean()).ravel() for view in all_views])
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    return all_views[int(np.argmax(patterns @ patterns.sum(axis=0)))]


@check(severity=Severity.ERROR)
def moved_camera_live(
    contract: "Contract",
    live: LiveView,
    *,
    max_shift_live: float = 0.045,
    max_turn_deg: float = 5.0,
    max_zoom: float = 0.035,
    max_away: float = 0.07,
    min_resemblance: float = 0.6,
    min_resemblance_on_arm: float = 0.75,
) -> Iterator[Finding]:
    """What each camera shows now, laid upon what it showed at the start of the training episodes."""
    limits = ViewLimits(
        max_shift_live, max_turn_deg, max_zoom, max_away, min_resemblance, min_resemblance_on_arm
    )
    known = _with_thumbnails(contract, live.images)
    told = {camera.name: view_of(camera, live.images[camera.name], limits) for camera in known}
    for name, view in told.items():
        if view is not None and view.evidence:
            yield _moved_since(name, view)
    _require_told([name for name, view in told.items() if view is None])


@check(severity=Severity.ERROR)
def moved_camera_deployed(
    contract: "Contract",
    rollouts: Rollouts,
    *,
    max_shift_live: float = 0.045,
    max_turn_deg: float = 5.0,
    max_zoom: float = 0.035,
    max_away: float = 0.07,
    min_resemblance: float = 0.6,
    min_resemblance_on_arm: float = 0.75,
) -> Iterator[Finding]:
    """The first picture of each camera in each rollout, laid upon those of the training."""
    limits = ViewLimits(
        max_shift_live, max_turn_deg, max_zoom, max_away, min_resemblance, min_resemblance_on_arm
    )
    unknown: list[str] = []
    for camera in _with_thumbnails(contract, rollouts.dataset.camera_names):
        told = {
            episode.index: view_of(camera, episode.cameras[camera.name].frames([0])[0], limits)
            for episode in rollouts.episodes
            if camera.name in episode.cameras
        }
        moved = {number: view for number, view in told.items() if view is not None and view.evidence}
        if 2 * len(moved) >= len(told) > 0:
            yield _moved_in(camera.name, moved, len(told))
        elif told and all(view is None for view in told.values()):
            unknown.append(camera.name)
    _require_told(unknown)


def _with_thumbnails(contract: "Contract", names: Container[str]) -> "list[CameraContract]":
    """The contract's cameras of these names that can be compared; Undecided when it has none."""
    known = [camera for camera in contract.cameras if camera.name in names and camera.greys]
    if contract.cameras and not known:
        raise Undecided("needs a contract with thumbnails of the cameras; `regrasp contract make` makes one")
    return known


def _require_told(unknown: list[str]) -> None:
    if unknown:
        names = " and ".join(f"'{name}'" for name in unknown)
        raise Undecided(f"what camera {names} shows resembles no first picture of the training")


def _moved_in(camera: str, moved: Mapping[int, MovedView], rollouts: int) -> Finding:
    """The camera in these rollouts, with the median of what is beyond its limit."""
    usual = sorted(moved.values(), key=lambda view: view.evidence[0].value)[len(moved) // 2]
    one = _moved_since(camera, usual)
    return replace(
        one,
        summary=f"{one.summary.rstrip('.')}, in {len(moved)} of {count(rollouts, 'rollout')}.",
        where=Where(tuple(moved), camera=camera),
        fix=Fix(f"Put camera '{camera}' back where it was in training."),
    )


def _moved_since(camera: str, told: MovedView) -> Finding:
    moved = (
        f"looks from elsewhere than in training: its view is {directions(told.place)}" if told.place else ""
    )
    other = (
        "sees another view than in training: it looks from elsewhere, or what stands before it has changed"
    )
    return Finding(
        summary=f"Camera '{camera}' {moved or other}.",
        where=Where(camera=camera),
        evidence=told.evidence,
        fix=Fix(f"Put camera '{camera}' back where it was in training, then run preflight again."),
    )


def _weight(view: View) -> NDArray[np.float64]:
    """How much each pixel counts: those that keep still within the episode."""
    return np.exp(-0.5 * (view.change / STILL_GREY_LEVELS) ** 2)


def _place(reference: NDArray[np.float64], weight: NDArray[np.float64], view: View) -> Alignment:
    return align(reference, view.grey, weight, _weight(view), aspect=view.aspect)


def _largest_group(points: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    """Which points lie within `radius` of the one that has most so near; [n] of [n, 4]. NaN lies nowhere."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    near = distances <= radius
    return near[int(np.argmax(near.sum(axis=1)))]


def _finding(
    dataset: Dataset, camera: str, moved: _Moved, max_shift: float, min_resemblance: float
) -> Finding:
    numbers = tuple(view.number for view, _ in moved)
    laid = [(view, place) for view, place in moved if place.likeness >= min_resemblance]
    evidence: list[Evidence] = []
    if laid:
        share = float(np.median([place.away(view.aspect) for view, place in laid]))
        evidence.append(
            Evidence("its view lies elsewhere by", 100 * share, 100 * max_shift, "% of its width")
        )
    if len(laid) < len(moved):
        least = min(place.likeness for _, place in moved)
        evidence.append(Evidence("its view resembles the others by", least, min_resemblance))
    how = f" ({in_words([place for _, place in laid])})" if laid else ""
    return Finding(
        summary=f"Camera '{camera}' looks from elsewhere in {count(len(numbers), 'episode')}{how}.",
        where=Where(numbers, camera=camera),
        evidence=tuple(evidence),
        fix=Fix(
            "Drop these episodes, or record as many again from where the camera stands now; screw it down.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def in_words(places: list[Alignment]) -> str:
    """What happened to the view, in the middle of several: `shifted by 6 % of its width, turned by 3 degrees`."""
    right, down, turn, zoom = np.median(
        [(place.right, place.down, place.turn_deg, place.zoom) for place in places], axis=0
    )
    told = [
        (np.hypot(right, down) >= 0.005, f"shifted by {100 * np.hypot(right, down):.0f} % of its width"),
        (abs(turn) >= 0.5, f"turned by {abs(turn):.0f} degrees"),
        (abs(zoom - 1) >= 0.01, f"zoomed by {100 * (zoom - 1):+.0f} %"),
    ]
    return ", ".join(text for enough, text in told if enough) or "slightly"
