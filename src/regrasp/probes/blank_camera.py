"""The policy is asked about training starts with a camera blanked, where that camera showed nothing in the rollouts.

No intervention brings back what a dark camera would have shown. So it is done the other way round: in training starts,
whose pictures are known, the camera is made as it was in the rollouts, and put right again.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import GRID, camera_name, grid_means
from regrasp.diagnosis.emptiness import empty
from regrasp.diagnosis.probe import Case, Intervention, probe


@probe(cause="dark-camera")
def blank_camera(case: Case) -> Iterator[Intervention]:
    """All cameras at once that showed nothing in most rollouts."""
    dark = [key for key, pictures in case.observed.images.items() if _nothing_in(pictures)]
    if dark:
        yield shown_again(case, {key: np.median(case.observed.images[key], axis=0) for key in dark})


def shown_again(case: Case, blanks: "dict[str, NDArray[np.float64]]") -> Intervention:
    """Training starts, against the same with a blank picture [h, w, 3] in some cameras."""
    images = dict(case.train.images)
    for key, blank in blanks.items():
        images[key] = np.broadcast_to(blank.round().astype(np.uint8), images[key].shape)
    names = tuple(camera_name(key) for key in blanks)
    return Intervention(
        name=f"{' and '.join(names)} shown again in training starts",
        inputs=names,
        batch=case.train,
        command=None,
        without=replace(case.train, images=images),
    )


def _nothing_in(pictures: NDArray[np.uint8]) -> bool:
    """Whether half of the pictures [n, h, w, 3] and more are empty."""
    cells = np.stack([grid_means(picture, GRID).mean(axis=-1) for picture in pictures])
    return 2 * int(empty(cells).sum()) >= len(cells) > 0
