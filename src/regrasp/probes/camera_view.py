"""The policy is asked about training starts seen from where a camera stood in the rollouts, and from where it belongs.

A picture that was taken from elsewhere cannot be put right: what the camera did not see is not in it. So it is done the
other way round: in training starts, the camera's pictures are laid where they lay in the rollouts, and put back.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.alignment import Alignment
from regrasp.data.episode import camera_name
from regrasp.diagnosis.moved_views import view_of
from regrasp.diagnosis.probe import Case, Intervention, probe

type Pictures = NDArray[np.uint8]
"""[n, h, w, 3]."""


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
            name=f"{' and '.join(names)} put back in training starts",
            inputs=names,
            batch=case.train,
            command=None,
            without=replace(case.train, images=images),
        )


def moved_as(pictures: Pictures, place: Alignment | None) -> Pictures:
    """The pictures with their content where the alignment has it, bilinear; edges are repeated where nothing is known."""
    if place is None:
        return pictures
    from scipy.ndimage import affine_transform

    height, width = pictures.shape[1:3]
    turn = np.radians(place.turn_deg)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / place.zoom
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    shift = np.array([place.down, place.right]) * width
    offset = middle - back @ (middle + shift)
    planes = np.moveaxis(pictures, -1, 1).reshape(-1, height, width)
    moved = [
        affine_transform(plane.astype(np.float32), back, offset, order=1, mode="nearest") for plane in planes
    ]
    whole = np.round(np.stack(moved)).astype(np.uint8)
    return np.moveaxis(whole.reshape(len(pictures), 3, height, width), 1, -1)


def _usual(places: list[Alignment]) -> Alignment:
    """The median of each part of the move."""
    return Alignment.of(np.median([place.motion for place in places], axis=0), 1.0)
