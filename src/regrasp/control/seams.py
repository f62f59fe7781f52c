"""Seams between action chunks: handed over without a jump, and planned ahead where a query takes time.

`HandOver` wraps any policy that acts in chunks. At a seam the new chunk begins somewhere else than the old one would
have gone on; the difference is added to the new actions and fades away over a few ticks, as many as it takes for the
fade itself to stay within the demonstrations' own steps. A seam that comes before the last difference has faded goes on
fading: a policy that is asked in every tick is followed, too.

`Ahead` asks for the next chunk before the present one is used up, and goes on with the present one meanwhile. The part
of the new chunk that belongs to that time is left out, so that an action is always sent at the moment it was meant for.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.control.loop import Decision, Policy
from regrasp.errors import UsageError

IN_TIME = 0.3
"""A query that takes no more than this share of a tick is made between two commands, and delays none."""

FADE_SHARE = 0.5
"""Share of the demonstrations' one-step envelope that a fade may add to the policy's own steps."""

LEAST_FADE_DEG = 0.5
"""A fade may always move a joint so far in a tick; demonstrations that hold a joint still would allow none."""

LONGEST_FADE_S = 0.5
"""After this a difference has faded, whatever its size: the gate bounds what is left of the jump."""

USUAL_STEP_DEG = 3.0
"""One-step envelope where no contract tells one: the least of what demonstrations step (3 to 13 degrees)."""


class HandOver:
    """A chunking policy without jumps at its seams.

    Args:
        policy: Tells its chunks apart by `Decision.chunk`.
        fps: Ticks per second.
        step: One-step envelope of the demonstrations, 99th percentile, shape [J]; None where unknown.
    """

    def __init__(self, policy: Policy, fps: float, step: NDArray[np.float64] | None = None) -> None:
        self.policy = policy
        self._fps = fps
        self._budget = None if step is None else np.maximum(FADE_SHARE * step, LEAST_FADE_DEG)
        self._forget()

    def reset(self) -> None:
        """Forget the episode before."""
        self.policy.reset()
        self._forget()

    def decide(self, observation: Mapping[str, Any]) -> Decision:
        """The policy's decision, with what is left of the last seam's difference added."""
        decision = self.policy.decide(observation)
        if not _is_sound(decision.action):
            return decision  # for the gate to refuse
        if decision.chunk != self._chunk:
            self._take_over(decision.action)
        offset = self._left()
        self._fading = bool(np.any(offset))
        action = decision.action + offset
        self._expect(decision, action, offset)
        return replace(decision, action=action)

    def _forget(self) -> None:
        self._due: NDArray[np.float64] | None = None
        self._last: NDArray[np.float64] | None = None
        self._offset: NDArray[np.float64] | None = None
        self._chunk, self._age, self._ticks, self._going_on = -1, 0, 1, False
        self._fading = False

    def _take_over(self, begins: NDArray[np.float64]) -> None:
        """Note the difference between where the old chunk would have gone on and where the new one begins.

        Nothing is taken over where the old chunk does not tell where it would have gone.
        """
        self._offset = None
        if self._due is None or not _is_sound(self._due) or self._due.shape != begins.shape:
            return
        self._offset, self._going_on = self._due - begins, self._fading
        budget = FADE_SHARE * USUAL_STEP_DEG if self._budget is None else self._budget
        # A cosine is steepest in its middle, where it falls by pi / 2 of its height over its length; a sine at its start.
        needed = float(np.max(np.abs(self._offset) / budget)) * np.pi / 2
        self._ticks = int(np.clip(np.ceil(needed), 1, max(round(LONGEST_FADE_S * self._fps), 1)))
        self._age = 1 if self._going_on else 0

    def _left(self) -> NDArray[np.float64] | float:
        """What is left of the difference in this tick."""
        if self._offset is None or self._age >= self._ticks:
            return 0.0
        turned = np.pi * self._age / self._ticks
        share = 1.0 - np.sin(turned / 2) if self._going_on else 0.5 * (1.0 + np.cos(turned))
        self._age += 1
        return share * self._offset

    def _expect(
        self, decision: Decision, action: NDArray[np.float64], offset: NDArray[np.float64] | float
    ) -> None:
        """Note where this chunk would go on: by its own plan where it has one left, else at the pace it has."""
        if decision.plan is not None and len(decision.plan) > 1:
            self._due = decision.plan[1] + offset
        elif self._last is not None and decision.chunk == self._chunk:
            self._due = 2 * action - self._last
        else:
            self._due = None
        self._last, self._chunk = action, decision.chunk


class Ahead:
    """A policy that is asked for its next chunk while the present one still lasts.

    Args:
        policy: Must give a whole new chunk as `Decision.plan` each time it is asked (`n_action_steps=1`).
        execute: Actions of a chunk that are sent.
        delay: Ticks between the question and the first action of its answer that is sent; 1 or more.
        background: Ask in a thread, as on a real arm; else the question is answered at once and used `delay` ticks
            later, as in a simulation whose time stands still meanwhile.

    Attributes:
        underruns: How often the answer was not there in time, and the loop waited.
    """

    def __init__(self, policy: Policy, *, execute: int, delay: int, background: bool) -> None:
        self.policy = policy
        self.underruns = 0
        self._execute, self._delay = execute, delay
        self._threads = ThreadPoolExecutor(1, "plan-ahead") if background else None
        self._asked: Future[Decision] | None = None
        self._forget()

    def reset(self) -> None:
        """Forget the episode before."""
        if self._asked is not None:
            self._asked.cancel()
            _wait_for(self._asked)
        self.policy.reset()
        self._forget()

    def close(self) -> None:
        """End the thread."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def decide(self, observation: Mapping[str, Any]) -> Decision:
        """The action for this tick, of the chunk that is in force."""
        inference_ms = float("nan")
        if self._plan is None:
            inference_ms = self._begin(self.policy.decide(observation), 0)
        elif self._position >= self._delay_of_chunk + self._execute:
            assert self._asked is not None
            self.underruns += not self._asked.done()
            inference_ms = self._begin(self._asked.result(), self._delay)
        if self._position == self._delay_of_chunk + self._execute - self._delay:
            self._asked = self._ask(observation)
        assert self._plan is not None
        decision = Decision(
            self._plan[self._position],
            inference_ms,
            self._chunk,
            self._position,
            self._plan[self._position :],
        )
        self._position += 1
        return decision

    def _forget(self) -> None:
        self._plan: NDArray[np.float64] | None = None
        self._asked = None
        self._chunk, self._position, self._delay_of_chunk = -1, 0, 0

    def _begin(self, answer: Decision, skipped: int) -> float:
        """Take a new chunk, without the actions that belong to the past; gives the time of the query."""
        if answer.plan is None or len(answer.plan) < skipped + self._execute:
            raise UsageError(
                f"Found a plan of {0 if answer.plan is None else len(answer.plan)} actions; expected "
                f"{skipped + self._execute} to plan ahead. Run with --no-handover."
            )
        self._plan, self._chunk = answer.plan, self._chunk + 1
        self._position = self._delay_of_chunk = skipped
        return answer.inference_ms

    def _ask(self, observation: Mapping[str, Any]) -> Future[Decision]:
        if self._threads is not None:
            return self._threads.submit(self.policy.decide, observation)
        answered: Future[Decision] = Future()
        answered.set_result(self.policy.decide(observation))
        return answered


