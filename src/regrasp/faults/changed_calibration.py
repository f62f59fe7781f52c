"""A station whose arm was calibrated anew."""

import hashlib
from dataclasses import replace

from regrasp.diagnosis.preflight import LiveView


def changed_calibration(live: LiveView) -> LiveView:
    """The same arm with another calibration."""
    other = hashlib.sha256((live.calibration_hash or "").encode()).hexdigest()
    return replace(live, calibration_hash=other)
