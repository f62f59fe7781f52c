"""The arm was calibrated anew since the training data were recorded.

## What it detects
A robot whose calibration is not the one that the contract names.

## Why it matters
Calibration says which count of an encoder is which angle. Made again by hand, it moves every joint's zero by as much as
the hand was off: 17 degrees between a leader and its follower were reported to LeRobot (issue 3758), which is
6 cm at the gripper. The policy reaches beside the object, and nothing in its input says so.

## How it decides
By the hash of LeRobot's calibration file. It says that the calibration changed, not by how much; so this is a warning.

## What can fool it
A calibration that was made again and came out almost the same. An arm that was dismounted and put together
again keeps its file, and has changed all the same.

## How to fix it
Put back the calibration file of the training (`lerobot-calibrate` leaves it in `calibration/robots`), or record some
demonstrations with the new one and train on both.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.WARNING)
def changed_calibration(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """The robot's calibration, against the one that the contract names."""
    if contract.is_twin and live.robot_type == contract.robot_type:
        return  # a simulated arm has nothing to calibrate
    if contract.calibration_hash is None:
        raise Undecided(
            "the contract does not hold the arm's calibration; `regrasp contract make --calibration FILE` adds it"
        )
    if live.calibration_hash is None:
        raise Undecided("the robot has no calibration file")
    if live.calibration_hash != contract.calibration_hash:
        trained = f" '{contract.calibration_id}'" if contract.calibration_id else ""
        now = f" '{live.calibration_id}'" if live.calibration_id else ""
        yield Finding(
            summary=f"The arm{now} is calibrated otherwise than the arm{trained} of the training data.",
            where=Where(),
            evidence=(Evidence("calibrations that differ", 1, 0),),
            fix=Fix("Put back the calibration file of the training, or record anew with this one."),
        )
