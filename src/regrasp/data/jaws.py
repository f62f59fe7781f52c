"""What rides along with a camera on the arm and so stays in its picture: jaws, mostly. NumPy alone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from regrasp.data.alignment import Alignment, align
from regrasp.data.episode import grid_means
from regrasp.data.sight import THUMBNAIL

type Plane = NDArray[np.float64]
"""Values on the grid of a thumbnail, [48, 64]."""

type Mix = tuple[float, float, float]
"""Weights of red, green and blue; their absolute values add up to 1."""

MIXES: tuple[Mix, ...] = (
    (1 / 3, 1 / 3, 1 / 3),
    (0.25, 0.25, -0.5),
    (0.5, -0.25, -0.25),
    (-0.25, 0.5, -0.25),
)
"""Grey, and each of three colours against the other two. The yellow jaws of the simulated arm are hardly seen in grey on
a wooden table; 120 views of rightly set stations resemble the training by 0.92 or more in the second, by -0.5 in grey."""

FEWEST = 5
"""Pictures from which it can be told what stays."""

MOST = 24
"""At most so many pictures, evenly spread, are laid upon their median: 0.5 s."""

EDGE = 5.0
"""An edge of so many levels between neighbouring cells counts half as much as the strongest; wood grain has 1-2."""

BLUR = 2.0
"""Cells (deviation) over which the weight of an edge is spread: the jaws may be shifted by so much, 3 % of the width."""

NEARLY_ALL = 0.95
"""Share of the training pictures that must fit: single episodes may start oddly."""

MOST_WANDER = 0.02
"""What stays lies within this share of the width in nearly all training pictures; 0.01 on the simulated arm."""

LEAST_LIKENESS = 0.8
"""What stays resembles its median by at least so much in nearly all training pictures; 0.98 on the simulated arm."""

NATURAL_AWAY = 0.04
"""Share of the width by which the mount may give, beyond the training's own variation. A turn by 1.5 degrees, the most
that is taken for natural, leaves the simulated view within 0.026; one by 11 to 20 degrees lies 0.10 away or more."""

NATURAL_LOSS = 0.25
"""Loss of likeness that light and such a turn may cost: 0.06 in 120 views."""

TRIED = ((0, 5), (0, -5), (4, 0), (-4, 0))
"""Rows and columns by which the median is shifted to see whether that would be noticed: 8 % of the width."""


@dataclass(frozen=True, eq=False)
class Jaws:
    """What stays in a camera's picture at the start of the training episodes.

    Attributes:
        mix: How much of red, green and blue is looked at.
        plane: The median picture in this mix, 0-255, [48, 64].
        weight: How much each part counts, 0-1, [48, 64]: more where an edge stays.
        wander: Distance from the median within which nearly all training pictures lie, as a share of the width.
        likeness: How much nearly all of them resemble the median at least.
    """

    mix: Mix
    plane: Plane
    weight: Plane
    wander: float = 0.0
    likeness: float = 1.0

    @classmethod
    def of(cls, planes: NDArray[np.float64], mix: Mix) -> Self:
        """From some pictures in one mix, [n, 48, 64]."""
        return cls(mix, np.median(planes, axis=0).round(), _staying(planes))

    def place(self, picture: NDArray[np.uint8], aspect: float) -> Alignment | None:
        """Where they lie in a picture [h, w, 3]: near their place, or else anywhere; None for too small a picture."""
        near = self.near(picture, aspect)
        if near is None or near.likeness >= self.min_likeness:
            return near
        everywhere = np.ones(THUMBNAIL)
        anywhere = align(self.plane, mixed(picture, self.mix), self.weight, everywhere, aspect=aspect)
        return max(near, anywhere, key=lambda place: place.likeness)

    def near(self, picture: NDArray[np.uint8], aspect: float) -> Alignment | None:
        """Where they lie in a picture, looked for near their place."""
        plane = mixed(picture, self.mix)
        return self.laid(plane, aspect) if plane.shape == THUMBNAIL else None

    def laid(self, plane: Plane, aspect: float) -> Alignment:
        """Where they lie in a picture in their mix, looked for near their place."""
        everywhere = np.ones(THUMBNAIL)
        return align(self.plane, plane, self.weight, everywhere, aspect=aspect, start=Alignment())

    @property
    def max_away(self) -> float:
        """How far they may naturally lie from their place, as a share of the width."""
        return self.wander + NATURAL_AWAY

    @property
    def min_likeness(self) -> float:
        """How little they may naturally resemble the training's."""
        return self.likeness - NATURAL_LOSS

    def fits(self, place: Alignment, aspect: float) -> bool:
        """Whether they lie where they did in training, as far as is natural."""
        return place.away(aspect) <= self.max_away and place.likeness >= self.min_likeness


