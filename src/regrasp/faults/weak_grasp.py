"""The gripper's commands are cut off before they close it as far as in training."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Episode
from regrasp.data.measures import gripper_index
from regrasp.data.rollouts import Rollouts
from regrasp.errors import UsageError
from regrasp.faults.loop_times import with_ticks


def weak_grasp(
    rollouts: Rollouts, *, gripper: float = 35.0, episodes: Collection[int] | None = None
) -> Rollouts:
    """In these rollouts (all) no command closes the gripper further than to `gripper`, nor do the jaws get there.

    The policy wants what it wanted. The first measurement stays: nothing was sent before it.
    """
    data = rollouts.dataset
    place = gripper_index(data.joint_names)
    if place is None:
        raise UsageError(f"Found joints {', '.join(data.joint_names)}; expected a gripper among them.")
    these = [one.index for one in data.episodes] if episodes is None else list(episodes)
    ticked = with_ticks(rollouts)
    hit = np.isin(ticked.ticks.episode, these)
    sent = ticked.ticks.sent.copy()
    sent[hit, place] = np.maximum(sent[hit, place], gripper)

    def stopped(values: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        changed = values.copy()
        changed[first:, place] = np.maximum(changed[first:, place], gripper)
        return changed

    def weaken(episode: Episode) -> Episode:
        return replace(episode, states=stopped(episode.states, 1), actions=stopped(episode.actions, 0))

    return replace(ticked, dataset=data.map_episodes(weaken, these), ticks=replace(ticked.ticks, sent=sent))
