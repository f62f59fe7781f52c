"""Whether a camera looks from elsewhere than in training, told from one picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data.alignment import Alignment, align, likeness_as_it_lies
from regrasp.data.sight import THUMBNAIL, grey_thumbnail
from regrasp.diagnosis.finding import Evidence
from regrasp.diagnosis.views import EMPTY_GREY_LEVELS

if TYPE_CHECKING:
    from regrasp.data.contract import CameraContract

VARIED_GREY_LEVELS = 3.0
"""Parts that differed by so much between the training's first pictures count little: a toy lay there, or the table
went by. In the simulated wrist camera's view the jaws remain."""


BRIGHTEST, BURNT = 252, 0.15
"""Level from which a colour counts as at the end of its scale, and the share of such pixels from which a picture has
lost what it could be recognised by. Chosen on few: two cases of blinding light on the simulated arm lay above it."""


@dataclass(frozen=True)
class ViewLimits:
    """Where a view begins to count as moved; where each comes from is on the page of `moved-camera`.

    Attributes:
        shift: Of a camera that stands still, as a share of the picture's width.
        turn_deg: Its turn.
        zoom: Its growth, less 1.
        away: Of a camera on the arm: how far the picture's points lie elsewhere, as a share of its width.
        unexplained: Of what differs from the training before a view that stands still is laid upon it, the share that
            may differ after.
        resemblance: Below this a view that stands still is another one, -1 to 1.
        resemblance_on_arm: Below this a first picture of a camera on the arm says nothing, -1 to 1.
    """

    shift: float = 0.045
    turn_deg: float = 5.0
    zoom: float = 0.035
    away: float = 0.07
    unexplained: float = 0.6
    resemblance: float = 0.6
    resemblance_on_arm: float = 0.75


@dataclass(frozen=True)
class View:
    """Where a view lies, if that can be told, and what is beyond its limit; nothing for a view that stayed.

    Without a place but with evidence it is another view: from too far elsewhere, or of a place that has changed.
    """

    place: Alignment | None
    evidence: tuple[Evidence, ...]


def view_of(
    camera: "CameraContract", picture: NDArray[np.uint8], limits: ViewLimits = ViewLimits()
) -> View | None:
    """Where a camera's first picture [h, w, 3] lies; None where that cannot be told. An empty picture says nothing."""
    if grey_thumbnail(picture).std() <= EMPTY_GREY_LEVELS:
        return View(None, ())
    if camera.rides:
        told = _by_jaws(camera, picture) or _by_examples(
            camera, picture, limits.away, limits.resemblance_on_arm
        )
    else:
        told = _by_place(camera, picture, limits)
    lost = told is not None and told.place is None and _too_bright(picture)
    return None if lost else told


def _too_bright(picture: NDArray[np.uint8]) -> bool:
    """Whether a colour of a picture [h, w, 3] is at the end of its scale in much of it: its likeness says nothing."""
    return float((picture >= BRIGHTEST).mean(axis=(0, 1)).max()) > BURNT


def directions(place: Alignment) -> str:
    """Which way the view went; what is too little to see is left out."""
    told = [
        (
            abs(place.right) >= 0.01,
            f"{100 * abs(place.right):.0f} % {'right' if place.right > 0 else 'left'}",
        ),
        (abs(place.down) >= 0.01, f"{100 * abs(place.down):.0f} % {'down' if place.down > 0 else 'up'}"),
        (
            abs(place.turn_deg) >= 1,
            f"turned {abs(place.turn_deg):.0f} degrees {'' if place.turn_deg > 0 else 'anti'}clockwise",
        ),
        (
            abs(place.zoom - 1) >= 0.01,
            f"{100 * abs(place.zoom - 1):.0f} % {'larger' if place.zoom > 1 else 'smaller'}",
        ),
    ]
    return ", ".join(text for enough, text in told if enough)


