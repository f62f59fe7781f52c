"""A camera repeats one picture."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Camera, Dataset, Episode
from regrasp.data.rollouts import Rollouts


def frozen_camera[Filmed: (Dataset, Rollouts)](
    dataset: Filmed,
    *,
    camera: str | None = None,
    episodes: Collection[int] | None = None,
    first: int | None = None,
    last: int | None = None,
) -> Filmed:
    """From frame `first` to `last` (the end) of these episodes a camera (the last) shows frame `first`.

    Usually from frame 30 of the first episode; in rollouts from the first frame of all.
    """
    if isinstance(dataset, Rollouts):
        these = [one.index for one in dataset.episodes] if episodes is None else episodes
        frozen = frozen_camera(dataset.dataset, camera=camera, episodes=these, first=first or 0, last=last)
        return replace(dataset, dataset=frozen)
    start = 30 if first is None else first
    name = camera or dataset.camera_names[-1]

    def freeze(episode: Episode) -> Episode:
        frames = episode.cameras[name].frames()
        frames[start : episode.length if last is None else last + 1] = frames[start]
        return replace(
            episode, cameras={**episode.cameras, name: Camera.from_array(name, frames, episode.fps)}
        )

    return dataset.map_episodes(freeze, (0,) if episodes is None else episodes)
