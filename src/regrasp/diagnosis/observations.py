"""What a policy is asked with: observations of many episodes at once, from a dataset or made of one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

type Array = NDArray[np.float64]

STATE, INSTRUCTION = "state", "instruction"
"""Names of the inputs that are no cameras."""

MOST_STARTS = 100
"""Starts that are taken of each side, evenly spread: more moves no median, and every one is decoded."""


@dataclass(frozen=True, eq=False)
class ObservationBatch:
    """States [n, J] in the dataset's units, pictures by LeRobot's key uint8 [n, h, w, 3], n instructions."""

    states: Array
    images: Mapping[str, NDArray[np.uint8]]
    tasks: list[str]

    def __len__(self) -> int:
        return len(self.states)

    def at(self, places: NDArray[np.int64]) -> "ObservationBatch":
        """Some of the observations."""
        images = {key: pictures[places] for key, pictures in self.images.items()}
        return ObservationBatch(self.states[places], images, [self.tasks[place] for place in places])


class ProbedPolicy(Protocol):
    """A policy that can be asked many things at once, offline."""

    def chunks(self, batch: ObservationBatch) -> Array:
        """Action chunks in the dataset's units, [n, chunk, J]; the same for the same batch."""
        ...

    def features(self, batch: ObservationBatch) -> dict[str, Array]:
        """What the policy makes of each input alone: key of a camera, or "instruction" -> [n, d]."""
        ...


def first_observations(dataset: Dataset, contract: "Contract", task: str | None = None) -> ObservationBatch:
    """The first observation of up to `MOST_STARTS` episodes, with the instruction that was in force.

    Pictures have the size of the training. A camera that some of these episodes lack is left out.
    """
    episodes = sampled_episodes(dataset)
    images = {
        camera.key: np.stack(
            [
                sized(episode.cameras[camera.name].frames([0])[0], camera.height, camera.width)
                for episode in episodes
            ]
        )
        for camera in contract.cameras
        if all(camera.name in episode.cameras for episode in episodes)
    }
    tasks = [task or dataset.tasks[int(episode.task_indices[0])] for episode in episodes]
    return ObservationBatch(np.stack([episode.states[0] for episode in episodes]), images, tasks)


def sized(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A picture [h, w, 3] in the size that the policy was trained on; probes stack it with the training's."""
    if picture.shape[:2] == (height, width) or not height:
        return picture
    from av import VideoFrame

    frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return np.asarray(frame.reformat(width=width, height=height).to_ndarray(format="rgb24"), dtype=np.uint8)


def with_all_cameras(dataset: Dataset, contract: "Contract") -> Dataset:
    """The dataset without episodes that lack a camera of the contract; as it is where none has them all."""
    names = set(contract.camera_names)
    whole = tuple(one for one in dataset.episodes if names <= one.cameras.keys())
    return replace(dataset, episodes=whole) if whole else dataset


def sampled_episodes(dataset: Dataset) -> tuple[Episode, ...]:
    """Up to `MOST_STARTS` episodes, evenly spread."""
    count = len(dataset.episodes)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_STARTS)).round().astype(int))
    return tuple(dataset.episodes[place] for place in places)