def _by_jaws(camera: "CameraContract", picture: NDArray[np.uint8]) -> View | None:
    """From what rides along with the camera; None where the contract knows nothing of the kind."""
    jaws, aspect = camera.jaws and camera.jaws.unpacked, camera.height / camera.width
    place = jaws and jaws.place(picture, aspect)
    if not jaws or not place:
        return None
    if place.likeness < jaws.min_likeness:
        resembles = Evidence(
            "what rides along with it resembles the training's by", place.likeness, jaws.min_likeness
        )
        return View(None, (resembles,))
    return View(place, _away(place, aspect, jaws.max_away))


def _by_examples(
    camera: "CameraContract", picture: NDArray[np.uint8], max_away: float, least: float
) -> View | None:
    """From the example that lies nearest; None where none resembles the picture."""
    aspect = camera.height / camera.width
    alike = [place for place in _laid(camera, picture) if place.likeness >= least]
    if not alike:
        return None
    place = min(alike, key=lambda one: one.away(aspect))
    return View(place, _away(place, aspect, max_away))


def _away(place: Alignment, aspect: float, limit: float) -> tuple[Evidence, ...]:
    return _beyond(("its view lies elsewhere by", 100 * place.away(aspect), 100 * limit, "% of its width"))


def _by_place(camera: "CameraContract", picture: NDArray[np.uint8], limits: ViewLimits) -> View:
    """From where the picture of a camera that stands still lies upon its thumbnail."""
    place = _laid(camera, picture)[0]
    if place.likeness < limits.resemblance:
        resembles = Evidence("its view resembles the training's by", place.likeness, limits.resemblance)
        return View(None, (resembles,))
    shift = 100 * float(np.hypot(place.right, place.down))
    evidence = _beyond(
        ("shifted by", shift, 100 * limits.shift, "% of its width"),
        ("turned by", abs(place.turn_deg), limits.turn_deg, "deg"),
        ("scaled by", 100 * abs(place.zoom - 1), 100 * limits.zoom, "%"),
    )
    left = unexplained(camera, picture, place) if evidence else 0.0
    if left >= 1:  # it fits better as it lies: nothing was moved
        return View(place, ())
    if left > limits.unexplained:
        differs = Evidence(
            "of what differs, laid upon the training's view still does",
            100 * left,
            100 * limits.unexplained,
            "%",
        )
        return View(None, (differs,))
    return View(place, evidence)


def unexplained(camera: "CameraContract", picture: NDArray[np.uint8], place: Alignment) -> float:
    """How much of what differs from the training's view is left once a picture is laid upon it; 1 is all."""
    grey = grey_thumbnail(picture)
    lies = likeness_as_it_lies(
        camera.greys[0], grey, _steady(camera), np.ones_like(grey), aspect=camera.height / camera.width
    )
    return (1 - place.likeness) / max(1 - lies, 1e-9)


def _laid(camera: "CameraContract", picture: NDArray[np.uint8]) -> list[Alignment]:
    """Where the thumbnail lies in a picture, and each of the examples, if there are any."""
    grey, steady = grey_thumbnail(picture), _steady(camera)
    aspect, everywhere = camera.height / camera.width, np.ones_like(grey)
    return [align(trained, grey, steady, everywhere, aspect=aspect) for trained in camera.greys]


def _beyond(*measured: tuple[str, float, float, str]) -> tuple[Evidence, ...]:
    """Those of (name, value, limit, unit) that are beyond their limit."""
    return tuple(Evidence(name, value, limit, unit) for name, value, limit, unit in measured if value > limit)


def _steady(camera: "CameraContract") -> NDArray[np.float64]:
    """How much each part of the thumbnail counts: less where the training's first pictures differed."""
    spread = np.array(camera.spread).reshape(camera.rows, camera.columns, 3).mean(axis=-1)
    rows, columns = (-(-size // cells) for size, cells in zip(THUMBNAIL, spread.shape, strict=True))
    fine = spread.repeat(rows, axis=0).repeat(columns, axis=1)[: THUMBNAIL[0], : THUMBNAIL[1]]
    return np.exp(-0.5 * (fine / VARIED_GREY_LEVELS) ** 2)
