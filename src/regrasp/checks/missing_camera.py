"""The station lacks a camera that the policy was trained with.

## What it detects
A camera of the contract of which the station gives no picture, or rollouts hold none; and, as worth knowing, cameras
that the policy was not trained with.

## Why it matters
A policy that is given fewer pictures than it learned from has never seen such a case. SmolVLA in LeRobot 0.6.1
skips a missing camera without a word; others stop with an error in the first step.

## How it decides
The names of the contract's cameras are looked for among those of the station's pictures. For rollouts,
`regrasp diagnose` blanks the camera in training starts and measures how far the plan moves.

## What can fool it
A camera under another name: then it is both missing and extra, and the fix names it.

## How to fix it
Plug the camera in, and give it the name of the training in the station file.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where, count
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR)
def missing_camera(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """The cameras of the training, one by one; and those that are too many."""
    extra = [name for name in live.images if name not in contract.camera_names]
    for name in contract.camera_names:
        if name not in live.images:
            yield _missing(name, contract, live, extra)
    if extra and not contract.blind and set(contract.camera_names) <= set(live.images):
        yield Finding(
            summary=f"The policy was not trained with {_named(extra)}, and is not shown it.",
            where=Where(camera=extra[0] if len(extra) == 1 else None),
            evidence=(Evidence(f"{count(len(extra), 'camera')} too many", len(extra), 0),),
            fix=Fix("Nothing needs doing; taking it out of the station file saves time."),
            severity=Severity.INFO,
        )


@check(severity=Severity.ERROR, explains=("dark-camera",))
def missing_camera_deployed(contract: "Contract", rollouts: Rollouts) -> Iterator[Finding]:
    """The cameras of the training of which rollouts hold no picture."""
    for name in contract.camera_names:
        lacking = tuple(episode.index for episode in rollouts.episodes if name not in episode.cameras)
        if lacking:
            yield Finding(
                summary=f"{len(lacking)} of {count(len(rollouts.episodes), 'rollout')} lack camera '{name}', "
                "which the policy was trained with.",
                where=Where(lacking, camera=name),
                evidence=(Evidence("rollouts without it", len(lacking), 0),),
                fix=Fix(f"Plug camera '{name}' in, and give it this name in the station file."),
            )


def _missing(name: str, contract: "Contract", live: LiveView, extra: list[str]) -> Finding:
    there = sum(one in live.images for one in contract.camera_names)
    instead = f", or name {_named(extra)} so in the station file" if extra else ""
    return Finding(
        summary=f"The station has no camera '{name}', which the policy was trained with.",
        where=Where(camera=name),
        evidence=(Evidence("cameras of the training that are here", there, len(contract.camera_names)),),
        fix=Fix(f"Plug camera '{name}' in{instead}."),
    )


def _named(names: list[str]) -> str:
    return " and ".join(f"camera '{name}'" for name in names)
