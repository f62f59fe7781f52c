"""How one picture must be shifted, turned and scaled to lie on another; NumPy alone."""

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

type Plane = NDArray[np.float64]
"""Grey values, [h, w]."""

type Motion = NDArray[np.float64]
"""Shift right and down, and what is added to the first column of the matrix that turns and scales; [4]."""

LEVELS = ((4, 1.0), (2, 0.5), (1, 0.2))
"""Pictures are first aligned coarsely, with cells of 4 x 4 pixels, and so on to single ones; with the share of the
picture's contrast below which a residual is taken for noise: edges out of place must not pass for foreign objects."""

STEPS = 8
"""At most so many at each level."""

PEAKS = 4
"""So many shifts are tried of each kind of agreement."""

AGREES = 0.3
"""Share of the contrast (deviation) of a picture within which its grey values agree with another."""

SETTLED = 2e-4
"""A step smaller than this share of the width ends a level: 0.01 of a thumbnail's pixels."""

LEAST_OVERLAP = 0.2
"""Share of what counts that must lie in both pictures to be compared."""

OUTLIER = 4.685
"""Residuals beyond so many deviations do not count: 95 % efficiency with Gaussian noise (Beaton & Tukey 1974)."""


@dataclass(frozen=True)
class Alignment:
    """Where the content of a reference lies in a picture.

    Attributes:
        right, down: Shift of the content as a share of the picture's width.
        turn_deg: Turn of the content, clockwise as seen.
        zoom: Growth of the content, 1 for none.
        likeness: Correlation of the picture, put back, with the reference, -1 to 1.
    """

    right: float = 0.0
    down: float = 0.0
    turn_deg: float = 0.0
    zoom: float = 1.0
    likeness: float = 1.0

    @classmethod
    def of(cls, motion: Motion, likeness: float) -> Self:
        """From shift right, shift down, and the first column of the matrix that turns and scales, less 1."""
        right, down, growth, bend = (float(value) for value in motion)
        turn_deg = float(np.degrees(np.arctan2(bend, 1 + growth)))
        return cls(right, down, turn_deg, float(np.hypot(1 + growth, bend)), likeness)

    @property
    def motion(self) -> Motion:
        """What `of` was made from."""
        turn = np.radians(self.turn_deg)
        return np.array([self.right, self.down, self.zoom * np.cos(turn) - 1, self.zoom * np.sin(turn)])

    def coordinates(self, aspect: float = 0.75) -> NDArray[np.float64]:
        """A point in 4-space; the distance of two is how far apart the points of a picture lie, in its widths.

        That is the root of the mean square over a picture whose height is `aspect` times its width.
        """
        lever = np.sqrt((1 + aspect**2) / 12)
        return self.motion * np.array([1.0, 1.0, lever, lever])

    def away(self, aspect: float = 0.75) -> float:
        """How far the points of a picture lie from where they were, as a share of its width."""
        return float(np.linalg.norm(self.coordinates(aspect)))


def align(
    reference: Plane,
    picture: Plane,
    weight: Plane,
    picture_weight: Plane,
    *,
    aspect: float = 0.75,
    start: Alignment | None = None,
) -> Alignment:
    """Where the content of `reference` lies in `picture`, by robust least squares; brightness and contrast are free.

    `weight` [h, w], 0-1, says which pixels of the reference count, and `picture_weight` which of the picture.
    `aspect` is the height of the pictures over their width as they were taken: thumbnails may be squeezed.
    Without a `start`, the shift is looked for all over the picture.
    """
    pair = _Pair(reference, picture, weight, picture_weight, aspect)
    motion = (start or _shift(pair)).motion
    for cells, noise in LEVELS:
        motion = _refined(pair.shrunk(cells), motion, noise)
    return Alignment.of(motion, _likeness(pair, motion))


