"""A camera repeats one picture."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Camera, Dataset, Episode


def frozen_camera(
    dataset: Dataset,
    *,
    camera: str | None = None,
    episodes: Collection[int] = (0,),
    first: int = 30,
    last: int | None = None,
) -> Dataset:
    """From frame `first` to `last` (the end) of these episodes a camera (the last) shows frame `first`."""
    name = camera or dataset.camera_names[-1]

    def freeze(episode: Episode) -> Episode:
        frames = episode.cameras[name].frames()
        frames[first : episode.length if last is None else last + 1] = frames[first]
        return replace(
            episode, cameras={**episode.cameras, name: Camera.from_array(name, frames, episode.fps)}
        )

    return dataset.map_episodes(freeze, episodes)
