"""LeRobot's calibration file of an arm: what turns counts of the encoders into joint values."""

import hashlib
import json
from pathlib import Path

from regrasp.errors import StationError

LONGEST_FILE = 1_000_000
"""Bytes. Six motors take 900; a file of this size is no calibration."""


def calibration_hash(path: Path) -> str:
    """SHA-256 of the calibration in a file: the same however it is laid out.

    Raises:
        StationError: The file cannot be read, or is no calibration.
    """
    try:
        motors = json.loads(_text_of(path))
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, "nothing that can be read as JSON") from error
    if not isinstance(motors, dict) or not all(isinstance(motor, dict) for motor in motors.values()):
        raise _refused(path, "JSON without motors")
    return hashlib.sha256(json.dumps(motors, sort_keys=True).encode()).hexdigest()


def _text_of(path: Path) -> str:
    if path.stat().st_size > LONGEST_FILE:
        raise ValueError("too long")
    return path.read_text(encoding="utf-8")


def _refused(path: Path, found: str) -> StationError:
    return StationError(
        f"Found {found} in {path}; expected the calibration that `lerobot-calibrate` writes; try to "
        "calibrate the arm again."
    )
