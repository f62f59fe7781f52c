"""Rollouts whose chunks do not fit together."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts


def replanning_jumps(
    rollouts: Rollouts, *, n_action_steps: int = 5, jump_deg: float = 12.0, joint: int = 0
) -> Rollouts:
    """The same, with one joint's commands `jump_deg` apart from each chunk to the next, in ticks too where there are."""
    data = rollouts.dataset
    episodes = tuple(
        replace(
            one,
            actions=one.actions
            + _beside(np.arange(one.length), n_action_steps, jump_deg, joint, one.actions),
        )
        for one in data.episodes
    )
    ticks = rollouts.ticks
    if len(ticks):
        beside = _beside(ticks.tick, n_action_steps, jump_deg, joint, ticks.wanted)
        ticks = replace(
            ticks,
            chunk=ticks.tick // n_action_steps,
            position_in_chunk=ticks.tick % n_action_steps,
            wanted=ticks.wanted + beside,
            sent=ticks.sent + beside,
        )
    return replace(rollouts, dataset=replace(data, episodes=episodes), ticks=ticks)


def _beside(
    frames: NDArray[np.int64], length: int, jump_deg: float, joint: int, like: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Every other chunk beside the track, [n, J]."""
    moved = np.zeros_like(like)
    moved[:, joint] = jump_deg * ((frames // length) % 2)
    return moved
