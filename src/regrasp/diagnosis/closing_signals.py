"""How far a gripper is told to close: in training, and of a policy's commands what arrives at the motors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.grasps import closings
from regrasp.data.measures import MOVING_GRIPPER, gripper_index
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.signals import once_per_dataset, span

type Array = NDArray[np.float64]

SETTLED_S, UNTIL_S = 0.5, 1.5
"""What part of a closing is looked at, from its halfway point on: after the jaws have come to rest, and before a
policy that has lost the object can have closed them on nothing. Jaws of the simulated arm rest after 0.35 s."""

LEAST_LOOK_S = 0.2
"""A closing of which less than this can be looked at does not count."""

FEWEST_CLOSINGS = 3
"""Training episodes that close the gripper: of fewer, the usual level is not known."""

USUAL_QUANTILE = 0.95
"""Of the training's episodes: single ones may close on something larger."""

LOST_SQUEEZE = 0.5
"""Share of the training's squeeze, from the jaws on the object to the command beyond, that may be lacking."""

LOST_STROKE = 0.1
"""Share of the way from open to closed that may be lacking whatever is squeezed: jaws on objects of real arms stay
4.5 to 25 % behind their commands (`data.grasps`), so that less is not told from another grasp of the same object."""


@dataclass(frozen=True)
class TrainedClosing:
    """How far training closes its gripper: commands in the joint's own unit, low where it is closed.

    Attributes:
        place: The gripper among the joints.
        opened: Its usual command when open.
        level: Its usual command when closed.
        rest: Where the jaws usually stand then.
        limit: A command that stays above closes weakly.
    """

    place: int
    opened: float
    level: float
    rest: float
    limit: float

    @property
    def halfway(self) -> float:
        """Commands below close, those above open."""
        return (self.opened + self.level) / 2

    @property
    def harmful(self) -> float:
        """A command above leaves the jaws wider than the training's stood around the object, by a tenth of the stroke.

        On the simulated arm, where they stood at 20 and this is 25, commands that stopped at 8 to 20 went with 7 of 8
        successes, as all commands did; at 23 with 5, at 26 with 3, at 29 with 1.
        """
        return max(self.limit, self.rest + LOST_STROKE * (self.opened - self.level))


@dataclass(frozen=True)
class Closing:
    """How far the gripper was told to close in an episode of rollouts, and how far what was sent on closed it."""

    episode: int
    wanted: float
    sent: float


@once_per_dataset
def trained_closing(dataset: Dataset) -> TrainedClosing | None:
    """How far these demonstrations close the gripper; None where they show too little of it."""
    place = gripper_index(dataset.joint_names)
    if place is None or not dataset.episodes or dataset.actions.shape != dataset.states.shape:
        return None
    commands = dataset.actions[:, place][np.isfinite(dataset.actions[:, place])]
    if len(commands) == 0 or float(span(commands[:, None])[0]) < MOVING_GRIPPER:
        return None
    low, opened = (float(value) for value in np.percentile(commands, [5, 95]))
    looks = [
        (_level(episode.actions[:, place], frames), _level(episode.states[:, place], frames))
        for episode in dataset.episodes
        if (frames := list(_looks(episode.actions[:, place], (low + opened) / 2, episode.fps)))
    ]
    if len(looks) < FEWEST_CLOSINGS:
        return None
    levels, rests = np.array(looks).T
    level, rest = float(np.median(levels)), float(np.median(rests))
    limit = max(
        float(np.quantile(levels, USUAL_QUANTILE)),
        level + LOST_SQUEEZE * (rest - level),
        level + LOST_STROKE * (opened - level),
    )
    return TrainedClosing(place, opened, level, rest, limit)


def closings_of(rollouts: Rollouts, trained: TrainedClosing) -> Iterator[Closing]:
    """Of each rollout that closes its gripper for long enough, how far; wanted and sent are one without ticks."""
    for episode in rollouts.episodes:
        ticks = rollouts.ticks.of(episode.index)
        wanted, sent = (ticks.wanted, ticks.sent) if len(ticks) else (episode.actions, episode.actions)
        frames = list(_looks(wanted[:, trained.place], trained.halfway, episode.fps))
        if frames:
            yield Closing(
                episode.index,
                _level(wanted[:, trained.place], frames),
                _level(sent[:, trained.place], frames),
            )


def _looks(commands: Array, halfway: float, fps: float) -> Iterator[slice]:
    """The frames of each closing that are looked at."""
    first, last = round(SETTLED_S * fps), round(UNTIL_S * fps)
    for start, end in closings(commands, halfway, first + LEAST_LOOK_S * fps):
        yield slice(start + first, min(start + last, end))


def _level(values: Array, frames: list[slice]) -> float:
    """Median over closings of the median in each; values are [N]."""
    return float(np.median([np.median(values[look]) for look in frames]))
