"""The policy is asked again with the pictures of a moved camera laid back where they lay in training.

A picture that was taken from elsewhere can only roughly be put right: what the camera did not see is not in it. So it is
also done the other way round: in training starts, the camera's pictures are laid where they lay in the rollouts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.alignment import Alignment
from regrasp.data.episode import camera_name
from regrasp.diagnosis.moved_views import view_of
from regrasp.diagnosis.probe import Case, Intervention, probe

type Pictures = NDArray[np.uint8]
"""[n, h, w, 3]."""


LAID_BACK = 0.4
"""Share of the excess distance that must go. A picture laid back lacks what the camera did not see, and near things lie
elsewhere than far ones: on the twin 0.43 to 0.70 goes when the camera was moved (0.20 at a turn by 21 degrees, which then
stays suspected), 0.21 when the table was raised instead."""


@probe(cause="moved-camera")
def camera_view(case: Case) -> Iterator[Intervention]:
    """All cameras at once whose view lies elsewhere in half of the rollouts and more, by the median of how far."""
    moves: dict[str, Alignment] = {}
    for camera in case.contract.cameras:
        if camera.key in case.observed.images and camera.key not in case.lacking and camera.greys:
            views = [view_of(camera, picture) for picture in case.observed.images[camera.key]]
            places = [view.place for view in views if view and view.evidence and view.place]
            if 2 * len(places) >= len(views) > 0:
                moves[camera.key] = _usual(places)
    if moves:
        images = {key: moved_as(pictures, moves.get(key)) for key, pictures in case.train.images.items()}
        names = tuple(camera_name(key) for key in moves)
        yield Intervention(
            name=f"{' and '.join(names)} laid back upon the training's view",
            inputs=names,
            batch=replace(case.observed, images={**case.observed.images, **_laid_back(case, moves)}),
            command=None,
            enough=LAID_BACK,
        )
        yield Intervention(
            name=f"{' and '.join(names)} put back in training starts",
            inputs=names,
            batch=case.train,
            command=None,
            without=replace(case.train, images=images),
            enough=LAID_BACK,
        )


def _laid_back(case: Case, moves: Mapping[str, Alignment]) -> dict[str, Pictures]:
    """What these cameras showed, put back; what they did not see is filled from the training's median picture."""
    images: dict[str, Pictures] = {}
    for key, place in moves.items():
        seen = case.observed.images[key]
        known = moved_as(np.full((1, *seen.shape[1:]), 255, np.uint8), back_from(place), outside="constant")
        usual = np.median(case.train.images[key], axis=0)
        images[key] = np.where(known > 250, moved_as(seen, back_from(place)), usual).round().astype(np.uint8)
    return images


def back_from(place: Alignment) -> Alignment:
    """The move that undoes another."""
    turn = np.radians(-place.turn_deg)
    across = -(place.right * np.cos(turn) - place.down * np.sin(turn)) / place.zoom
    along = -(place.right * np.sin(turn) + place.down * np.cos(turn)) / place.zoom
    return Alignment(float(across), float(along), -place.turn_deg, 1 / place.zoom)


def moved_as(pictures: Pictures, place: Alignment | None, outside: str = "nearest") -> Pictures:
    """The pictures with their content where the alignment has it, bilinear; edges are repeated where nothing is known.

    With `outside` "constant" what is not known is 0.
    """
    if place is None:
        return pictures
    from scipy.ndimage import affine_transform

    height, width = pictures.shape[1:3]
    turn = np.radians(place.turn_deg)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / place.zoom
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    shift = np.array([place.down, place.right]) * width
    matrix = np.column_stack([back, middle - back @ (middle + shift)])
    planes = np.moveaxis(pictures, -1, 1).reshape(-1, height, width)
    moved = [affine_transform(plane.astype(np.float32), matrix, order=1, mode=outside) for plane in planes]
    whole = np.round(np.stack(moved)).astype(np.uint8)
    return np.moveaxis(whole.reshape(len(pictures), 3, height, width), 1, -1)


def _usual(places: list[Alignment]) -> Alignment:
    """The median of each part of the move."""
    return Alignment.of(np.median([place.motion for place in places], axis=0), 1.0)
