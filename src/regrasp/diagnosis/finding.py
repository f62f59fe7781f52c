"""What a check found: the place, the number beside its limit, and the next step."""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from regrasp.diagnosis.fix import Fix


class Severity(StrEnum):
    """How bad it is. ERROR: training on it is wasted; WARNING: it costs success; INFO: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst; sorts findings."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Evidence:
    """A measured number beside the limit that it is judged by; `unit` is empty for a count."""

    name: str
    value: float
    limit: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        """For a person.

        Example:
            >>> str(Evidence("frozen for", 1.5, 0.5, "s")), str(Evidence("episodes", 3))
            ('frozen for 1.5 s (limit 0.5 s)', 'episodes 3')
        """
        limit = "" if self.limit is None else f" (limit {_quantity(self.limit, self.unit)})"
        return f"{self.name} {_quantity(self.value, self.unit)}{limit}"

    def to_json(self) -> dict[str, object]:
        """As it stands in a finding's JSON; a number that JSON cannot hold becomes null."""
        limit = None if self.limit is None else _json_number(self.limit)
        return {"name": self.name, "value": _json_number(self.value), "limit": limit, "unit": self.unit}


def _quantity(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "no number"
    digits = f"{value:.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.2g}"
    if 10 <= abs(value) < 100 and value != round(value):
        digits = f"{value:.1f}"
    separator = "" if unit in ("", "%") else " "
    return f"{digits}{separator}{unit}"


def _json_number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Where:
    """The place in the data; what does not apply is empty. `frames` are the first and the last."""

    episodes: tuple[int, ...] = ()
    frames: tuple[int, int] | None = None
    camera: str | None = None
    joint: str | None = None

    def __str__(self) -> str:
        """For a person.

        Example:
            >>> str(Where(episodes=(0, 1, 2, 7), joint="elbow_flex"))
            "episodes 0-2 and 7, joint 'elbow_flex'"
            >>> str(Where(episodes=(4,), frames=(22, 66), camera="wrist"))
            "episode 4, frames 22-66, camera 'wrist'"
        """
        parts: list[str] = []
        if self.episodes:
            parts.append(f"episode{'s' if len(self.episodes) > 1 else ''} {number_ranges(self.episodes)}")
        if self.frames is not None:
            first, last = self.frames
            parts.append(f"frame {first}" if first == last else f"frames {first}-{last}")
        if self.camera is not None:
            parts.append(f"camera '{self.camera}'")
        if self.joint is not None:
            parts.append(f"joint '{self.joint}'")
        return ", ".join(parts) or "the whole dataset"

    def to_json(self) -> dict[str, object]:
        """As it stands in a finding's JSON."""
        return {
            "episodes": list(self.episodes),
            "frames": None if self.frames is None else list(self.frames),
            "camera": self.camera,
            "joint": self.joint,
        }


def count(number: int, thing: str) -> str:
    """A number and its noun.

    Example:
        >>> count(1, "episode"), count(3, "episode")
        ('1 episode', '3 episodes')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"


def number_ranges(numbers: tuple[int, ...]) -> str:
    """Whole numbers, with runs of three or more drawn together.

    Example:
        >>> number_ranges((5, 0, 1, 2, 6))
        '0-2, 5 and 6'
    """
    ordered = sorted(set(numbers))
    breaks = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(ordered)) if b != a + 1), len(ordered)]
    words: list[str] = []
    for first, end in pairwise(breaks):
        run = [str(number) for number in ordered[first:end]]
        words.extend([f"{run[0]}-{run[-1]}"] if len(run) > 2 else run)
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One defect at one place. A check leaves `check` and `severity` to be filled in by its registration."""

    summary: str
    where: Where
    evidence: tuple[Evidence, ...]
    fix: Fix
    check: str = ""
    severity: Severity | None = None

    def to_json(self) -> dict[str, object]:
        """`{"check", "severity", "summary", "where", "evidence", "fix"}`."""
        return {
            "check": self.check,
            "severity": None if self.severity is None else self.severity.value,
            "summary": self.summary,
            "where": self.where.to_json(),
            "evidence": [item.to_json() for item in self.evidence],
            "fix": self.fix.to_json(),
        }
