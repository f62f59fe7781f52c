"""What each camera showed first in an episode, made small, and how that compares with the training."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import GRID, grid_means
from regrasp.data.measures import likeness
from regrasp.data.sight import CELLS, grey_thumbnail
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.signals import once_per_dataset

if TYPE_CHECKING:
    from regrasp.data.contract import CameraContract, Contract

type Grid = NDArray[np.float64]
"""A picture on a grid, [12, 16, 3], or several, [..., 12, 16, 3]."""

FLIPS: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "mirrored left-right": lambda picture: picture[..., :, ::-1, :],
    "mirrored upside down": lambda picture: picture[..., ::-1, :, :],
    "turned by 180 degrees": lambda picture: picture[..., ::-1, ::-1, :],
}
"""What to call it, and what is done to a picture, or to several [..., h, w, 3]; each undoes itself."""

FEWEST_GREY_LEVELS = 2.0
"""Deviation over the picture of red less blue, below which it is taken for grey."""


@dataclass(frozen=True, eq=False)
class Look:
    """A first picture: its colours on the fingerprint's grid [12, 16, 3], and its grey thumbnail [48, 64], 0-255."""

    colours: Grid
    grey: NDArray[np.float64]


def look_at(picture: NDArray[np.uint8]) -> Look:
    """A picture [h, w, 3] made small."""
    return Look(grid_means(picture, GRID), grey_thumbnail(picture))


@once_per_dataset
def first_looks(dataset: Dataset) -> Mapping[str, Mapping[int, Look]]:
    """Camera -> number of the episode -> what it showed first; each picture is decoded once for all checks."""
    looks: dict[str, dict[int, Look]] = {}
    for episode in dataset.episodes:
        for name, camera in episode.cameras.items():
            looks.setdefault(name, {})[episode.index] = look_at(camera.frames([0])[0])
    return looks


def looks_of(contract: "Contract", dataset: Dataset) -> "Iterator[tuple[CameraContract, Mapping[int, Look]]]":
    """Each camera of the contract with a fingerprint on our grid, with its looks; Undecided when there is none."""
    known = [camera for camera in contract.cameras if camera.fingerprint and camera.picture.shape[:2] == GRID]
    if contract.cameras and not known:
        raise Undecided("needs a contract with fingerprints of the cameras")
    looks = first_looks(dataset)
    return ((camera, looks[camera.name]) for camera in known if camera.name in looks)


@dataclass(frozen=True)
class Flip:
    """The flip of a picture that fits the training best: its name, how well it fits, and how much better than none."""

    name: str
    fit: float
    lead: float


def best_flip(camera: "CameraContract", look: Look) -> Flip:
    """That of the three flips after which a picture resembles the training most.

    A camera that stands still is compared in colour with its fingerprint, one on the arm in grey with each of the
    pictures that the contract keeps.
    """
    seen, trained = _comparable(camera, look)
    fits = {name: max(likeness(flip(seen), one) for one in trained) for name, flip in FLIPS.items()}
    best = max(fits, key=lambda name: fits[name])
    return Flip(best, fits[best], fits[best] - max(likeness(seen, one) for one in trained))


def _comparable(camera: "CameraContract", look: Look) -> tuple[Grid, list[Grid]]:
    if not camera.rides:
        return look.colours, [camera.picture]
    seen, *trained = (
        grid_means(grey.astype(np.uint8), CELLS)[..., None] for grey in (look.grey, *camera.greys)
    )
    return seen, trained


def agreement_of_colours(camera: "CameraContract", look: Look) -> float | None:
    """Correlation of red less blue with the training's, -1 to 1; None where either has no colours."""
    then, now = (colours[..., 0] - colours[..., 2] for colours in (camera.picture, look.colours))
    if min(now.std(), then.std()) < FEWEST_GREY_LEVELS:
        return None
    return float(np.corrcoef(then.ravel(), now.ravel())[0, 1])


def light_of(colours: NDArray[Any]) -> dict[str, float]:
    """Logarithms of brightness, colour temperature and contrast of a picture [..., 3]."""
    grey = colours.mean(axis=-1)
    red, _, blue = colours.reshape(-1, 3).mean(axis=0) + 1
    return {
        "brightness": float(np.log(grey.mean() + 1)),
        "warmth": float(np.log(red / blue)),
        "contrast": float(np.log((grey.std() + 1) / (grey.mean() + 1))),
    }
