"""Two cameras have changed places."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Camera, Dataset, Episode


def swapped_cameras(
    dataset: Dataset, *, cameras: tuple[str, str] | None = None, episodes: Collection[int] | None = None
) -> Dataset:
    """In these episodes (the later third) two cameras (the first two) show each other's pictures."""
    one, other = cameras or (dataset.camera_names[0], dataset.camera_names[1])
    numbers = [episode.index for episode in dataset.episodes]

    def exchange(episode: Episode) -> Episode:
        exchanged = {
            **episode.cameras,
            one: _renamed(episode.cameras[other], episode.cameras[one]),
            other: _renamed(episode.cameras[one], episode.cameras[other]),
        }
        return replace(episode, cameras=exchanged)

    return dataset.map_episodes(exchange, episodes or numbers[-max(len(numbers) // 3, 1) :])


def _renamed(camera: Camera, namesake: Camera) -> Camera:
    return replace(camera, key=namesake.key)