@dataclass(frozen=True)
class Horizon:
    """How a chunk is used.

    Attributes:
        chunk: Actions that the policy predicts at once.
        execute: Actions sent before the next chunk takes over.
        delay: Ticks by which a chunk is asked for ahead; 0 asks between two commands.
    """

    chunk: int
    execute: int
    delay: int


def choose_horizon(
    latency_s: float, fps: float, chunk_size: int, *, trained: int | None = None, execute: int | None = None
) -> Horizon:
    """How many actions of a chunk to send, and how far ahead to ask, for a query that takes `latency_s`.

    A chunk asked for d ticks ahead must last for the actions that are sent and for the d that are skipped, and there
    must be time for one question after another: execute + d <= chunk, and d <= execute.

    Args:
        latency_s: Time of a query, at its slow end (95th percentile).
        fps: Ticks per second.
        chunk_size: Actions that the policy predicts at once.
        trained: Actions per query that the policy was trained to send; kept where that can be done.
        execute: Actions per query that somebody asks for.

    Raises:
        UsageError: No pair, or not the one that is asked for, can keep up.

    Example:
        >>> choose_horizon(0.19, 30, 30, execute=20)
        Horizon(chunk=30, execute=20, delay=6)
        >>> choose_horizon(0.004, 30, 40, trained=20)
        Horizon(chunk=40, execute=20, delay=0)
    """
    delay = 0 if latency_s * fps <= IN_TIME else int(np.ceil(latency_s * fps))
    said = f"A query takes {1000 * latency_s:.0f} ms, which is {latency_s * fps:.1f} ticks at {fps:g} Hz"
    if 2 * delay > chunk_size:
        raise UsageError(
            f"{said}; a chunk of {chunk_size} actions cannot bridge that, expected {2 * delay} or more. Train with a "
            "larger chunk_size, run the policy on a faster device, or lower the station's fps and train for it."
        )
    if execute is None:
        execute = int(np.clip(trained or chunk_size, max(delay, 1), chunk_size - delay))
    if execute < max(delay, 1) or execute + delay > chunk_size:
        raise UsageError(
            f"{said}; sending {execute} of {chunk_size} actions per query cannot keep up, expected "
            f"{max(delay, 1)} to {chunk_size - delay}. Try --n-action-steps "
            f"{int(np.clip(execute, max(delay, 1), chunk_size - delay))}."
        )
    return Horizon(chunk_size, execute, delay)


def seam_jumps(
    chunks: NDArray[np.int64], commands: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Largest step over all joints at the seams of one episode, and elsewhere; degrees.

    Args:
        chunks: Number of the chunk of each tick, shape [n].
        commands: What was sent, shape [n, J].
    """
    steps = np.abs(np.diff(commands, axis=0)).max(axis=1)
    at_seam = np.diff(chunks) != 0
    return steps[at_seam], steps[~at_seam]


def _is_sound(action: object) -> bool:
    """Whether an action is a row of finite numbers."""
    return (
        isinstance(action, np.ndarray)
        and action.ndim == 1
        and action.dtype.kind in "fiu"
        and bool(np.isfinite(action).all())
    )


def _wait_for(asked: Future[Decision]) -> None:
    """Let a question that is being answered come to its end, whatever the answer."""
    if not asked.cancelled():
        asked.exception()