def likeness_as_it_lies(
    reference: Plane, picture: Plane, weight: Plane, picture_weight: Plane, *, aspect: float = 0.75
) -> float:
    """Correlation of a picture with the reference, -1 to 1, with nothing shifted, turned or scaled; as `align`."""
    pair = _Pair(reference, picture, weight, picture_weight, aspect)
    return _likeness(pair, np.zeros(4))


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two pictures to be laid upon each other, [h, w] each, and which of their pixels count."""

    reference: Plane
    picture: Plane
    weight: Plane
    picture_weight: Plane
    aspect: float

    def shrunk(self, cells: int) -> "_Pair":
        return _Pair(
            _shrunk(self.reference, cells),
            _shrunk(self.picture, cells),
            _shrunk(self.weight, cells),
            _shrunk(self.picture_weight, cells),
            self.aspect,
        )

    def seen(self, motion: Motion) -> "tuple[_Between, Plane, Plane]":
        """Where each point of the reference lies, the picture there, and how much it counts."""
        row, column, inside = _places(motion, self.reference.shape, self.aspect)
        at = _Between.pixels(row, column)
        return at, at.of(self.picture), self.weight * inside * at.of(self.picture_weight)


@dataclass(frozen=True, eq=False)
class _Between:
    """Places between the pixels of planes of one size, [h, w] each; beyond the edge, on the edge.

    `corner` is the place of the pixel above to the left in the flattened plane, `below` and `beside` how far it is
    from there, 0-1.
    """

    corner: NDArray[np.intp]
    below: Plane
    beside: Plane

    @classmethod
    def pixels(cls, row: Plane, column: Plane) -> Self:
        height, width = row.shape
        row, column = row.clip(0, height - 1.001), column.clip(0, width - 1.001)
        top, left = row.astype(np.intp), column.astype(np.intp)
        return cls(top * width + left, row - top, column - left)

    def of(self, plane: Plane) -> Plane:
        """Values of a plane there, bilinear."""
        flat, width = plane.ravel(), plane.shape[1]
        before, over = 1 - self.beside, self.corner + width
        upper = flat.take(self.corner) * before + flat.take(self.corner + 1) * self.beside
        lower = flat.take(over) * before + flat.take(over + 1) * self.beside
        return upper * (1 - self.below) + lower * self.below


def _shift(pair: _Pair) -> Alignment:
    """The best of no shift and those at which grey values or their phases (Kuglin & Hines 1975) agree most."""
    height, width = pair.reference.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    one, other = (np.fft.rfft2((plane - plane.mean()) * window) for plane in (pair.reference, pair.picture))
    cross = other * one.conj()
    candidates: list[Motion] = [np.zeros(4)]
    for spectrum in (cross, cross / np.maximum(np.abs(cross), 1e-9)):
        agreement = np.fft.irfft2(spectrum, s=(height, width))
        for place in np.argsort(agreement, axis=None)[-PEAKS:].tolist():
            down, right = _signed(place // width, height), _signed(place % width, width)
            candidates.append(np.array([right / width, down / height * pair.aspect, 0.0, 0.0]))
    coarse = pair.shrunk(2)
    return Alignment.of(max(candidates, key=lambda motion: _agreement(coarse, motion)), 0.0)


def _agreement(pair: _Pair, motion: Motion) -> float:
    """Share of what counts in the reference that the picture shows where it should, 0-1.

    Unlike a correlation, this is not carried by one bright object that lies elsewhere.
    """
    _, seen, counts = pair.seen(motion)
    gain, offset = _light(pair.reference, seen, counts)
    agrees = np.abs(seen - gain * pair.reference - offset) < AGREES * gain * pair.reference.std()
    return float((counts * agrees).sum()) / max(float(pair.weight.sum()), 1e-9)


def _signed(place: int, size: int) -> int:
    """A place on a circle, counted from 0 both ways."""
    return (place + size // 2) % size - size // 2


def _refined(pair: _Pair, motion: Motion, noise: float) -> Motion:
    """Gauss-Newton on the picture's grey values with Tukey's weights."""
    down_slope, right_slope = np.gradient(pair.picture)
    across, along, x_per, y_per = _grid(pair.reference.shape, pair.aspect)
    for _ in range(STEPS):
        at, seen, counts = pair.seen(motion)
        gain, offset = _light(pair.reference, seen, counts)
        residual = seen - gain * pair.reference - offset
        by_x, by_y = at.of(right_slope) * x_per, at.of(down_slope) * y_per
        turned = (by_x, by_y, by_x * across + by_y * along, by_y * across - by_x * along)
        jacobian = np.stack([*turned, -pair.reference, -np.ones_like(seen)], axis=-1).reshape(-1, 6)
        floor = noise * gain * float(pair.reference.std())
        step = _solve(jacobian, residual.ravel(), (counts * _tukey(residual, counts, floor)).ravel())
        if step is None:
            return motion
        motion = np.clip(motion + step[:4], -0.6, 0.6)
        if np.abs(step[:4]).max() < SETTLED:
            break
    return motion


def _solve(
    jacobian: NDArray[np.float64], residual: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The least-squares step; None where the picture does not say."""
    weighted = jacobian * weight[:, None]
    normal = weighted.T @ jacobian
    normal[np.diag_indices(6)] *= 1 + 1e-6
    try:
        return -np.linalg.solve(normal, weighted.T @ residual).astype(np.float64)
    except np.linalg.LinAlgError:
        return None


