"""One episode shows the task several times over."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from regrasp.data import Dataset, Episode
from regrasp.faults.frames import with_frames

LAG_S = 0.1
"""How far a follower is behind its leader; on the way back the command leads by as much as on the way there."""

RESTING_SHARE = 0.06
"""Of an episode, at its start and at its end: there the arm rests, and does so once however often it moves."""


def outlier_episodes(dataset: Dataset, *, episodes: Collection[int] | None = None, times: int = 4) -> Dataset:
    """In these episodes (the last) the motion is done `times` times, and back at twice the speed in between."""

    def repeat(episode: Episode) -> Episode:
        ends = round(RESTING_SHARE * episode.length)
        there = np.arange(ends, episode.length - ends)
        back = there[::-2]
        moving = np.concatenate([there, *[back, there] * (times - 1)])
        last = np.arange(episode.length - ends, episode.length)
        repeated = with_frames(episode, np.concatenate([np.arange(ends), moving, last]))
        turn = (np.arange(repeated.length) - ends) % (len(there) + len(back))
        returning = (turn >= len(there)) & (np.arange(repeated.length) < ends + len(moving))
        ahead = np.minimum(np.arange(repeated.length) + round(LAG_S * episode.fps), repeated.length - 1)
        actions = np.where(returning[:, None], repeated.states[ahead], repeated.actions)
        return replace(repeated, actions=actions)

    return dataset.map_episodes(repeat, episodes or [dataset.episodes[-1].index]).as_recorded()
