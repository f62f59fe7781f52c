"""What a check is, what it found, and how checks are run."""

from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix

__all__ = ["Evidence", "Finding", "Fix", "Severity", "Undecided", "Where", "check"]
