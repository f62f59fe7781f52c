"""One demonstration: joints, instruction and camera pictures, as plain arrays."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from regrasp.data.video import pixels
from regrasp.errors import DatasetError

if TYPE_CHECKING:
    import av

IMAGE_PREFIX = "observation.images."
"""LeRobot's prefix of a camera's key."""

WRIST_NAMES = ("wrist", "hand", "gripper", "onboard")
"""Names of cameras that ride on the arm, and so see everything move."""

GRID = (12, 16)
"""Rows and columns of the cells into which a picture is shrunk when its parts alone matter."""


class FrameSource(Protocol):
    """Where the pictures of one camera in one episode come from."""

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        """The pictures at rising `indices`, one at a time."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayFrames:
    """Pictures that are in memory already; uint8 [T, h, w, 3]."""

    pictures: NDArray[np.uint8]

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        """The pictures at `indices`."""
        import av

        for index in indices:
            yield av.VideoFrame.from_ndarray(np.ascontiguousarray(self.pictures[index]), format="rgb24")


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera in one episode. Pictures are decoded when they are asked for, and are not kept."""

    key: str
    length: int
    height: int
    width: int
    fps: float
    source: FrameSource

    @classmethod
    def from_array(cls, name: str, frames: NDArray[np.uint8], fps: float) -> Self:
        """A camera whose pictures, uint8 [T, h, w, 3], are in memory."""
        length, height, width, _ = frames.shape
        return cls(IMAGE_PREFIX + name, length, height, width, fps, ArrayFrames(frames))

    @property
    def name(self) -> str:
        """The key without LeRobot's prefix: `front`."""
        return camera_name(self.key)

    def frames(self, indices: Iterable[int] | None = None) -> NDArray[np.uint8]:
        """Pictures, uint8 [n, h, w, 3], in the order asked for; all of them when `indices` is None.

        Memory holds what is asked for: 640 x 480 pixels are 0.9 MB a picture.
        """
        wanted = np.arange(self.length) if indices is None else np.array(list(indices), dtype=np.int64)
        rising, places = np.unique(wanted, return_inverse=True)
        pictures = np.empty((len(rising), self.height, self.width, 3), dtype=np.uint8)
        for place, frame in enumerate(self.source.frames(rising)):
            picture = pixels(frame)
            if picture.shape != pictures.shape[1:]:
                raise DatasetError(
                    f"Found pictures of {picture.shape[0]} x {picture.shape[1]} pixels in camera "
                    f"'{self.name}'; expected {self.height} x {self.width}, as meta/info.json says; "
                    "try to copy or download the dataset again."
                )
            pictures[place] = picture
        return pictures[places]


def grid_means(picture: NDArray[np.uint8], grid: tuple[int, int] = GRID) -> NDArray[np.float64]:
    """Mean of each cell of a grid laid over a picture [h, w] or [h, w, 3]; cells differ by at most a pixel.

    Example:
        >>> grid_means(np.array([[0, 2, 10], [4, 6, 10]], dtype=np.uint8), (1, 2)).tolist()
        [[2.0, 7.0]]
    """
    height, width = picture.shape[:2]
    rows = np.unique(np.arange(grid[0]) * height // grid[0])
    columns = np.unique(np.arange(grid[1]) * width // grid[1])
    sums = np.add.reduceat(np.add.reduceat(picture, rows, axis=0, dtype=np.int64), columns, axis=1)
    heights = np.diff(rows, append=height)
    widths = np.diff(columns, append=width)
    areas = np.outer(heights, widths)
    return sums / (areas if picture.ndim == 2 else areas[:, :, None])


def camera_name(key: str) -> str:
    """A camera's key without LeRobot's prefix.

    Example:
        >>> camera_name("observation.images.front"), camera_name("observation.image")
        ('front', 'image')
    """
    return key.removeprefix(IMAGE_PREFIX).removeprefix("observation.")


def called_wrist(name: str) -> bool:
    """Whether a camera is called as those are that ride on the arm.

    Example:
        >>> called_wrist("left_Wrist_cam"), called_wrist("front")
        (True, False)
    """
    return any(word in name.lower() for word in WRIST_NAMES)


@dataclass(frozen=True, eq=False)
class Episode:
    """One demonstration or rollout of T frames and J joints.

    `states` is what the arm measured and `actions` what it was told, float64 [T, J], in the units of
    the recording. `task_indices` counts in the dataset's list of instructions; `tasks` are the
    instructions used here. `extras` holds other numeric columns, such as `next.success`.
    """

    index: int
    fps: float
    timestamps: NDArray[np.float64]
    states: NDArray[np.float64]
    actions: NDArray[np.float64]
    joint_names: tuple[str, ...]
    task_indices: NDArray[np.int64]
    tasks: tuple[str, ...]
    cameras: Mapping[str, Camera] = field(default_factory=dict[str, Camera])
    extras: Mapping[str, NDArray[np.generic]] = field(default_factory=dict[str, NDArray[np.generic]])

    def __post_init__(self) -> None:
        columns = {"actions": self.actions, "timestamps": self.timestamps, "task indices": self.task_indices}
        for name, column in columns.items():
            self._require_length(f"{name} have", len(column))
        for name, camera in self.cameras.items():
            self._require_length(f"camera '{name}' has", camera.length)

    def _require_length(self, who: str, length: int) -> None:
        if length != self.length:
            raise DatasetError(
                f"Episode {self.index}: {who} {length} frames but the joints have {self.length}."
            )

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.states)
