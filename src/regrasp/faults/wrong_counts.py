"""The metadata count other frames than the tables hold."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Dataset, Episode


def wrong_counts(dataset: Dataset, *, episodes: Collection[int] | None = None, rows: int = 5) -> Dataset:
    """These episodes (the last) lack their last `rows` rows, and the metadata know nothing of it."""

    def lose(episode: Episode) -> Episode:
        end = episode.length - rows
        return replace(
            episode,
            timestamps=episode.timestamps[:end],
            states=episode.states[:end],
            actions=episode.actions[:end],
            task_indices=episode.task_indices[:end],
            extras={name: column[:end] for name, column in episode.extras.items()},
            cameras={name: replace(camera, length=end) for name, camera in episode.cameras.items()},
        )

    shorter = dataset.map_episodes(lose, episodes or [dataset.episodes[-1].index])
    return replace(shorter, declared=dataset.declared)
