"""The arm is driven at another rate than it was recorded at.

## What it detects
A station whose `fps` is not that of the training data; rollouts recorded at another one.

## Why it matters
A policy knows no seconds: it plans the next frames. At a third of the rate, the same plan takes three times as long,
and servos that followed 30 small steps a second now jump and stop at each of ten large ones. LeRobot 0.6.1
runs a policy at whatever `--fps` says, without a word.

## How it decides
The two numbers are compared; they may differ by `max_share`.

## What can fool it
The rate of a dataset is what its file says. LeRobot writes the time of a frame as its number over that rate, so a
recording that ran slower looks the same.

## How to fix it
Give the station file the rate of the training data, or train on data that were recorded at the station's rate.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
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
    contract: "Contract", rollouts: Rollouts, *, max_share: float = MAX_SHARE
) -> Iterator[Finding]:
    """The rate of the rollouts, against that of the training data."""
    episodes = tuple(episode.index for episode in rollouts.episodes)
    yield from _mismatch(contract, rollouts.dataset.fps, max_share, "The rollouts ran", Where(episodes))


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
