"""What one camera shows in one episode, small enough to keep: thumbnails of its pictures."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import Camera
from regrasp.data.video import Shrinker

THUMBNAIL = (48, 64)
"""Rows and columns of a thumbnail: 3 kB, and a shift of 1 / 64 of the picture's width is one column."""

CELLS = (12, 16)
"""Rows and columns in which a picture is looked at for stillness: 4 x 4 of a thumbnail's."""


@dataclass(frozen=True, eq=False)
class Sight:
    """Thumbnails of n frames of an episode, and coloured ones of m of them.

    Attributes:
        indices: Which frames were looked at, rising; int64 [n].
        grey: Mean grey value of each part of the picture, uint8 [n, 48, 64].
        moments: Frames of the coloured thumbnails, evenly spread from the first to the last; int64 [m].
        colours: Red, green and blue of each part at these moments, uint8 [m, 48, 64, 3].
    """

    indices: NDArray[np.int64]
    grey: NDArray[np.uint8]
    moments: NDArray[np.int64]
    colours: NDArray[np.uint8]

    @cached_property
    def cells(self) -> NDArray[np.float32]:
        """Mean grey value in each of 12 x 16 cells, float32 [n, 12, 16], 0-255."""
        (rows, columns), n = CELLS, len(self.grey)
        parts = self.grey.reshape(n, rows, THUMBNAIL[0] // rows, columns, THUMBNAIL[1] // columns)
        return parts.mean(axis=(2, 4), dtype=np.float32)

    @cached_property
    def motion(self) -> NDArray[np.float32]:
        """Mean absolute difference to the frame before, float32 [n], 0-255; NaN where that was not looked at."""
        motion = np.full(len(self.indices), np.nan, dtype=np.float32)
        for i in np.flatnonzero(np.diff(self.indices) == 1) + 1:
            motion[i] = np.abs(self.grey[i].astype(np.int16) - self.grey[i - 1]).mean()
        return motion


def see(camera: Camera, indices: Iterable[int], moments: int = 9) -> Sight:
    """Look at these frames of a camera, and at `moments` of them in colour; raises what decoding raises."""
    wanted = np.unique(np.fromiter(indices, dtype=np.int64))
    coloured = wanted[np.unique(np.linspace(0, len(wanted) - 1, moments).round().astype(int))]
    grey = np.empty((len(wanted), *THUMBNAIL), dtype=np.uint8)
    colours = np.empty((len(coloured), *THUMBNAIL, 3), dtype=np.uint8)
    place_of = {int(frame): place for place, frame in enumerate(coloured)}
    shrink = Shrinker(*THUMBNAIL)
    for place, (index, frame) in enumerate(zip(wanted.tolist(), camera.source.frames(wanted), strict=True)):
        grey[place] = shrink(frame, "gray")
        if index in place_of:
            colours[place_of[index]] = shrink(frame, "rgb24")
    return Sight(wanted, grey, coloured, colours)


def grey_thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """One picture [h, w, 3] as a grey thumbnail, [48, 64], 0-255."""
    import av

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return Shrinker(*THUMBNAIL)(frame, "gray").astype(np.float64)
