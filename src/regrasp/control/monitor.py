"""Scores each turn of the loop: how far what happens is from what was learned, each score with a name.

| score | what it says | unit |
| --- | --- | --- |
| `far_state` | distance of the joints from the nearest state of the training | spreads of the training |
| `chunk_disagreement` | how much the newest chunk differs from what the last had planned for that time | degrees |
| `reversals` | changes of direction of the commands, all joints together, over the last second | per second |
| `stall` | time in which no joint has moved | s |
| `saturation` | share of the last second's commands that the gate had to change | 0-1 |
| `camera_frozen` | time in which some camera has shown one and the same picture | s |
| `camera_dark` | how much darker than in training the darkest camera is | 0-1 |
| `time_budget` | time used, as a multiple of a demonstration's mean length | 1 |

A score says nothing by itself; `calibrate` finds the limit of each from rollouts that succeeded. None of them sees a
policy that is confidently wrong: for that there is preflight.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrasp.control.loop import Tick

if TYPE_CHECKING:
    from regrasp.data.contract import Contract
    from regrasp.data.rollouts import Rollouts

SCORES = (
    "far_state",
    "chunk_disagreement",
    "reversals",
    "stall",
    "saturation",
    "camera_frozen",
    "camera_dark",
    "time_budget",
)

LIMITS = {"camera_frozen": 1.0, "camera_dark": 0.9, "stall": 4.0, "saturation": 0.5}
"""Limits that hold without calibration: a camera that shows one picture for a second, or almost nothing; an arm that has
stood for four; a gate that changes every second command."""

LEAST_SPREAD = 1.0
"""A joint that the training held still is compared by this; degrees, about droop and backlash."""

BACK_DEG = 1.0
"""A command that goes back by less is no reversal: the twin's expert trembles by 0.35 (standard deviation)."""

STILL_DEG = 1.5
"""A joint that moves less than this is still; a resting SO-101 moves within backlash and droop of about 1."""

STILL_GREY = 0.05
"""Mean difference of two pictures below which they are the same one; noise alone makes 0.3 (`frozen-camera`)."""

EVERY_PIXEL = 24
"""A picture is compared on a grid of about so many rows and columns."""


class Monitor:
    """Scores the turns of one episode after the other.

    Args:
        fps: Ticks per second.
        contract: What the policy was trained to expect; without it some scores are nan.
    """

    def __init__(self, fps: float, contract: "Contract | None" = None) -> None:
        self._fps = fps
        self._window = max(round(fps), 1)
        self._known = _Known.of(contract)
        self.reset()

    def reset(self) -> None:
        """Forget the episode before."""
        self._before: Tick | None = None
        self._disagreement = float("nan")
        self._rested: NDArray[np.float64] | None = None
        self._rested_since = 0.0
        self._turning: _Turning | None = None
        self._turns: deque[int] = deque(maxlen=self._window)
        self._changed: deque[bool] = deque(maxlen=self._window)
        self._pictures: dict[str, tuple[NDArray[np.int16], float]] = {}

    def watch(self, tick: Tick, state: NDArray[np.float64]) -> Mapping[str, float]:
        """The scores of one turn, by name."""
        now_s = tick.index / self._fps
        frozen, dark = self._look(tick.observation, now_s)
        scores = {
            "far_state": self._known.distance(state),
            "chunk_disagreement": self._compare_plans(tick),
            "reversals": self._count_turns(tick.sent),
            "stall": self._time_still(state, now_s),
            "saturation": self._share_changed(tick),
            "camera_frozen": frozen,
            "camera_dark": dark,
            "time_budget": now_s / self._known.usual_s,
        }
        self._before = tick
        return scores

    def _compare_plans(self, tick: Tick) -> float:
        """At a seam, the largest joint's mean difference over the overlap; between seams the last one found."""
        before = self._before
        if before is not None and before.decision.chunk != tick.decision.chunk:
            old, new = before.decision.plan, tick.decision.plan
            if old is not None and new is not None and len(old) > 1 and old.shape[1:] == new.shape[1:]:
                shared = min(len(old) - 1, len(new))
                self._disagreement = float(np.abs(old[1 : 1 + shared] - new[:shared]).mean(axis=0).max())
            else:
                self._disagreement = float("nan")
        return self._disagreement

    def _count_turns(self, sent: NDArray[np.float64]) -> float:
        if self._turning is None:
            self._turning = _Turning(sent)
        self._turns.append(self._turning.turned(sent))
        return sum(self._turns) * self._fps / self._window

    def _time_still(self, state: NDArray[np.float64], now_s: float) -> float:
        if self._rested is None or np.abs(state - self._rested).max() > STILL_DEG:
            self._rested, self._rested_since = state, now_s
        return now_s - self._rested_since

    def _share_changed(self, tick: Tick) -> float:
        self._changed.append(tick.intervened)
        return sum(self._changed) / self._window

    def _look(self, observation: Mapping[str, Any], now_s: float) -> tuple[float, float]:
        """Longest time that a camera has stood still, and how much darker than in training the darkest is."""
        frozen, dark = float("nan"), float("nan")
        for name, picture in observation.items():
            if not isinstance(picture, np.ndarray) or picture.ndim != 3:
                continue
            small = _small(picture)
            before = self._pictures.get(name)
            same = before is not None and np.abs(small - before[0]).mean() < STILL_GREY
            since = before[1] if before is not None and same else now_s
            self._pictures[name] = (small, since)
            frozen = np.fmax(frozen, now_s - since)
            dark = np.fmax(dark, self._known.darkness(name, float(small.mean())))
        return float(frozen), float(dark)


