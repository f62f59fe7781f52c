"""A camera's pictures come late or early against the joints."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Camera, Dataset
from regrasp.data.episode import FrameSource
from regrasp.faults.pictures import change_camera, later_third

if TYPE_CHECKING:
    import av


def video_out_of_step(
    dataset: Dataset,
    *,
    camera: str | None = None,
    episodes: Collection[int] | None = None,
    frames: int = 8,
) -> Dataset:
    """In these episodes (the later third) a camera (the last) shows what was `frames` before; after, if negative.

    At the ends the first or the last picture is repeated.
    """

    def shift(one: Camera) -> Camera:
        return replace(one, source=_Shifted(one.source, frames, one.length))

    numbers = later_third(dataset) if episodes is None else episodes
    return change_camera(dataset, camera or dataset.camera_names[-1], shift, numbers)


@dataclass(frozen=True, eq=False)
class _Shifted:
    """A source whose pictures come `late` frames late."""

    source: FrameSource
    late: int
    length: int

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        wanted = np.clip(np.asarray(indices) - self.late, 0, self.length - 1)
        rising, times = np.unique(wanted, return_counts=True)
        for picture, count in zip(self.source.frames(rising), times.tolist(), strict=True):
            for _ in range(count):
                yield picture