def _light(reference: Plane, seen: Plane, weight: Plane) -> tuple[float, float]:
    """Gain and offset that bring the reference to the picture's light."""
    total = float(weight.sum())
    if total <= 0:
        return 1.0, 0.0
    mean_reference, mean_seen = (float((weight * plane).sum() / total) for plane in (reference, seen))
    centred = reference - mean_reference
    variance = float((weight * centred**2).sum())
    gain = float((weight * centred * (seen - mean_seen)).sum()) / variance if variance > 0 else 1.0
    gain = min(max(gain, 0.2), 5.0)
    return gain, mean_seen - gain * mean_reference


def _tukey(residual: Plane, counts: Plane, floor: float) -> Plane:
    """Less the farther a residual lies from what the middle one says of the noise, which is at least `floor`."""
    counted = np.abs(residual[counts > 0.5])
    scale = 1.4826 * float(np.median(counted)) if len(counted) else 0.0
    return np.clip(1 - (residual / (OUTLIER * max(scale, floor, 0.5))) ** 2, 0, None) ** 2


def _likeness(pair: _Pair, motion: Motion) -> float:
    """Weighted correlation of the reference with the picture put back; 0 where too little overlaps."""
    _, seen, counts = pair.seen(motion)
    total = float(counts.sum())
    if total < LEAST_OVERLAP * float((pair.weight * pair.picture_weight).sum()) or total <= 0:
        return 0.0
    one, other = (plane - float((counts * plane).sum()) / total for plane in (pair.reference, seen))
    power = float((counts * one**2).sum() * (counts * other**2).sum())
    return float((counts * one * other).sum() / np.sqrt(power)) if power > 0 else 0.0


@cache
def _grid(shape: tuple[int, ...], aspect: float) -> tuple[Plane, Plane, float, float]:
    """Places across and along (down), from the middle, in widths; and pixels to a width in x and in y."""
    height, width = shape
    y, x = np.mgrid[:height, :width]
    across = (x - (width - 1) / 2) / width
    along = (y - (height - 1) / 2) / height * aspect
    return across, along, float(width), height / aspect


def _places(motion: Motion, shape: tuple[int, ...], aspect: float) -> tuple[Plane, Plane, NDArray[np.bool_]]:
    """Row and column at which each point of the reference lies in the picture, and which of them are in it."""
    across, along, x_per, y_per = _grid(shape, aspect)
    right, down, growth, turn = motion
    y, x = np.ogrid[: shape[0], : shape[1]]
    column = x + x_per * (right + growth * across - turn * along)
    row = y + y_per * (down + turn * across + growth * along)
    inside = (row >= 0) & (row <= shape[0] - 1) & (column >= 0) & (column <= shape[1] - 1)
    return row, column, inside


def _shrunk(plane: Plane, cells: int) -> Plane:
    height, width = plane.shape
    return plane.reshape(height // cells, cells, width // cells, cells).mean(axis=(1, 3))