@dataclass(frozen=True)
class _Known:
    """What the contract says of the training, ready to be compared with."""

    states: NDArray[np.float64] | None
    scale: NDArray[np.float64]
    brightness: Mapping[str, float]
    usual_s: float

    @classmethod
    def of(cls, contract: "Contract | None") -> "_Known":
        if contract is None:
            return cls(None, np.ones(1), {}, float("nan"))
        scale = 1.0 / np.maximum([joint.state_std for joint in contract.joints], LEAST_SPREAD)
        sample = contract.state_sample or [[joint.state_mean for joint in contract.joints]]
        return cls(
            states=np.array(sample) * scale,
            scale=scale,
            brightness={c.name: float(np.mean(c.fingerprint)) for c in contract.cameras if c.fingerprint},
            usual_s=contract.frames / contract.fps / max(contract.episodes, 1),
        )

    def distance(self, state: NDArray[np.float64]) -> float:
        """Root of the mean squared distance to the nearest state of the training, in spreads."""
        if self.states is None or self.states.shape[1] != len(state):
            return float("nan")
        apart = self.states - state * self.scale
        return float(np.sqrt(np.einsum("nj,nj->n", apart, apart).min() / len(state)))

    def darkness(self, camera: str, grey: float) -> float:
        usual = self.brightness.get(camera, float("nan"))
        return max(0.0, 1.0 - grey / usual) if usual > 0 else float("nan")


class _Turning:
    """Where each joint's command last turned back."""

    def __init__(self, start: NDArray[np.float64]) -> None:
        self._furthest = start.copy()
        self._direction = np.zeros(len(start))

    def turned(self, sent: NDArray[np.float64]) -> int:
        """How many joints turn back with this command."""
        way = sent - self._furthest
        onwards = way * self._direction >= 0
        back = (np.abs(way) > BACK_DEG) & ((way * self._direction < 0) | (self._direction == 0))
        count = int((back & (self._direction != 0)).sum())
        self._direction = np.where(back, np.sign(way), self._direction)
        self._furthest = np.where(back | (onwards & (self._direction != 0)), sent, self._furthest)
        return count


def _small(picture: NDArray[np.uint8]) -> NDArray[np.int16]:
    """A picture on a coarse grid of its own pixels."""
    rows, columns = max(picture.shape[0] // EVERY_PIXEL, 1), max(picture.shape[1] // EVERY_PIXEL, 1)
    return picture[::rows, ::columns].astype(np.int16)


@dataclass(frozen=True)
class Calibration:
    """Limits of the scores, from rollouts that succeeded.

    Attributes:
        limits: Highest score that is still usual, by name.
        alpha: A sound episode goes beyond a limit with at most this probability, for each score by itself and as
            long as nothing has changed since.
        episodes: Successful rollouts that were looked at.
        undecided: Why a score has no limit of its own, by name; those in `LIMITS` keep that one.
    """

    limits: Mapping[str, float]
    alpha: float
    episodes: int
    undecided: Mapping[str, str]

    def tripped(self, scores: Mapping[str, float]) -> tuple[str, ...]:
        """Names of the scores beyond their limit."""
        return tuple(name for name, limit in self.limits.items() if scores.get(name, float("nan")) > limit)


UNCALIBRATED = Calibration(LIMITS, float("nan"), 0, {})
"""What is alarming without any rollouts to compare with."""


def needed_episodes(alpha: float) -> int:
    """Fewest successful rollouts from which a limit for `alpha` can be told.

    Example:
        >>> needed_episodes(0.1), needed_episodes(0.05)
        (9, 19)
    """
    return int(np.ceil(round(1.0 / alpha, 9))) - 1


def calibrate(rollouts: "Rollouts", *, alpha: float = 0.1) -> Calibration:
    """Limits of all scores by split conformal prediction over the successful episodes of `rollouts`.

    The limit of a score is the k-th smallest of the episodes' highest values, k = ceil((n + 1)(1 - alpha)): a further
    episode from the same source exceeds it with probability alpha at most (Vovk 2005; Lei et al. 2018).
    """
    succeeded = [outcome.episode for outcome in rollouts.outcomes if outcome.success]
    limits = dict(LIMITS)
    undecided: dict[str, str] = {}
    for name in SCORES:
        peaks = _peaks(rollouts, name, succeeded)
        if len(peaks) < needed_episodes(alpha):
            undecided[name] = (
                f"needs {needed_episodes(alpha)} successful rollouts with this score, got {len(peaks)}"
            )
            continue
        rank = int(np.ceil(round((len(peaks) + 1) * (1.0 - alpha), 9)))
        limits[name] = float(np.sort(peaks)[rank - 1])
    return Calibration(limits, alpha, len(succeeded), undecided)


def _peaks(rollouts: "Rollouts", name: str, episodes: list[int]) -> NDArray[np.float64]:
    """Highest value of a score in each of the episodes that have one."""
    values = rollouts.ticks.scores.get(name)
    if values is None:
        return np.zeros(0)
    each = [values[rollouts.ticks.episode == episode] for episode in episodes]
    known = [one[np.isfinite(one)] for one in each]
    return np.array([one.max() for one in known if len(one)])
