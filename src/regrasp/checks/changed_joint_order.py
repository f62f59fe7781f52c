"""The robot's joints have other names, or come in another order, than in training.

## What it detects
A robot that reports its joints in another order than the training data have them, or under other names.

## Why it matters
A policy is given a row of numbers. With two joints exchanged it takes the wrist for the elbow, and its commands go to
the wrong motors: the first one may fold the arm into itself. LeRobot 0.6.1 compares how many joints there are, and
nothing else.

## How it decides
The names are compared place by place, `.pos` left out.

## What can fool it
Motors whose numbers were exchanged while the names stayed: then the arm seems to stand in a pose that it is not in,
which start-pose-shift sees.

## How to fix it
Drive the arm with the robot type that the training data were recorded with, or give a driver of your own the order
that the finding names.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where, count
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR)
def changed_joint_order(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """The names of the robot's joints, against those of the training data."""
    if contract.recovered:
        raise Undecided("the checkpoint's own files do not tell the names of its joints")
    if not live.joint_names:
        raise Undecided("the robot does not tell the names of its joints")
    trained = contract.joint_names
    if live.joint_names == trained:
        return
    moved = sum(one != other for one, other in zip(trained, live.joint_names, strict=False))
    moved += abs(len(trained) - len(live.joint_names))
    yield Finding(
        summary=f"{_difference(trained, live.joint_names)}: {', '.join(live.joint_names)}; "
        f"the training data have {', '.join(trained)}.",
        where=Where(),
        evidence=(Evidence(f"{count(moved, 'place')} that differ", moved, 0),),
        fix=Fix(
            f"Use the robot type of the training data ({contract.robot_type or 'unknown'}), whose joints come as "
            f"{', '.join(trained)}."
        ),
    )


def _difference(trained: tuple[str, ...], found: tuple[str, ...]) -> str:
    """What is different, in a few words."""
    if sorted(trained) == sorted(found):
        return "The robot's joints come in another order"
    if len(trained) != len(found):
        return f"The robot has {count(len(found), 'joint')}"
    return "The robot's joints have other names"
