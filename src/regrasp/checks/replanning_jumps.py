"""The arm is jerked at each seam, where one action chunk takes over from another.

## What it detects
Rollouts in which the first action of a chunk lies far from the last action of the chunk before: farther than
demonstrations step from one frame to the next, and than the policy itself steps within its chunks.

## Why it matters
A policy that acts in chunks plans anew every so often, from another picture, and its new plan need not begin where the
old one was. LeRobot sends it as it is. Chunks of 10 actions on an SO-101 jumped by 10 to 26 degrees where demonstrations
step 3 to 13: the arm shakes, the picture blurs, the toy is knocked away, and the next plan begins from there.

## How it decides
For each joint, the step that 19 of 20 seams stay below is compared with the step that 99 of 100 demonstrated ones stay
below (`jump_p99` of the contract, at the rate of the rollouts) and with what 19 of 20 steps within chunks stay below.
It is reported beyond `max_times` the first and twice the second. Ticks say where the seams are; without them, a
length of chunk is looked for at whose multiples large steps come again and again. Where steps are large and follow no
length, it is undecided. `regrasp diagnose` hands the recorded chunks over, and measures what is left of the jumps.

## What can fool it
A joint that demonstrations hardly moved has a small envelope; below `LEAST_STEP_DEG` nothing counts. Jumps that the
arm's own lag swallows do no harm: a policy may jump and succeed.

## How to fix it
Hand chunks over without a jump (`--handover`, which `regrasp rollout` does unless refused). Plan more actions than are
executed (a chunk of 30, of which 20), so that seams are few and no plan is used to its uncertain end.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.loop_signals import Steps, beyond, found_seams, seam_steps, step_envelope

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

MAX_TIMES = 2.0
"""Of the demonstrations' 99 % step. The worst joint of a policy on the twin that plans 40 actions jumps by 1.8 of it when
5 are executed, 1.6 with 10, 1.5 with 20 and 3.1 with 40, without the hand-over, and by 1.1 with 20 and the hand-over. It
succeeded from 9, 12, 10, 6 and 10 of 12 starts. The limit is a choice between 1.8 and 3.1."""

MAX_TIMES_WITHIN = 2.0
"""Of the policy's own steps within chunks: an arm that is fast everywhere does not jump at its seams."""

FEWEST_SEAMS = 20
"""Fewer tell no 95th percentile."""

LONGEST_CHUNK = 100
"""Actions of a chunk where the contract does not tell: the most that LeRobot's ACT plans."""

MOST_JOINTS = 3
"""Joints that a finding gives figures of, the worst first."""


@check(severity=Severity.WARNING)
def replanning_jumps(
    contract: "Contract", rollouts: Rollouts, *, max_times: float = MAX_TIMES
) -> Iterator[Finding]:
    """Steps of the commands at the seams between chunks, against those of the demonstrations and within chunks."""
    envelope = step_envelope(contract, rollouts.dataset.fps)
    if not np.isfinite(envelope).all():
        raise Undecided("the contract does not hold how far demonstrations step from one frame to the next")
    steps = seam_steps(rollouts) or _steps_without_ticks(contract, rollouts, envelope)
    if steps is None:
        return
    if len(steps.at_seams) < FEWEST_SEAMS:
        raise Undecided(f"needs {FEWEST_SEAMS} seams between chunks, got {len(steps.at_seams)}")
    at_seams = np.quantile(steps.at_seams, 0.95, axis=0)
    within = np.quantile(steps.within, 0.95, axis=0) if len(steps.within) else np.zeros_like(at_seams)
    jumping = (at_seams > max_times * envelope) & (at_seams > MAX_TIMES_WITHIN * within)
    if jumping.any():
        yield _finding(contract, rollouts, steps, at_seams, envelope, max_times, jumping)


def _steps_without_ticks(
    contract: "Contract", rollouts: Rollouts, envelope: NDArray[np.float64]
) -> Steps | None:
    """Steps at seams that the commands themselves tell; None where no command steps far anywhere."""
    episodes = rollouts.episodes
    found = found_seams(episodes, envelope, min(contract.chunk_size or LONGEST_CHUNK, LONGEST_CHUNK))
    if found is not None:
        return found
    steps = [np.abs(np.diff(episode.actions, axis=0)) for episode in episodes]
    if any(beyond(one, MAX_TIMES * envelope).any() for one in steps):
        raise Undecided(
            "the rollouts do not say where chunks begin, and their large steps follow no length of chunk"
        )
    return None


def _finding(
    contract: "Contract",
    rollouts: Rollouts,
    steps: Steps,
    at_seams: NDArray[np.float64],
    envelope: NDArray[np.float64],
    max_times: float,
    jumping: NDArray[np.bool_],
) -> Finding:
    limit = max_times * envelope
    times = np.where(jumping, at_seams / limit, 0.0)
    worst = np.argsort(-times)[: min(int(jumping.sum()), MOST_JOINTS)]
    joints, units = contract.joint_names, [joint.unit for joint in contract.joints]
    told = "" if steps.every is None else f" every {steps.every} frames"
    episodes = np.unique(steps.episodes[beyond(steps.at_seams[:, jumping], limit[jumping])])
    first = worst[0]
    return Finding(
        summary=f"Commands jump at the seams between chunks{told}: joint '{joints[first]}' by up to "
        f"{at_seams[first]:.1f} in 19 of 20 seams; 99 of 100 steps of the demonstrations stay below "
        f"{envelope[first]:.1f}.",
        where=Where(tuple(int(number) for number in episodes), joint=joints[first]),
        evidence=tuple(
            Evidence(f"step of {joints[place]} at seams", round(float(at_seams[place]), 2),
                     round(float(limit[place]), 2), units[place])
            for place in worst
        ),
        fix=_smoother(contract, rollouts, steps),
    )  # fmt: skip


def _smoother(contract: "Contract", rollouts: Rollouts, steps: Steps) -> Fix:
    """Hand over where that was off; else plan longer."""
    if rollouts.deployment.control.get("handover") == "on":
        return Fix("Train with a longer chunk than is executed: a chunk of 30 actions, of which 20.")
    return Fix("Hand chunks over without a jump.", "regrasp rollout CHECKPOINT --station STATION --handover")
