"""A camera shows nothing: black, white, or one grey."""

from collections.abc import Collection

import numpy as np

from regrasp.data import Dataset
from regrasp.faults.pictures import Picture, change_pictures


def dark_camera(
    dataset: Dataset,
    *,
    camera: str | None = None,
    episodes: Collection[int] = (0,),
    first: int = 0,
    last: int | None = None,
    level: float = 2.0,
    remains: float = 0.0,
    noise: float = 1.0,
) -> Dataset:
    """From frame `first` to `last` (the end) of these episodes a camera (the first) shows grey `level`.

    `remains` of the picture's contrast is left, 0-1, and a sensor's noise of this deviation lies over it.
    """

    def cover(picture: Picture, index: int) -> Picture:
        if index < first or (last is not None and index > last):
            return picture
        rest = (
            level
            + remains * (picture - picture.mean())
            + np.random.default_rng(index).normal(0, noise, picture.shape)
        )
        return np.clip(np.round(rest), 0, 255).astype(np.uint8)

    return change_pictures(dataset, camera or dataset.camera_names[0], cover, episodes)
