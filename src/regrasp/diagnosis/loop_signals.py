"""How the loop of rollouts ran: its rate, where it waited for the policy, and how far commands step at seams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import Episode
from regrasp.data.rollouts import Rollouts, Ticks

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

type Array = NDArray[np.float64]

LEAST_SHARE = 0.9
"""Of the wanted rate. Slower by a tenth is within what the policy was taught: the length of the twin's demonstrations,
on which policies succeed, has a standard deviation of 7 % in the 2 inch area and 10 % in the 6 inch area."""

LEAST_STEP_DEG = 1.5
"""A step of a joint that is no jump, whatever demonstrations did: droop and backlash of an SO-101 are about that."""


@dataclass(frozen=True)
class LoopTime:
    """Where the time of one episode went, from its second turn on: the first query readies the policy.

    Attributes:
        episode: Its number.
        turns: From the second to the last, the last not counted.
        wanted_hz: The rate that the loop was to keep.
        seconds: That they took.
        waited_s: Of these, time by which turns with a query were longer than the others, and than 1/wanted_hz.
        queries: Turns with a query.
        query_s: Median time of these queries, as the loop measured it; NaN without any.
    """

    episode: int
    turns: int
    wanted_hz: float
    seconds: float
    waited_s: float
    queries: int
    query_s: float

    @property
    def apart_hz(self) -> float:
        """Turns a second while it did not wait for the policy. A loop that catches up comes to more than is wanted."""
        return self.turns / max(self.seconds - self.waited_s, 1e-9)

    @property
    def held_hz(self) -> float:
        """The rate at which commands went out, were there no hurry after each wait: what the policy leaves of it."""
        return self.turns / (self.turns / self.wanted_hz + self.waited_s)


def loop_times(rollouts: Rollouts) -> tuple[LoopTime, ...]:
    """Of each episode whose ticks hold the time; none of a loop of fewer than three turns."""
    fps = rollouts.dataset.fps
    found = [
        _loop_time(episode.index, rollouts.ticks.of(episode.index), fps) for episode in rollouts.episodes
    ]
    return tuple(one for one in found if one is not None)


def _loop_time(episode: int, ticks: Ticks, fps: float) -> LoopTime | None:
    wall = ticks.wall_s
    if len(wall) < 3 or not np.isfinite(wall).all() or (np.diff(wall) < 0).any() or wall[-1] <= wall[0]:
        return None
    taken, query_ms = np.diff(wall)[1:], ticks.inference_ms[1:-1]
    asked = np.isfinite(query_ms)
    queries = query_ms[asked] / 1000
    usual_s = 1 / fps if asked.all() else max(1 / fps, float(np.median(taken[~asked])))
    return LoopTime(
        episode=episode,
        turns=len(taken),
        wanted_hz=fps,
        seconds=float(taken.sum()),
        waited_s=float(np.maximum(taken[asked] - usual_s, 0.0).sum()),
        queries=int(asked.sum()),
        query_s=float(np.median(queries)) if len(queries) else float("nan"),
    )


@dataclass(frozen=True, eq=False)
class Steps:
    """Steps of each joint from one command to the next, absolute.

    Attributes:
        at_seams: Where one chunk takes over from another, [s, J].
        episodes: Numbers of their episodes, [s].
        within: Those within chunks, [n, J].
        every: Length of the chunks, where it was told from the commands; None where ticks told it.
    """

    at_seams: Array
    episodes: NDArray[np.int64]
    within: Array
    every: int | None = None


def seam_steps(rollouts: Rollouts) -> Steps | None:
    """Steps of what the policy wanted, at the seams that the ticks name; None where there are no ticks."""
    parts: list[tuple[Array, NDArray[np.bool_], int]] = []
    for episode in rollouts.episodes:
        ticks = rollouts.ticks.of(episode.index)
        if len(ticks) > 1:
            steps = np.abs(np.diff(wanted_commands(ticks), axis=0))
            parts.append((steps, np.diff(ticks.chunk) != 0, episode.index))
    return _parted(parts, None) if parts else None


def wanted_commands(ticks: Ticks) -> Array:
    """What the policy wanted, [N, J]; what was sent where it wanted no numbers."""
    return np.where(np.isfinite(ticks.wanted), ticks.wanted, ticks.sent)


def step_envelope(contract: "Contract", fps: float) -> Array:
    """How far 99 of 100 demonstrated steps of each joint go, at a loop's rate, [J]; at least `LEAST_STEP_DEG`.

    NaN where the contract does not tell.
    """
    step = np.array([joint.jump_p99 for joint in contract.joints], dtype=np.float64)
    least = [np.deg2rad(LEAST_STEP_DEG) if one.unit == "rad" else LEAST_STEP_DEG for one in contract.joints]
    return np.maximum(step * contract.fps / fps, least)


def steps_every(episodes: Iterable[Episode], length: int) -> Steps:
    """Steps of the recorded commands, with a seam after every `length` frames of each episode."""
    parts: list[tuple[Array, NDArray[np.bool_], int]] = []
    for episode in episodes:
        steps = np.abs(np.diff(episode.actions, axis=0))
        parts.append((steps, (np.arange(len(steps)) + 1) % length == 0, episode.index))
    return _parted(parts, length)


def _parted(parts: Sequence[tuple[Array, NDArray[np.bool_], int]], every: int | None) -> Steps:
    return Steps(
        np.concatenate([steps[seam] for steps, seam, _ in parts]),
        np.concatenate([np.full(int(seam.sum()), number) for _, seam, number in parts]),
        np.concatenate([steps[~seam] for steps, seam, _ in parts]),
        every,
    )


def found_seams(episodes: Sequence[Episode], large: Array, longest: int) -> Steps | None:
    """Steps parted at the seams of chunks of one length, told from where large steps come again; None where they do not.

    A policy without ticks begins a chunk with the episode, and another after every so many frames. A step is large
    when a joint goes further than `large` [J]; `longest` is the longest chunk that can be.
    """
    lengths = range(2, longest + 1)
    clear = [_clearness(steps_every(episodes, length), large) for length in lengths]
    if not clear or max(clear) < CLEAR:
        return None
    return steps_every(episodes, lengths[int(np.argmax(clear))])


CLEAR = 6.0
"""Standard deviations by which large steps must lie more often at supposed seams than elsewhere: with a hundred lengths
tried, chance does that once in ten million."""


def _clearness(steps: Steps, large: Array) -> float:
    """How surely large steps lie at these seams more often than elsewhere: standard deviations of a binomial."""
    at_seams, within = beyond(steps.at_seams, large), beyond(steps.within, large)
    if not len(at_seams) or not len(within):
        return 0.0
    usual = max(float(within.mean()), 1 / len(within))
    expected = len(at_seams) * usual
    return float((at_seams.sum() - expected) / np.sqrt(expected * (1 - usual) + 1e-12))


def beyond(steps: Array, large: Array) -> NDArray[np.bool_]:
    """Which steps [n, J] take some joint further than `large` [J]."""
    return np.any(steps > large, axis=1)
