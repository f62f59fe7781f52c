"""The arm starts in a pose that no demonstration started from.

## What it detects
A joint that stands, before a rollout or in its first frame, outside the poses in which the training episodes
began.

## Why it matters
The first plan of a policy is made in its start pose. Where no demonstration began, the plan is a guess, and
the arm may never come back to where it learned. In the project that Regrasp comes from, training started at
shoulder_pan -8 +- 3 and gripper 0.5 +- 0.3, rollouts anywhere between -145 and 14, gripper up to 40: success
0-33 %.

## How it decides
For each joint, the limits are the widest of three: the lowest and highest training start with `slack_deg`
added; the mean with `max_deviations` standard deviations to either side; the mean with `slack_deg`. A joint
beyond them is reported, in rollouts with the episodes concerned. A camera that rides on such an arm looks elsewhere
too, and is not reported beside it.

## What can fool it
A joint that reads wrong (calibrated anew, or a motor horn that slipped) looks the same as an arm that stands
wrong: look at the arm. Demonstrations that start all over the place allow nearly every pose, and say nothing.

## How to fix it
Bring the arm to the training's start pose, which the finding names, before each rollout (on the twin:
`--starts home`). Or record demonstrations that start from where the arm will.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract, JointContract

SLACK_DEG = 2.0
"""Degrees, gripper in hundredths of its range. A resting SO-101 returns to one pose within backlash and droop
of about 1 degree (`sim/imperfections.py` has the fitted figures); the encoder's step is 0.09."""

DEVIATIONS = 4.0
"""A sound start lies outside once in 16,000 joints, were starts normal."""

FEWEST_STARTS = 5
"""With fewer, the spread of the starts is not known."""


@check(severity=Severity.ERROR, explains=("moved-camera",))
def start_pose_shift(
    contract: "Contract", live: LiveView, *, slack_deg: float = SLACK_DEG, max_deviations: float = DEVIATIONS
) -> Iterator[Finding]:
    """The pose of the arm now, against the starts of the training."""
    _require_starts(contract)
    now = _by_name(contract, live)
    for joint in contract.joints:
        low, high = start_limits(joint, slack_deg=slack_deg, max_deviations=max_deviations)
        value = now[joint.name]
        if not low <= value <= high:
            yield Finding(
                summary=f"Joint '{joint.name}' stands at {value:.1f}; "
                f"training allows starts from {low:.1f} to {high:.1f}.",
                where=Where(joint=joint.name),
                evidence=(_beyond(joint, value, low, high),),
                fix=_home(contract),
            )


@check(severity=Severity.ERROR, explains=("moved-camera",))
def start_pose_shift_deployed(
    contract: "Contract",
    rollouts: Rollouts,
    *,
    slack_deg: float = SLACK_DEG,
    max_deviations: float = DEVIATIONS,
) -> Iterator[Finding]:
    """The first frame of each rollout, against the starts of the training."""
    _require_starts(contract)
    if not rollouts.episodes:
        raise Undecided("needs at least one rollout")
    starts = np.stack([episode.states[0] for episode in rollouts.episodes])
    if starts.shape[1] != len(contract.joints):
        raise Undecided(
            f"the rollouts have {starts.shape[1]} joints, the contract has {len(contract.joints)}"
        )
    for place, joint in enumerate(contract.joints):
        low, high = start_limits(joint, slack_deg=slack_deg, max_deviations=max_deviations)
        values = starts[:, place]
        outside = (values < low) | (values > high)  # what is no number is told by nan-values
        if outside.any():
            worst = values[outside][np.argmax(np.abs(values[outside] - joint.start_mean))]
            yield Finding(
                summary=f"Joint '{joint.name}' started outside {low:.1f} to {high:.1f} in "
                f"{int(outside.sum())} of {len(values)} rollouts; they went from {np.nanmin(values):.1f} to "
                f"{np.nanmax(values):.1f}.",
                where=Where(
                    episodes=tuple(e.index for e, out in zip(rollouts.episodes, outside, strict=True) if out),
                    joint=joint.name,
                ),
                evidence=(_beyond(joint, float(worst), low, high),),
                fix=_home(contract),
            )


def start_limits(
    joint: "JointContract", *, slack_deg: float = SLACK_DEG, max_deviations: float = DEVIATIONS
) -> tuple[float, float]:
    """Lowest and highest start that counts as sound."""
    slack = np.deg2rad(slack_deg) if joint.unit == "rad" else slack_deg
    reach = max(max_deviations * joint.start_std, slack)
    low = min(joint.start_low - slack, joint.start_mean - reach)
    high = max(joint.start_high + slack, joint.start_mean + reach)
    return low, high


def _require_starts(contract: "Contract") -> None:
    if contract.recovered:
        raise Undecided("the checkpoint's own files do not tell where its training episodes began")
    if contract.episodes < FEWEST_STARTS:
        raise Undecided(f"needs the starts of {FEWEST_STARTS} training episodes, got {contract.episodes}")


def _by_name(contract: "Contract", live: LiveView) -> Mapping[str, float]:
    names = live.joint_names or contract.joint_names
    missing = [joint for joint in contract.joint_names if joint not in names]
    if missing or len(names) != len(live.joints):
        raise Undecided(f"the robot does not report joint '{(missing or ['?'])[0]}'")
    return dict(zip(names, (float(value) for value in live.joints), strict=True))


def _beyond(joint: "JointContract", value: float, low: float, high: float) -> Evidence:
    unit = "deg" if joint.unit == "deg" else ""
    return Evidence(f"{joint.name} at start", round(value, 2), round(low if value < low else high, 2), unit)


def _home(contract: "Contract") -> Fix:
    pose = ", ".join(f"{joint.name} {joint.start_mean:.1f}" for joint in contract.joints)
    command = "regrasp rollout CHECKPOINT --station STATION --starts home" if contract.is_twin else None
    return Fix(f"Drive the arm to {pose} before each rollout.", command)
