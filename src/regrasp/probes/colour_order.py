"""The policy is asked again with red and blue exchanged in those cameras that seem to have them exchanged."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.contract import CameraContract
from regrasp.diagnosis.first_looks import agreement_of_colours, look_at
from regrasp.diagnosis.probe import Case, Intervention, probe


@probe(cause="exchanged-colours")
def colour_order(case: Case) -> Iterator[Intervention]:
    """All cameras at once whose red less blue runs against the training's."""
    images = dict(case.observed.images)
    exchanged = [
        camera
        for camera in case.contract.cameras
        if camera.fingerprint and camera.key in images and _contrary(camera, images[camera.key])
    ]
    for camera in exchanged:
        images[camera.key] = np.ascontiguousarray(images[camera.key][..., ::-1])
    if exchanged:
        names = tuple(camera.name for camera in exchanged)
        yield Intervention(
            name=f"red and blue exchanged in {', '.join(names)}",
            inputs=names,
            batch=replace(case.observed, images=images),
            command=None,
        )


def _contrary(camera: CameraContract, pictures: NDArray[np.uint8]) -> bool:
    """Whether most pictures [n, h, w, 3] are blue where training was red."""
    told = [agreement_of_colours(camera, look_at(picture)) for picture in pictures]
    agreements = [one for one in told if one is not None]
    return bool(agreements) and float(np.median(agreements)) < 0
