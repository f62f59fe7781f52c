"""A camera's video is not there."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Dataset, Episode


def missing_video(
    dataset: Dataset, *, camera: str | None = None, episodes: Collection[int] | None = (0,)
) -> Dataset:
    """These episodes, or all, have no file with the pictures of a camera (the last)."""
    name = camera or dataset.camera_names[-1]
    numbers = tuple(e.index for e in dataset.episodes if episodes is None or e.index in episodes)

    def lose(episode: Episode) -> Episode:
        return replace(episode, cameras={key: kept for key, kept in episode.cameras.items() if key != name})

    lost = dataset.map_episodes(lose, numbers)
    return replace(
        lost,
        without_video={**dataset.without_video, name: numbers},
        unavailable={**dataset.unavailable, name: f"no file videos/observation.images.{name}"},
    )
