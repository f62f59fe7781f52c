"""The recorded chunks are sent once more, handed over at their seams without a jump.

Nothing is asked of the policy: what it wanted in each tick is known. What an arm that does not jump would have shown it,
and what it would have wanted then, is not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.control.loop import Decision
from regrasp.control.seams import LONGEST_FADE_S, HandOver
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.loop_signals import found_seams, step_envelope, wanted_commands
from regrasp.diagnosis.probe import Case, Measurement, probe
from regrasp.diagnosis.reference import InputDistance
from regrasp.stats.resampling import interval_of_median

type Array = NDArray[np.float64]

HARMFUL_TIMES = 3.0
"""Of the demonstrations' 99 % step. A choice: on the twin jumps of up to 1.8 went with 9 to 12 of 12 successes, and of
3.1 with 6, where a policy that looked only every 40 actions may have failed for that. Less is suspected, and no more."""

LONGEST_CHUNK = 100
"""Actions of a chunk where the contract does not tell: the most that LeRobot's ACT plans."""


@probe(cause="replanning-jumps")
def hand_over(case: Case) -> Iterator[Measurement]:
    """Rollouts with seams that were not handed over."""
    rollouts = case.rollouts
    if rollouts is None or rollouts.deployment.control.get("handover") == "on":
        return
    fps = rollouts.dataset.fps
    envelope = step_envelope(case.contract, fps)
    if not np.isfinite(envelope).all():
        return
    budget = np.array([joint.jump_p99 for joint in case.contract.joints]) * case.contract.fps / fps
    fade = max(round(LONGEST_FADE_S * fps), 1)
    chunks = [
        _Jumps.of(wanted, numbers, budget, envelope, fps, fade)
        for wanted, numbers in _chunked(rollouts, envelope, case.contract.chunk_size or LONGEST_CHUNK)
        if (np.diff(numbers) != 0).any()
    ]
    if not chunks:
        return
    before, after, within = (
        np.array([getattr(one, name) for one in chunks]) for name in ("before", "after", "within")
    )
    yield Measurement(
        name="chunks handed over without a jump",
        distances=(
            InputDistance(
                "the step at seams, in demonstrated ones,",
                float(np.median(before)),
                float(np.median(after)),
                float(np.median(within)),
                HARMFUL_TIMES,
                interval_of_median(before),
            ),
        ),
        moved=before - after,
        moving="steps at seams shrink by {:.2f} demonstrated ones (99 of 100 stay below that)",
        command="regrasp rollout CHECKPOINT --station STATION --handover",
    )


def _chunked(rollouts: Rollouts, envelope: Array, longest: int) -> Iterator[tuple[Array, NDArray[np.int64]]]:
    """What was wanted in each episode [N, J], and the number of its chunk [N]."""
    if len(rollouts.ticks):
        for episode in rollouts.episodes:
            ticks = rollouts.ticks.of(episode.index)
            yield wanted_commands(ticks), ticks.chunk
        return
    found = found_seams(rollouts.episodes, envelope, min(longest, LONGEST_CHUNK))
    if found is None or not found.every:
        return
    for episode in rollouts.episodes:
        yield episode.actions, np.arange(episode.length) // found.every


@dataclass(frozen=True)
class _Jumps:
    """Largest steps of an episode in envelopes, 95th percentiles: at seams, after seams handed over, and in chunks."""

    before: float
    after: float
    within: float

    @classmethod
    def of(
        cls, wanted: Array, chunks: NDArray[np.int64], budget: Array, envelope: Array, fps: float, fade: int
    ) -> "_Jumps":
        handed = _handed_over(wanted, chunks, budget, fps)
        plain, smooth = (np.abs(np.diff(track, axis=0)) / envelope for track in (wanted, handed))
        seams = np.flatnonzero(np.diff(chunks))
        after = [smooth[seam : seam + fade].max() for seam in seams]
        within = np.delete(plain, seams, axis=0).max(axis=1)
        return cls(
            float(np.quantile(plain[seams].max(axis=1), 0.95)),
            float(np.quantile(after, 0.95)),
            float(np.quantile(within, 0.95)) if len(within) else 0.0,
        )


def _handed_over(wanted: Array, chunks: NDArray[np.int64], budget: Array, fps: float) -> Array:
    """The same commands [N, J] through the hand-over."""
    policy = HandOver(_Recorded(wanted, chunks), fps, budget)
    policy.reset()
    return np.stack([policy.decide({}).action for _ in wanted])


class _Recorded:
    """A policy that wants once more what it wanted."""

    def __init__(self, wanted: Array, chunks: NDArray[np.int64]) -> None:
        self._wanted, self._chunks, self._tick = wanted, chunks, -1

    def reset(self) -> None:
        """Begin anew."""
        self._tick = -1

    def decide(self, observation: Mapping[str, Any]) -> Decision:
        """The next command, whatever is seen."""
        self._tick += 1
        return Decision(self._wanted[self._tick], float("nan"), int(self._chunks[self._tick]), 0)
