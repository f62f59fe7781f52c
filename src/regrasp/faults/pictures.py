"""Pictures of a camera changed one by one as they are asked for, so that a fault costs no memory."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Camera, Dataset, Episode
from regrasp.data.episode import FrameSource
from regrasp.data.video import pixels

if TYPE_CHECKING:
    import av

type Picture = NDArray[np.uint8]
"""Red, green and blue; uint8 [h, w, 3]."""

type Change = Callable[[Picture, int], Picture]
"""What becomes of a picture and its frame number."""


@dataclass(frozen=True, eq=False)
class ChangedPictures:
    """A source whose pictures go through `change`."""

    source: FrameSource
    change: Change

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        """The changed pictures at rising `indices`."""
        import av

        for index, frame in zip(indices, self.source.frames(indices), strict=True):
            changed = self.change(pixels(frame), int(index))
            yield av.VideoFrame.from_ndarray(np.ascontiguousarray(changed), format="rgb24")


def change_camera(
    dataset: Dataset, camera: str, change: Callable[[Camera], Camera], episodes: Collection[int]
) -> Dataset:
    """A copy in which one camera is another in these episodes; those that lack it stay as they are."""

    def changed(episode: Episode) -> Episode:
        if camera not in episode.cameras:
            return episode
        return replace(episode, cameras={**episode.cameras, camera: change(episode.cameras[camera])})

    return dataset.map_episodes(changed, episodes)


def change_pictures(dataset: Dataset, camera: str, change: Change, episodes: Collection[int]) -> Dataset:
    """A copy in which each picture of one camera goes through `change` in these episodes."""
    return change_camera(
        dataset, camera, lambda one: replace(one, source=ChangedPictures(one.source, change)), episodes
    )


def later_third(dataset: Dataset) -> list[int]:
    """Numbers of the last third of the episodes, at least one: as if something had happened in a break."""
    numbers = [episode.index for episode in dataset.episodes]
    return numbers[-max(len(numbers) // 3, 1) :]
