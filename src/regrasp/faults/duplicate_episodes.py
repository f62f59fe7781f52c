"""Episodes are copies of others."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from regrasp.data import Camera, Dataset, Episode


def duplicate_episodes(
    dataset: Dataset, *, copies: Mapping[int, int] | None = None, trimmed: int = 0, rounding: float = 0.0
) -> Dataset:
    """`copies` says which episode becomes a copy of which: the last one of the first, unless given.

    A copy lacks `trimmed` frames at its start, and its values are off by up to `rounding` of themselves.
    """
    wanted = copies if copies is not None else {dataset.episodes[-1].index: dataset.episodes[0].index}
    by_number = {episode.index: episode for episode in dataset.episodes}

    def copy(episode: Episode) -> Episode:
        original = by_number[wanted[episode.index]]
        rng = np.random.default_rng(episode.index)
        states, actions = (
            values[trimmed:] * (1 + rng.uniform(-rounding, rounding, values[trimmed:].shape))
            for values in (original.states, original.actions)
        )
        return replace(
            original,
            index=episode.index,
            states=states,
            actions=actions,
            timestamps=original.timestamps[: len(states)],
            task_indices=original.task_indices[trimmed:],
            extras={name: column[trimmed:] for name, column in original.extras.items()},
            cameras={name: _without_start(camera, trimmed) for name, camera in original.cameras.items()},
        )

    return dataset.map_episodes(copy, wanted)


def _without_start(camera: Camera, trimmed: int) -> Camera:
    if not trimmed:
        return camera
    return Camera.from_array(camera.name, camera.frames(range(trimmed, camera.length)), camera.fps)
