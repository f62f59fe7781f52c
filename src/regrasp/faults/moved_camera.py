"""A camera looks from elsewhere in some episodes, or in rollouts."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.faults.pictures import Picture, change_pictures, later_third


def moved_camera[Filmed: (Dataset, Rollouts)](
    dataset: Filmed,
    *,
    camera: str | None = None,
    episodes: Collection[int] | None = None,
    right: float = 0.08,
    down: float = 0.0,
    turn_deg: float = 0.0,
    zoom: float = 1.0,
) -> Filmed:
    """In these episodes (the later third; of rollouts all) what a camera (the first) shows is shifted, turned and scaled.

    `right` and `down` are shares of the picture's width; the turn is clockwise.
    """
    if isinstance(dataset, Rollouts):
        these = [episode.index for episode in dataset.episodes] if episodes is None else episodes
        moves = {"right": right, "down": down, "turn_deg": turn_deg, "zoom": zoom}
        return replace(dataset, dataset=moved_camera(dataset.dataset, camera=camera, episodes=these, **moves))
    return change_pictures(
        dataset,
        camera or dataset.camera_names[0],
        lambda picture, _: moved(picture, right, down, turn_deg, zoom),
        later_third(dataset) if episodes is None else episodes,
    )


def moved(picture: Picture, right: float, down: float, turn_deg: float, zoom: float) -> Picture:
    """The picture with its content moved; where nothing is known, the edge is repeated."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    across, along = x - (width - 1) / 2 - right * width, y - (height - 1) / 2 - down * width
    turn = np.radians(turn_deg)
    column = (np.cos(turn) * across + np.sin(turn) * along) / zoom + (width - 1) / 2
    row = (np.cos(turn) * along - np.sin(turn) * across) / zoom + (height - 1) / 2
    return np.round(_between(picture, row, column)).astype(np.uint8)


def _between(picture: Picture, row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values between the pixels, bilinear."""
    row, column = np.clip(row, 0, picture.shape[0] - 1), np.clip(column, 0, picture.shape[1] - 1)
    top = np.minimum(row.astype(np.intp), picture.shape[0] - 2)
    left = np.minimum(column.astype(np.intp), picture.shape[1] - 2)
    below, beside = (row - top)[..., None], (column - left)[..., None]
    upper = picture[top, left] * (1 - beside) + picture[top, left + 1] * beside
    lower = picture[top + 1, left] * (1 - beside) + picture[top + 1, left + 1] * beside
    return upper * (1 - below) + lower * below
