"""The policy is asked again with the pictures of cameras turned back that look flipped."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.contract import CameraContract
from regrasp.diagnosis.first_looks import FLIPS, best_flip, look_at
from regrasp.diagnosis.probe import Case, Intervention, probe

LEAST_LEAD = 0.15
"""By so much a picture must resemble the training better when it is flipped, as in the check."""


@probe(cause="flipped-camera")
def camera_flip(case: Case) -> Iterator[Intervention]:
    """Each camera whose pictures resemble the training better so, all of them at once."""
    flips: dict[str, str] = {}
    for camera in case.contract.cameras:
        if camera.fingerprint and camera.key in case.observed.images:
            flip = _usual_flip(camera, case.observed.images[camera.key])
            if flip is not None:
                flips[camera.name] = flip
    if flips:
        images = dict(case.observed.images)
        for name, flip in flips.items():
            key = case.contract.camera(name).key
            images[key] = np.ascontiguousarray(FLIPS[flip](images[key]))
        yield Intervention(
            name="pictures turned back: " + ", ".join(f"{name} {flip}" for name, flip in flips.items()),
            inputs=tuple(flips),
            batch=replace(case.observed, images=images),
            command=None,
        )


def _usual_flip(camera: CameraContract, pictures: NDArray[np.uint8]) -> str | None:
    """The flip that half of the pictures [n, h, w, 3] and more call for; None when there is none."""
    flips = (best_flip(camera, look_at(picture)) for picture in pictures)
    wanted = Counter(flip.name for flip in flips if flip.lead > LEAST_LEAD)
    name, votes = wanted.most_common(1)[0] if wanted else ("", 0)
    return name if 2 * votes >= max(len(pictures), 1) else None
