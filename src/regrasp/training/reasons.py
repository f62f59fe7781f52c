"""Why a number of a plan is what it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One number of the plan, and why it is what it is."""

    what: str
    value: float | str | None
    why: str
    unit: str = ""
