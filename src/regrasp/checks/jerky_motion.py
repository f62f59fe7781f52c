"""Commands jump back and forth instead of running smoothly.

## What it detects
Episodes in which a joint's command jumps again and again, out of line with the steps before and after.

## Why it matters
A policy copies what it is shown: it will shake. In recorded rollouts such jumps are the seams between
action chunks; in demonstrations, a leader arm with a loose joint, or a recorder that lost frames.

## How it decides
Each step of the command is compared with the median of itself and its neighbours. Steady motion departs
from it by nothing, however fast. A departure of more than `jump_share` of the joint's working range is a
jump; an episode with more than `max_jumps_per_s` of them in one joint is reported. A joint that hardly works
counts as if it worked over a third of the range of the joint that works most: the tremor of a hand is not a
jump because the task happens to need little of that joint.

On 33 episodes recorded on five real arms the worst joint jumps 0.9 times a second (a motor screwdriver that
is switched on and off), the worst arm joint 0.4 times. A rollout that re-plans every 10 frames at 30 Hz has
a seam 3 times a second.

## What can fool it
A tool that is switched twice a second or faster. A person who shakes the object on purpose does not: at 30 Hz
that motion runs over several frames.

## How to fix it
Drop the episodes. In a rollout, execute more actions of each chunk, or blend the chunks.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.signals import action_scale, steps_out_of_line
from regrasp.diagnosis.unit_signals import in_one_unit

MIN_JUMPS = 3
"""Fewer say nothing about a rate, in an episode of a second or two."""


QUIET_SHARE = 1 / 3
"""A joint's range counts as at least this part of the largest. On the twin's demonstrations in a 2x2 inch area
the pan works over 15 degrees beside a lift of 140, and a tremor of 0.35 degrees would count as 5 jumps a second."""


@check(severity=Severity.WARNING, explains=("unfollowed-joint", "calibration-offset"))
def jerky_motion(
    dataset: Dataset, *, jump_share: float = 0.05, max_jumps_per_s: float = 2.0
) -> Iterator[Finding]:
    """Report the episodes whose commands jump too often, and the joint that does it most."""
    dataset = in_one_unit(dataset)
    scale = action_scale(dataset)
    limit = jump_share * np.maximum(scale, QUIET_SHARE * scale.max())
    jumps = np.array([_jumps(episode, limit) for episode in dataset.episodes], dtype=np.float64)
    seconds = np.array([episode.length / episode.fps for episode in dataset.episodes])
    rates = np.where(jumps >= MIN_JUMPS, jumps / seconds[:, None], 0.0)
    jerky = np.flatnonzero((rates > max_jumps_per_s).any(axis=1))
    if not len(jerky):
        return
    worst, joint = np.unravel_index(np.argmax(rates), rates.shape)
    numbers = tuple(dataset.episodes[i].index for i in jerky)
    name = dataset.names_of_actions[joint]
    yield Finding(
        summary=(
            f"Commands jump in {len(numbers)} of {len(dataset.episodes)} episodes, "
            f"most in episode {dataset.episodes[worst].index}."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence("jumps a second", rates[worst, joint], max_jumps_per_s),),
        fix=Fix(
            "Drop these episodes; in rollouts, execute more of each action chunk.",
            drop_episodes(dataset, numbers),
        ),
    )


def _jumps(episode: Episode, limit: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of jumps of each joint, int64 [J]."""
    return (steps_out_of_line(episode.actions) > limit).sum(axis=0)