def find_jaws(pictures: NDArray[np.uint8]) -> Jaws | None:
    """What stays in these pictures [n, h, w, 3] of a camera that looks elsewhere in each; None when nothing does.

    It is looked for in several mixes of colours; the one in which the pictures resemble each other most counts.
    """
    if len(pictures) < FEWEST:
        return None
    some = pictures[np.unique(np.linspace(0, len(pictures) - 1, MOST).round().astype(int))]
    aspect = some.shape[1] / some.shape[2]
    found = (_measured(np.stack([mixed(one, mix) for one in some]), mix, aspect) for mix in MIXES)
    return max((one for one in found if one), key=lambda jaws: jaws.likeness, default=None)


def mixed(picture: NDArray[np.uint8], mix: Mix) -> Plane:
    """A picture [h, w, 3] in one mix of its colours as a thumbnail, 0-255."""
    return 127.5 + (grid_means(picture, THUMBNAIL) - 127.5) @ np.array(mix)


def _measured(planes: NDArray[np.float64], mix: Mix, aspect: float) -> Jaws | None:
    """What stays in these pictures [n, 48, 64], where nearly all agree about it and a shift would show."""
    if planes.shape[1:] != THUMBNAIL or planes.std() < 1:
        return None
    jaws = Jaws.of(planes, mix)
    places = [jaws.laid(plane, aspect) for plane in planes]
    wander = float(np.quantile([place.away(aspect) for place in places], NEARLY_ALL))
    likeness = float(np.quantile([place.likeness for place in places], 1 - NEARLY_ALL))
    if wander > MOST_WANDER or likeness < LEAST_LIKENESS:
        return None
    jaws = Jaws(mix, jaws.plane, jaws.weight, round(wander, 4), round(likeness, 4))
    return jaws if _would_show(jaws, aspect) else None


def _would_show(jaws: Jaws, aspect: float) -> bool:
    """Whether their own plane, shifted, does not fit any more: a single straight edge would."""
    shifted = (np.roll(jaws.plane, by, axis=(0, 1)) for by in TRIED)
    return not any(jaws.fits(jaws.laid(plane, aspect), aspect) for plane in shifted)


def _staying(planes: NDArray[np.float64]) -> Plane:
    """Where edges are the same in all pictures [n, 48, 64], 0-1, spread by `BLUR`."""
    slopes = np.stack(np.gradient(planes, axis=(1, 2)))
    mean = slopes.mean(axis=1)
    strength = np.linalg.norm(mean, axis=0)
    varied = np.sqrt(((slopes - mean[:, None]) ** 2).sum(axis=0).mean(axis=0))
    edges = strength / (strength + EDGE) * np.exp(-2 * (varied / np.maximum(strength, 0.5)) ** 2)
    spread = _blurred(_blurred(edges).T).T
    return np.clip(spread / max(float(np.quantile(spread, 0.98)), 1e-9), 0, 1)


def _blurred(plane: Plane) -> Plane:
    """Each row, by a Gaussian of deviation `BLUR`."""
    reach = int(2 * BLUR)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / BLUR) ** 2)
    padded = np.pad(plane, ((0, 0), (reach, reach)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=1)
    return views @ (window / window.sum())
