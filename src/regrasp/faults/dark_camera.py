"""A camera shows nothing: black, white, or one grey."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.faults.pictures import Picture, change_pictures


def dark_camera[Filmed: (Dataset, Rollouts)](
    dataset: Filmed,
    *,
    camera: str | None = None,
    episodes: Collection[int] | None = None,
    first: int = 0,
    last: int | None = None,
    level: float = 2.0,
    remains: float = 0.0,
    noise: float = 1.0,
) -> Filmed:
    """From frame `first` to `last` (the end) of these episodes a camera (the first) shows grey `level`.

    The episodes are the first, and all of rollouts. `remains` of the picture's contrast is left, 0-1, and a sensor's
    noise of this deviation lies over it.
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

    if isinstance(dataset, Rollouts):
        these = [one.index for one in dataset.episodes] if episodes is None else episodes
        name = camera or dataset.dataset.camera_names[0]
        return replace(dataset, dataset=change_pictures(dataset.dataset, name, cover, these))
    these = (0,) if episodes is None else episodes
    return change_pictures(dataset, camera or dataset.camera_names[0], cover, these)
