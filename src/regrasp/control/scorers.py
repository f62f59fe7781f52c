"""Says how an episode went while it runs: a person's key, or what a fixed camera shows at the place of the goal.

A scorer is an observer of the loop that may know the outcome before the time is up. The twin needs none of them: physics
tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.control.loop import Tick
from regrasp.control.monitor import needed_episodes
from regrasp.data.episode import Episode, grid_means
from regrasp.data.rollouts import read_rollouts
from regrasp.errors import UsageError

KEYS = {"s": True, "f": False}
"""What a key says of the running episode."""

STOP = "q"
"""The key after which nothing moves any more, as after Ctrl-C."""

GRID = (16, 16)
"""A region is compared on so many rows and columns."""

FINE_PX = 64
"""A region is thinned to at most about so many pixels a side before it is looked at."""

HOLD_S = 0.3
"""The goal counts once it has been seen for so long; the twin's own judge asks for a third of a second."""

MISSED = 0.1
"""Share of successful ends that may look too unlike the others to be known as one."""

ALIKE = 0.05
"""With more than this share of earlier moments looking like an end, the region does not show the goal."""


EARLIER, EARLIER_SHARE = 6, 0.6
"""Earlier moments of an episode that are compared, spread over its first part; many recordings rest at their end, which
shows the goal for a while already."""

MOST_EPISODES = 100
"""Episodes that are looked at, spread over the recording."""


class Scorer(Protocol):
    """Watches one episode after the other."""

    @property
    def name(self) -> str:
        """Who decides, as an outcome says it."""
        ...

    @property
    def success(self) -> bool | None:
        """How the episode went; None while nobody knows."""
        ...

    def reset(self) -> None:
        """Forget the episode before."""
        ...

    def watch(self, tick: Tick) -> None:
        """Take in one turn of the loop."""
        ...

    def time_is_up(self) -> None:
        """The episode is over; a scorer that can tell without having seen the goal does."""
        ...


class KeyScorer:
    """A person at the keyboard: `s` for a success, `f` for a failure; either ends the episode. `q` ends them all.

    Args:
        read: The key that was pressed since it was asked last, "" for none; must not wait.
    """

    name = "person"

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self.success: bool | None = None

    def reset(self) -> None:
        """Forget the episode before, and keys that were pressed after it."""
        while self._read():
            pass
        self.success = None

    def watch(self, tick: Tick) -> None:
        """Look for a key.

        Raises:
            KeyboardInterrupt: `q` was pressed.
        """
        pressed = self._read().lower()
        if pressed == STOP:
            raise KeyboardInterrupt
        if self.success is None:
            self.success = KEYS.get(pressed)

    def time_is_up(self) -> None:
        """Nobody has pressed a key, and nobody else can tell."""


@dataclass(frozen=True)
class Goal:
    """What a region of a fixed camera looks like when the task is done, and when it is not yet.

    Attributes:
        camera: Name of the camera.
        region: Left, top, right and bottom edge, as shares of width and height.
        ends: Looks (see `look`) of successful ends, shape [n, d].
        earlier: Looks of earlier moments of the same episodes, shape [m, d].
        limit: A look is an end's when it lies no farther than this from the nearest of them, and nearer than to any
            earlier moment.
        alike: Share of the earlier moments that would pass for an end.
    """

    camera: str
    region: tuple[float, float, float, float]
    ends: NDArray[np.float64]
    earlier: NDArray[np.float64]
    limit: float
    alike: float

    @classmethod
    def learned(
        cls,
        camera: str,
        region: tuple[float, float, float, float],
        episodes: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    ) -> "Goal":
        """From successful episodes: pictures [k, h, w, 3] of earlier moments, and the last picture [h, w, 3], of each.

        The limit is the conformal quantile of each end's distance to the nearest end of another episode.

        Raises:
            UsageError: There are too few, or the region looks the same before as at the end.
        """
        needed = needed_episodes(MISSED)
        if len(episodes) < needed:
            raise UsageError(
                f"Found {len(episodes)} successful episodes to learn the goal from; expected {needed} or more. Name a "
                "larger recording with --goal-from."
            )
        ends = np.stack([look(last, region) for _, last in episodes])
        earlier = [np.stack([look(picture, region) for picture in before]) for before, _ in episodes]
        apart = _distances(ends, ends)
        np.fill_diagonal(apart, np.inf)
        rank = int(np.ceil(round((len(ends) + 1) * (1 - MISSED), 9)))
        limit = float(np.sort(apart.min(axis=1))[min(rank, len(ends)) - 1])
        alike = [
            _passes(
                one,
                np.delete(ends, number, axis=0),
                np.concatenate(earlier[:number] + earlier[number + 1 :]),
                limit,
            )
            for number, before in enumerate(earlier)
            for one in before
        ]
        share = float(np.mean(alike))
        if share > ALIKE:
            raise UsageError(
                f"The region {_shares(region)} of camera '{camera}' looks like a successful end in "
                f"{100 * share:.0f} % of the earlier moments; expected {100 * ALIKE:.0f} % or less. Choose a region that "
                "shows what success changes with --goal."
            )
        return cls(camera, region, ends, np.concatenate(earlier), limit, share)

    def reached(self, picture: NDArray[np.uint8]) -> bool:
        """Whether a picture [h, w, 3] of the camera shows a successful end."""
        return _passes(look(picture, self.region), self.ends, self.earlier, self.limit)


