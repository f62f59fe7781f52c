"""The policy is asked again with its cameras' pictures exchanged."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import camera_name
from regrasp.diagnosis.probe import Case, Intervention, probe

MOST_CAMERAS = 4
"""24 permutations; more cameras than that are not exchanged all at once."""


@probe(cause="swapped-cameras")
def camera_permutation(case: Case) -> Iterator[Intervention]:
    """Every permutation but the one in force."""
    keys = list(case.observed.images)
    if not 2 <= len(keys) <= MOST_CAMERAS:
        return
    for sources in permutations(keys):
        moved = {key: source for key, source in zip(keys, sources, strict=True) if key != source}
        if moved:
            yield _exchanged(case, moved)


def _exchanged(case: Case, moved: dict[str, str]) -> Intervention:
    """Under each key of `moved`, the picture of the camera it names."""
    images = dict(case.observed.images)
    for key, source in moved.items():
        images[key] = resized(case.observed.images[source], images[key].shape[1:3])
    pairs = [f"{camera_name(key)}={camera_name(source)}" for key, source in moved.items()]
    return Intervention(
        name=f"cameras {', '.join(pairs)}",
        inputs=tuple(camera_name(key) for key in moved),
        batch=replace(case.observed, images=images),
        command=f"regrasp rollout CHECKPOINT --station STATION --cameras {','.join(pairs)}",
    )


def resized(pictures: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Pictures [n, h, w, 3] at another height and width, each pixel the nearest one."""
    height, width = size
    rows = (np.arange(height) * pictures.shape[1]) // height
    columns = (np.arange(width) * pictures.shape[2]) // width
    return pictures[:, rows][:, :, columns]
