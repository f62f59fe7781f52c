"""How many actions a policy predicts and carries out at once: from the demonstrations' motion and the latency."""

import math
from dataclasses import dataclass

import numpy as np

from regrasp.data.checkpoint import Checkpoint
from regrasp.data.dataset import Dataset
from regrasp.training.motion import foreseeable_frames
from regrasp.training.policies import Kind
from regrasp.training.reasons import Reason

SHORTEST_S, LONGEST_S = 0.5, 1.0
"""Time that is carried out before the policy is asked again. A third of a second gave an SO-101 jumps of 10 to 26
degrees at the seams, where its demonstrations had 3 to 13; long open loops lose 20 points where something moves
(arXiv 2408.17355: 0.80 asked at each step, 0.58 at each eighth)."""

PADDED = 0.1
"""Share of a chunk's targets that may lie beyond the end of an episode, on average."""

WAITING = 0.1
"""Share of the time that an arm may stand still, waiting for its policy."""


@dataclass(frozen=True)
class Chunks:
    """Frames that are predicted at once and carried out before the next query; None where a policy has no such option.

    `options` are those of `lerobot-train` that give the policy these numbers; none where they are its own.
    """

    size: int | None = None
    execute: int | None = None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def choose_chunks(
    data: Dataset, kind: Kind, checkpoint: Checkpoint | None, latency_ms: float | None
) -> Chunks:
    """For a training on `data`, from scratch or on from a checkpoint, with so much time from a picture to the answer."""
    if kind.chunk is None:
        why = f"not planned for {kind.name}; its own preset stays"
        return Chunks(reasons=(Reason("chunk_size", None, why),))
    execute, why = _foreseen(data, latency_ms)
    delay = _frames(latency_ms or 0.0, data.fps)
    wanted = execute + max(delay, math.ceil(execute / 2))
    longest = _longest(data)
    size, size_why = min(wanted, longest), _size_why(data.fps, execute, delay, latency_ms)
    if checkpoint is not None and checkpoint.chunk_size:
        size, size_why = checkpoint.chunk_size, "the checkpoint's: another one would not fit its parameters"
    elif kind.chunk_why:
        size, size_why = kind.chunk, kind.chunk_why
    elif wanted > longest:
        size_why = f"no longer, since episodes are short: beyond it, {PADDED:.0%} of the targets are padding"
    if kind.name == "keypoint" and checkpoint is None:
        execute, why = kind.execute or execute, kind.chunk_why
    execute = min(execute, size)
    return Chunks(
        size,
        execute,
        (
            Reason("chunk_size", size, size_why, "frames"),
            Reason("n_action_steps", execute, why, "frames"),
        ),
        _too_late(size, execute, delay, latency_ms),
        _options(size, execute, kind, checkpoint),
    )


def _foreseen(data: Dataset, latency_ms: float | None) -> tuple[int, str]:
    """Actions to carry out before the next query, and why so many."""
    shortest, longest = math.ceil(SHORTEST_S * data.fps), math.floor(LONGEST_S * data.fps)
    delay = _frames(latency_ms or 0.0, data.fps)
    patient = min(longest, math.ceil(delay * (1 - WAITING) / WAITING))
    known = foreseeable_frames(data)
    if known is None:
        execute, why = round(2 / 3 * data.fps), "two thirds of a second: the motion tells no length"
    else:
        execute = min(max(known, shortest), longest)
        why = f"after {known} frames the demonstrations' motion has lost its relation to the present"
        if execute != known:
            bound = "at least" if known < shortest else "at most"
            why += f"; {bound} {execute / data.fps:.1f} s"
    if patient > execute:
        execute = patient
        why = f"so that the arm waits for at most {WAITING:.0%} of the time with {latency_ms:.0f} ms a query"
    return max(1, execute), why


def _size_why(fps: float, execute: int, delay: int, latency_ms: float | None) -> str:
    slack = max(delay, math.ceil(execute / 2))
    known = (
        "not measured: --latency-ms or --measure" if latency_ms is None else f"latency {latency_ms:.0f} ms"
    )
    room = f"{1000 * slack / fps:.0f} ms; {known}"
    return f"{execute} carried out and {slack} more for the time a query takes ({room})"


def _longest(data: Dataset) -> int:
    """Frames of which `PADDED` lie beyond the end, averaged over a usual episode: (chunk - 1) / 2 of its length."""
    middle = float(np.median([episode.length for episode in data.episodes]))
    return max(2, 1 + math.floor(2 * PADDED * middle))


def _too_late(size: int, execute: int, delay: int, latency_ms: float | None) -> tuple[str, ...]:
    """A warning where a query takes longer than the chunk has to spare."""
    if latency_ms is None or delay <= min(size - execute, execute):
        return ()
    return (
        f"A query takes {latency_ms:.0f} ms, which is {delay} frames; the chunk has {size - execute} to spare beyond the "
        f"{execute} carried out. The arm will stand still while it waits: use smaller images, a faster machine or a "
        "longer chunk.",
    )


def _options(size: int, execute: int, kind: Kind, own: Checkpoint | None) -> tuple[str, ...]:
    """Those that give the policy these chunks; none where they are its own."""
    its_size, its_execute = (own.chunk_size, own.n_action_steps) if own else (kind.chunk, kind.execute)
    options: list[str] = []
    if size != its_size:
        options.append(f"--policy.chunk_size={size}")
    if execute != its_execute or options:
        options.append(f"--policy.n_action_steps={execute}")
    return tuple(options)


def _frames(milliseconds: float, fps: float) -> int:
    """Frames that begin within so much time."""
    return math.ceil(milliseconds * fps / 1000 - 1e-9)
