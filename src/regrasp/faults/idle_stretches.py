"""Episodes begin, pause or end with the arm at rest and nothing commanded."""

from collections.abc import Collection
from typing import Literal

import numpy as np

from regrasp.data import Dataset, Episode
from regrasp.faults.frames import with_frames


def idle_stretches(
    dataset: Dataset,
    *,
    episodes: Collection[int] | None = None,
    share: float = 0.6,
    at: Literal["start", "middle", "end"] = "start",
) -> Dataset:
    """In these episodes (the first) one frame is held for `share` of the episode's own length."""

    def rest(episode: Episode) -> Episode:
        place = {"start": 0, "middle": episode.length // 2, "end": episode.length - 1}[at]
        held = np.full(round(share * episode.length), place)
        everything = np.arange(episode.length)
        return with_frames(episode, np.concatenate([everything[:place], held, everything[place:]]))

    return dataset.map_episodes(rest, episodes or [dataset.episodes[0].index]).as_recorded()
