"""The arm is driven at another rate than it was recorded at.

## What it detects
A station whose `fps` is not that of the training data; rollouts recorded at another one; a loop that was to run at the
right one and, by the clock, did not.

## Why it matters
A policy knows no seconds: it plans the next frames. At a third of the rate, the same plan takes three times as long,
and servos that followed 30 small steps a second now jump and stop at each of ten large ones. LeRobot 0.6.1
runs a policy at whatever `--fps` says, without a word.

## How it decides
The two numbers are compared; they may differ by `max_share`. In rollouts with ticks the times of the turns are looked
at too: without the time that the loop waited for the policy (that is `late-inference`), it must reach `least_share` of
the training's rate. Rollouts of a real arm without these times are undecided where the numbers agree. `regrasp
diagnose` asks the policy for its plans, and compares where the arm is by them, moment by moment, at either rate.

## What can fool it
The rate of a dataset is what its file says. LeRobot writes the time of a frame as its number over that rate, so a
recording that ran slower looks the same; the training data are taken at their word.

## How to fix it
Give the station file the rate of the training data, or train on data that were recorded at the station's rate. A loop
that does not hold its rate: close what else the machine does, give each camera a USB port of its own, or ask for smaller
pictures.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.loop_signals import LEAST_SHARE, LoopTime, loop_times
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

MAX_SHARE = 0.01
"""Of the training's rate. Cameras call 29.97 frames a second 30."""


@check(severity=Severity.ERROR)
def rate_mismatch(contract: "Contract", live: LiveView, *, max_share: float = MAX_SHARE) -> Iterator[Finding]:
    """The station's rate, against that of the training data."""
    yield from _mismatch(contract, live.fps, max_share, "The station runs", Where())


@check(severity=Severity.ERROR)
def rate_mismatch_deployed(
    contract: "Contract",
    rollouts: Rollouts,
    *,
    max_share: float = MAX_SHARE,
    least_share: float = LEAST_SHARE,
) -> Iterator[Finding]:
    """The rate of the rollouts, on file and by the clock, against that of the training data."""
    episodes = tuple(episode.index for episode in rollouts.episodes)
    wrong = list(_mismatch(contract, rollouts.dataset.fps, max_share, "The rollouts ran", Where(episodes)))
    if wrong:
        yield from wrong
        return
    times = loop_times(rollouts)
    if not times and not rollouts.dataset.is_twin:
        raise Undecided(
            f"the rollouts are at the training's {contract.fps:g} Hz on file, but do not hold the times of the loop"
        )
    yield from _fallen_behind(times, contract.fps, least_share)


def _fallen_behind(times: Sequence[LoopTime], fps: float, least_share: float) -> Iterator[Finding]:
    slow = [one for one in times if one.apart_hz < least_share * fps]
    if slow:
        slowest = min(one.apart_hz for one in slow)
        yield Finding(
            summary=f"The loop was to run at {fps:g} Hz, as in training, and ran at {slowest:.3g} Hz at worst, "
            f"though it did not wait for the policy.",
            where=Where(tuple(one.episode for one in slow)),
            evidence=(Evidence("rate by the clock", round(slowest, 2), round(least_share * fps, 2), "Hz"),),
            fix=Fix("Relieve the machine: other programs, cameras on one USB hub, large pictures."),
        )


def _mismatch(
    contract: "Contract", fps: float, max_share: float, what: str, where: Where
) -> Iterator[Finding]:
    if not math.isfinite(contract.fps):
        raise Undecided("the checkpoint's own files do not tell the rate of its training data")
    if abs(fps - contract.fps) > max_share * contract.fps:
        yield Finding(
            summary=f"{what} at {fps:g} Hz; the training data have {contract.fps:g} Hz.",
            where=where,
            evidence=(Evidence("rate", fps, contract.fps, "Hz"),),
            fix=Fix(f"Set `fps: {contract.fps:g}` in the station file."),
        )