def learn_goal(reference: str | Path, camera: str, region: tuple[float, float, float, float]) -> Goal:
    """The goal as the successful episodes of a recording, or of rollouts, show it; all episodes where none was scored.

    Raises:
        DatasetError: The recording cannot be read.
        UsageError: It has no such camera, too few successes, or the region does not show the goal.
    """
    read = read_rollouts(reference)
    if camera not in read.dataset.camera_names:
        raise UsageError(
            f"Found no camera '{camera}' in {reference}; expected one of {', '.join(read.dataset.camera_names)}."
        )
    won = {outcome.episode for outcome in read.outcomes if outcome.success}
    scored = any(outcome.success is not None for outcome in read.outcomes)
    chosen = [episode for episode in read.episodes if not scored or episode.index in won]
    if not chosen:
        raise UsageError(
            f"Found no successful episode in {reference}; expected {needed_episodes(MISSED)} or more to learn the goal "
            "from. Name another recording with --goal-from."
        )
    places = np.linspace(0, len(chosen) - 1, min(len(chosen), MOST_EPISODES)).round().astype(int)
    pictures = [_pictures_of(chosen[place], camera) for place in np.unique(places)]
    return Goal.learned(camera, region, pictures)


def _pictures_of(episode: Episode, camera: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Earlier moments of an episode, and its end."""
    last = episode.length - 1
    before = np.linspace(0, EARLIER_SHARE * last, EARLIER).round().astype(int)
    shown = episode.cameras[camera].frames([*np.unique(before).tolist(), last])
    return shown[:-1], shown[-1]


class GoalScorer:
    """A success once the goal has been seen for `HOLD_S`; a failure when it was not by the end of the time."""

    name = "goal-region"

    def __init__(self, goal: Goal, fps: float) -> None:
        self._goal, self._needed = goal, max(round(HOLD_S * fps), 1)
        self.reset()

    def reset(self) -> None:
        """Forget the episode before."""
        self.success: bool | None = None
        self._seen = 0

    def watch(self, tick: Tick) -> None:
        """Look at the region."""
        reached = self._goal.reached(tick.observation[self._goal.camera])
        self._seen = self._seen + 1 if reached else 0
        if self._seen >= self._needed:
            self.success = True

    def time_is_up(self) -> None:
        """What was not seen was not reached."""
        self.success = bool(self.success)


def look(picture: NDArray[np.uint8], region: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """What a region looks like, whatever the light: means on a grid without their own mean and spread, flat."""
    height, width = picture.shape[:2]
    left, top, right, bottom = region
    part = picture[
        int(top * height) : max(int(bottom * height), int(top * height) + 1),
        int(left * width) : max(int(right * width), int(left * width) + 1),
    ]
    step = max(max(part.shape[:2]) // FINE_PX, 1)
    grid = (min(GRID[0], part[::step].shape[0]), min(GRID[1], part[:, ::step].shape[1]))
    means = grid_means(part[::step, ::step], grid)
    centred = means - means.mean(axis=(0, 1))
    return (centred / max(float(centred.std()), 1.0)).ravel()


def _passes(
    one: NDArray[np.float64], ends: NDArray[np.float64], earlier: NDArray[np.float64], limit: float
) -> bool:
    near = float(_distances(one[None], ends).min())
    return near <= limit and near < float(_distances(one[None], earlier).min())


def _distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root of the mean squared difference of each pair, shape [n, m]."""
    squared = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.sqrt(np.maximum(squared, 0.0) / one.shape[1])


def _shares(region: tuple[float, float, float, float]) -> str:
    return ",".join(f"{share:g}" for share in region)
