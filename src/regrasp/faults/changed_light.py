"""Some episodes were recorded in other light."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.faults.pictures import Picture, change_pictures, later_third


def changed_light[Filmed: (Dataset, Rollouts)](
    dataset: Filmed,
    *,
    cameras: Collection[str] | None = None,
    episodes: Collection[int] | None = None,
    brightness: float = 0.45,
    warmth: float = 1.0,
    contrast: float = 1.0,
) -> Filmed:
    """In these episodes (the later third; of rollouts all) cameras (all) see a scene lit otherwise.

    Factors: `brightness` on all colours, `warmth` on red over blue, `contrast` on what departs from the mean.
    """
    if isinstance(dataset, Rollouts):
        these = [episode.index for episode in dataset.episodes] if episodes is None else episodes
        looks = {"brightness": brightness, "warmth": warmth, "contrast": contrast}
        changed = changed_light(dataset.dataset, cameras=cameras, episodes=these, **looks)
        return replace(dataset, dataset=changed)
    colours = brightness * np.array([warmth**0.5, 1.0, warmth**-0.5])

    def light(picture: Picture, _: int) -> Picture:
        mean = picture.mean(axis=(0, 1))
        lit = (mean + contrast * (picture - mean)) * colours
        return np.clip(np.round(lit), 0, 255).astype(np.uint8)

    numbers = later_third(dataset) if episodes is None else episodes
    for camera in dataset.camera_names if cameras is None else cameras:
        dataset = change_pictures(dataset, camera, light, numbers)
    return dataset
