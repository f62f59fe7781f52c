"""An episode made of another's frames: fewer, more, or in another order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Episode
from regrasp.data.episode import FrameSource

if TYPE_CHECKING:
    import av


@dataclass(frozen=True, eq=False)
class ChosenPictures:
    """Pictures of another source, by its frame numbers in any order."""

    source: FrameSource
    chosen: NDArray[np.int64]

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        """The pictures at rising `indices`; each of the other source is decoded once and held."""
        wanted = self.chosen[indices]
        rising = np.unique(wanted)
        held = dict(zip(rising.tolist(), self.source.frames(rising), strict=True))
        for index in wanted.tolist():
            yield held[index]


def with_frames(episode: Episode, chosen: NDArray[np.int64]) -> Episode:
    """The episode of these frames, on its own clock."""
    cameras = {
        name: replace(camera, length=len(chosen), source=ChosenPictures(camera.source, chosen))
        for name, camera in episode.cameras.items()
    }
    return replace(
        episode,
        timestamps=episode.timestamps[0] + np.arange(len(chosen)) / episode.fps,
        states=episode.states[chosen],
        actions=episode.actions[chosen],
        task_indices=episode.task_indices[chosen],
        cameras=cameras,
        extras={name: column[chosen] for name, column in episode.extras.items()},
    )
