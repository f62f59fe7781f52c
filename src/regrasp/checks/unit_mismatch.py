"""The station's joints are in another unit than those of the training data.

## What it detects
A station that reports degrees to a policy trained on LeRobot's scale of -100 to 100, or the other way round; one that
reports radians or counts of the encoder; rollouts recorded so.

## Why it matters
LeRobot's option `use_degrees` has had both defaults, so the same arm can be either. At the folded home pose the two
scales differ by few units, at the table by many: the arm starts well and then reaches somewhere else. In
radians, the policy sees an arm that stands still in the middle of its range, and commands it by a fiftieth.

## How it decides
*By the option.* `use_degrees`, as the robot has it, is compared with the unit that the contract measured.

*By size.* Joints of which none leaves +-2 pi are in radians, unless the training data have such a pose too: then it
counts if they lie less than half as far from the training's starts when turned into degrees. Values beyond 500 are
counts. In rollouts, all their poses are taken together, and the steps of the encoder tell degrees from -100
to 100.

## What can fool it
An arm at its zero pose, where all units meet. A driver of one's own that has another scale without an option for it: that
is left undecided, unless its values are too large for -100 to 100.

## How to fix it
Set `use_degrees` in the station file to what the training data have. They cannot be mixed: data in the other unit
are recorded again, or converted.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import TWIN_ROBOT
from regrasp.data.joint_units import FULL_SCALE, body_unit
from regrasp.data.measures import body_joints
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.unit_signals import FITS_BETTER, LARGEST_RADIANS, LEAST_COUNTS

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

WORDS = {
    "deg": "degrees",
    "-100..100": "the scale of -100 to 100",
    "rad": "radians",
    "counts": "counts of the encoder",
    "unknown": "an unknown unit",
}
"""Units in words."""


@check(severity=Severity.ERROR, explains=("start-pose-shift",))
def unit_mismatch(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """The unit of the robot's joints, against that of the training data."""
    trained = _trained_unit(contract)
    body = _body_of(live, contract)
    found = _by_size(contract, body, trained)
    said = _said(live) or ("deg" if _largest(body) > FULL_SCALE else None)
    if found is None and said is not None and trained != "unknown" and said != trained:
        found = said
    if found is not None and found != trained:
        yield _finding(contract, trained, found, body, Where())
    elif trained == "unknown":
        raise Undecided("the training data do not tell the unit of their joints")
    elif said is None and trained != "rad":
        raise Undecided("the robot has no option use_degrees, and its pose does not tell")


@check(severity=Severity.ERROR, explains=("start-pose-shift", "calibration-offset"))
def unit_mismatch_deployed(contract: "Contract", rollouts: Rollouts) -> Iterator[Finding]:
    """The unit of the joints in the rollouts, against that of the training data."""
    if not rollouts.episodes:
        raise Undecided("needs at least one rollout")
    trained, data = _trained_unit(contract), rollouts.dataset
    body = data.states[:, body_joints(data.joint_names)]
    found = _by_size(contract, body, trained)
    if found is None:
        found = "deg" if data.is_twin else body_unit(data)
    if "unknown" in (found, trained):
        raise Undecided("the numbers do not tell the unit of the joints")
    if found != trained:
        episodes = tuple(episode.index for episode in rollouts.episodes)
        yield _finding(contract, trained, found, body, Where(episodes))


def _trained_unit(contract: "Contract") -> str:
    """Unit of the joints but the gripper."""
    units = [joint.unit for joint in contract.joints if joint.unit != "0-100"]
    return units[0] if units else "unknown"


def _body_of(live: LiveView, contract: "Contract") -> NDArray[np.float64]:
    """The robot's joints but the gripper; shape [1, J]."""
    names = live.joint_names or contract.joint_names
    if len(names) != len(live.joints):
        raise Undecided(f"the robot reports {len(live.joints)} joints and {len(names)} names")
    return live.joints[None, body_joints(names)]


def _said(live: LiveView) -> str | None:
    """The unit by the robot's own option; the twin's is degrees."""
    degrees = live.robot.get("use_degrees", True if live.robot_type == TWIN_ROBOT else None)
    return None if degrees is None else "deg" if degrees else "-100..100"


def _by_size(contract: "Contract", body: NDArray[np.float64], trained: str) -> str | None:
    """The unit where the size of the numbers alone tells that it is another than the training's."""
    largest = _largest(body)
    if trained == "rad":
        return "counts" if largest > LEAST_COUNTS else "deg" if largest > LARGEST_RADIANS else None
    if largest > LEAST_COUNTS:
        return "counts"
    if largest > LARGEST_RADIANS:
        return None
    return "rad" if _smallest_pose(contract) > LARGEST_RADIANS or _fits_in_radians(contract, body) else None


def _smallest_pose(contract: "Contract") -> float:
    """How far the joint that is farthest from zero was, in the training's pose nearest to zero; 0 when not known."""
    sample = np.array(contract.state_sample)
    if not sample.size:
        return 0.0
    return float(np.abs(sample[:, body_joints(contract.joint_names)]).max(axis=1).min())


def _fits_in_radians(contract: "Contract", body: NDArray[np.float64]) -> bool:
    """Whether poses lie nearer to the training's starts by half when they are turned into degrees."""
    starts = np.array([contract.joints[place].start_mean for place in body_joints(contract.joint_names)])
    if starts.shape != body.shape[1:] or not np.isfinite(starts).all():
        return False
    as_is, converted = (
        float(np.nan_to_num(np.abs(pose[0] - starts)).mean()) for pose in (body, np.rad2deg(body))
    )
    return converted < FITS_BETTER * as_is


def _largest(body: NDArray[np.float64]) -> float:
    return float(np.nan_to_num(np.abs(body)).max(initial=0.0))


def _finding(
    contract: "Contract", trained: str, found: str, body: NDArray[np.float64], where: Where
) -> Finding:
    low, high = (round(bound, 1) for bound in _trained_range(contract))
    known = "another unit" if trained == "unknown" else WORDS[trained]
    option = {"deg": "true", "-100..100": "false"}.get(trained)
    fix = f"Set `use_degrees: {option}` for the robot in the station file." if option else ""
    return Finding(
        summary=f"The station's joints are in {WORDS[found]}; the training data are in {known}.",
        where=where,
        evidence=(Evidence("joint farthest from zero", round(_largest(body), 2), round(max(-low, high), 1)),),
        fix=Fix(fix or f"Use a driver that reports {known}, as in training."),
    )


def _trained_range(contract: "Contract") -> tuple[float, float]:
    """Lowest and highest value of the joints but the gripper in the training data."""
    body = [contract.joints[place] for place in body_joints(contract.joint_names)]
    return min(joint.low for joint in body), max(joint.high for joint in body)
