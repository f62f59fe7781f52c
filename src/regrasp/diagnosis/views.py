"""What a camera shows in each episode apart from what moves: the ground of checks that compare places and light."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.data.sight import Sight
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.signals import once_per_dataset

FIXED_SHARE = 0.25
"""A fixed camera's pixels, most of them, change by less than this share of the picture's contrast while the arm moves.
Measured: 0.03-0.04 in front views, 0.75-1.8 in wrist views, simulated and made up."""

EMPTY_GREY_LEVELS = 2.0
"""A picture with less contrast than this shows nothing that could be compared."""


@dataclass(frozen=True, eq=False)
class View:
    """One camera in one episode.

    Attributes:
        episode: The episode.
        aspect: Height over width of the pictures as they were taken.
        first: The first picture, 0-255, [48, 64, 3].
        still: The median over moments evenly spread: without the arm where it moves, [48, 64, 3].
        change: Deviation of each pixel's grey over these moments, [48, 64].
    """

    episode: Episode
    aspect: float
    first: NDArray[np.float64]
    still: NDArray[np.float64]
    change: NDArray[np.float64]

    @cached_property
    def grey(self) -> NDArray[np.float64]:
        """Grey values of `still`, [48, 64]."""
        return self.still.mean(axis=-1)

    @property
    def number(self) -> int:
        """Of the episode."""
        return self.episode.index

    @property
    def contrast(self) -> float:
        """Deviation of the still picture's grey values."""
        return float(self.grey.std())


@dataclass(frozen=True, eq=False)
class Views:
    """One camera in all episodes in which it shows something.

    `fixed` says that most of the picture keeps still in an episode: the camera does not ride on the arm.
    """

    camera: str
    views: tuple[View, ...]

    @cached_property
    def fixed(self) -> bool:
        """Whether the camera stands still in most episodes."""
        shares = [float(np.median(view.change)) / view.contrast for view in self.views]
        return bool(shares) and float(np.median(shares)) < FIXED_SHARE


@once_per_dataset
def views(dataset: Dataset) -> Mapping[str, Views]:
    """By camera, what it shows in each episode that shows something."""
    found: dict[str, Views] = {}
    for name, looks in sights(dataset).seen.items():
        each = [_view(episode, name, sight) for episode, sight in looks if len(sight.colours)]
        found[name] = Views(name, tuple(view for view in each if view.contrast > EMPTY_GREY_LEVELS))
    return found


def _view(episode: Episode, name: str, sight: Sight) -> View:
    camera = episode.cameras[name]
    moments = sight.colours.astype(np.float64)
    return View(
        episode,
        camera.height / camera.width if camera.width else 0.75,
        moments[0].copy(),  # a mere view would keep all moments
        np.median(moments, axis=0),
        moments.mean(axis=-1).std(axis=0),
    )


def smaller_side(rests: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows point against most others along their strongest direction; of equal halves the later."""
    _, _, directions = np.linalg.svd(rests, full_matrices=False)
    negative = rests @ directions[0] < 0
    against = negative if 2 * negative.sum() < len(negative) else ~negative
    tie = 2 * against.sum() == len(against)
    return ~against if tie and against[0] else against
