"""Which of the differences is the cause: findings and probes put together, and ranked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from regrasp.diagnosis.address import AGAIN, Address, addressed, is_by_hand
from regrasp.diagnosis.check import registered
from regrasp.diagnosis.finding import Evidence, Finding
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.probe import CARES_SPREADS, ProbeResult
from regrasp.stats import Rate

SOUND_RATE, CHANCE = 0.95, 0.1
"""So few successes count as failure when a policy that succeeds this often has so few or fewer by less than this chance:
8 of 10 do (0.09), 9 of 10 do not (0.40)."""


class Status(StrEnum):
    """How sure a cause is: confirmed by rollouts, by a probe, by neither; or cleared by either."""

    CONFIRMED = "confirmed"
    CAUSE = "cause"
    SUSPECTED = "suspected"
    CLEARED = "cleared"
    NO_EFFECT = "no effect"
    NO_HARM = "no harm seen"

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return list(Status).index(self)

    @property
    def proven(self) -> bool:
        """Whether it may be called a cause."""
        return self in (Status.CONFIRMED, Status.CAUSE)


@dataclass(frozen=True)
class Cause:
    """A difference from training that may explain the failure, and what speaks for it.

    `command` puts this alone right, with CHECKPOINT and STATION; `fix` has them filled in. `rerun` is what
    came of it on a station that can be run again.
    """

    name: str
    status: Status
    score: float
    reason: str
    probe: ProbeResult | None
    findings: tuple[Finding, ...]
    fix: Fix
    command: str = AGAIN
    rerun: "Rerun | None" = None

    def to_json(self) -> dict[str, object]:
        """As it stands in a diagnosis."""
        return {
            "cause": self.name,
            "status": self.status.value,
            "score": round(self.score, 3),
            "reason": self.reason,
            "probe": None if self.probe is None else self.probe.to_json(),
            "rerun": None if self.rerun is None else self.rerun.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "fix": self.fix.to_json(),
        }


@dataclass(frozen=True)
class Rerun:
    """The same starts with and without a cause: how often each succeeded, the gain with its interval, the evidence."""

    without: Rate
    put_right: Rate
    evidence: float
    gain95: tuple[float, float]

    def to_json(self) -> dict[str, object]:
        """As it stands in a diagnosis."""
        return {
            "with_it": self.without.to_json(),
            "put_right": self.put_right.to_json(),
            "gain95": [round(limit, 4) for limit in self.gain95],
            "evidence": round(self.evidence, 3),
        }


@dataclass(frozen=True)
class Symptom:
    """What is seen, whatever its cause."""

    name: str
    summary: str
    evidence: tuple[Evidence, ...]

    def to_json(self) -> dict[str, object]:
        """As it stands in a diagnosis."""
        return {
            "symptom": self.name,
            "summary": self.summary,
            "evidence": [item.to_json() for item in self.evidence],
        }


@dataclass(frozen=True)
class Diagnosis:
    """The answer: causes, the likeliest first; what was seen; how often it succeeded; what was ruled out."""

    causes: tuple[Cause, ...]
    symptoms: tuple[Symptom, ...]
    success: Rate
    ruled_out: tuple[str, ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()
    probed: bool = True
    address: Address = field(default_factory=Address)

    @property
    def verdict(self) -> str | None:
        """The first cause that a probe or a rerun has proven; None when there is none."""
        first = self.causes[0] if self.causes else None
        return first.name if first is not None and first.status.proven else None

    def to_json(self) -> dict[str, object]:
        """As `regrasp diagnose --json` prints it."""
        return {
            "verdict": self.verdict,
            "causes": [cause.to_json() for cause in self.causes],
            "symptoms": [symptom.to_json() for symptom in self.symptoms],
            "success": self.success.to_json(),
            "ruled_out": list(self.ruled_out),
            "undecided": [{"check": name, "reason": reason} for name, reason in self.undecided],
            "probed": self.probed,
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        lines = [f"Success: {self.success}", self.headline, ""]
        lines.extend(f"Seen: {symptom.summary}" for symptom in self.symptoms)
        for cause in self.causes:
            lines.extend(_lines_of(cause))
        if self.remedy:
            lines.append(f"Put it right: {self.remedy}")
        if self.ruled_out:
            lines.append(f"Ruled out: {', '.join(self.ruled_out)}")
        lines.extend(f"Undecided: {name}, {reason}" for name, reason in self.undecided)
        return "\n".join(lines).rstrip()

    @property
    def remedy(self) -> str | None:
        """One command that puts every proven cause right; None when no command does."""
        return self.address.remedy(*((one.name, one.command) for one in self.causes if one.status.proven))

    @property
    def headline(self) -> str:
        """The verdict in a sentence."""
        proven = [cause.name for cause in self.causes if cause.status.proven]
        suspects = [cause.name for cause in self.causes if cause.status is Status.SUSPECTED]
        if proven:
            return f"Verdict: {' and '.join(proven)}."
        if suspects:
            return f"No verdict. Suspected: {', '.join(suspects)}."
        if self.success.n and self.success.k == self.success.n:
            return "No verdict: nothing failed."
        return "No verdict: nothing that differs from training explains it."


def rank(
    findings: Iterable[Finding],
    probes: Iterable[ProbeResult],
    *,
    failing: bool,
    probed: bool,
    address: Address | None = None,
    successes: Mapping[int, bool | None] = MappingProxyType({}),
) -> tuple[Cause, ...]:
    """Causes, the surest and strongest first.

    A cause needs three things: a mismatch (a finding, or an input outside the healthy level), an intervention
    that takes it away, and a policy that cares. Without `failing` rollouts nothing is a cause. What a difference
    explains (`@check`) is left out where putting that difference right leaves nothing of it; so is what a probe alone
    speaks for where a cause that was found puts the same inputs right. Where the `successes` of the episodes that it is
    found in may be a sound policy's by chance, a cause is only suspected.
    """
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.check, []).append(finding)
    results = {result.cause: result for result in probes}
    mismatched = [
        *found,
        *(name for name, result in results.items() if name not in found and result.put_right),
    ]
    causes = [
        _judge(name, found.get(name, []), results.get(name), failing, probed, address or Address())
        for name in mismatched
    ]
    causes = [cause for cause in causes if not any(_explains(other, cause) for other in causes)]
    causes = [cause for cause in causes if not any(_covers(other, cause) for other in causes)]
    causes = [_perhaps(cause, successes) for cause in causes]
    return tuple(sorted(causes, key=lambda cause: (cause.status.rank, -cause.score, cause.name)))


def _perhaps(cause: Cause, successes: Mapping[int, bool | None]) -> Cause:
    """A cause of failures that are so few that there may be none."""
    touched = {number for finding in cause.findings for number in finding.where.episodes} or set(successes)
    success = Rate.of(successes[number] for number in touched if number in successes)
    if cause.status is not Status.CAUSE or not success.n or success.chance_if(SOUND_RATE) < CHANCE:
        return cause
    few = f"But {success.n - success.k} of {success.n} failed, which happens to a sound policy too: run more."
    return replace(cause, status=Status.SUSPECTED, score=cause.score / 2, reason=f"{cause.reason} {few}")


def _explains(one: Cause, other: Cause) -> bool:
    """Whether one sets the other's check off, and put right takes every distance away that the other's probe does."""
    if one.probe is None or other.probe is None or one.status.rank > other.status.rank:
        return False
    if not one.probe.put_right:
        return False
    explained = {name for known in registered(one.name) for name in known.explains}
    touched = {distance.name for distance in other.probe.distances if distance.disturbed}
    return other.name in explained and touched <= {distance.name for distance in one.probe.distances}


def _covers(one: Cause, other: Cause) -> bool:
    """Whether one was found, and puts right every input that the other, which no check found, does.

    It must be proven, or explain the other's check, which then kept silent for its sake.
    """
    if one.probe is None or other.probe is None or other.findings or not one.findings:
        return False
    touched = {distance.name for distance in other.probe.distances if distance.disturbed}
    known = one.status.proven or any(other.name in check.explains for check in registered(one.name))
    return known and touched <= {distance.name for distance in one.probe.distances}


def _judge(
    name: str,
    findings: Sequence[Finding],
    probe: ProbeResult | None,
    failing: bool,
    probed: bool,
    address: Address,
) -> Cause:
    status, reason = _status(probe, failing, probed)
    if status is Status.CAUSE and probe is not None and not findings and probe.by_chance:
        few = "But so few episodes lie so far from the training by chance, too: run more, or record more demonstrations."
        status, reason = Status.SUSPECTED, f"{reason} {few}"
    relief = 0.0 if probe is None else max(-1.0, min(1.0, probe.relief))
    score = {Status.CAUSE: relief, Status.SUSPECTED: 0.25 + 0.25 * relief}.get(status, 0.0)
    fix = _fix_of(findings, probe)
    told = tuple(addressed(finding, address) for finding in findings)
    command = fix.command or AGAIN
    filled = replace(fix, command=address.remedy((name, command)))
    return Cause(name, status, score, reason, probe, told, filled, command)


def _status(probe: ProbeResult | None, failing: bool, probed: bool) -> tuple[Status, str]:
    if probe is None:
        why = "no probe tests it" if probed else "the policy could not be asked"
        return Status.SUSPECTED, f"It differs from training, but {why}."
    moved = probe.moving.format(probe.moved)
    if not probe.moved >= CARES_SPREADS:
        return (
            Status.NO_EFFECT,
            f"The policy does not care: put right, {moved} (it counts from {CARES_SPREADS:g}).",
        )
    if not failing:
        return Status.NO_HARM, f"The policy cares ({moved}), but no rollout failed."
    if not probe.put_right:
        return (
            Status.SUSPECTED,
            f"Put right, {100 * max(probe.relief, 0):.0f} % of the distance goes; {moved}.",
        )
    how = "Done to training starts too" if probe.simulated else "Put right"
    return Status.CAUSE, f"{how}, {_distances(probe)}, and {moved}."


def _distances(probe: ProbeResult) -> str:
    changes = [
        f"{one.name} goes from {_short(one.before)} to {_short(one.after)} (healthy up to "
        f"{_short(one.limit)})"
        for one in probe.distances
        if one.disturbed
    ]
    return ", ".join(changes)


def _short(distance: float) -> str:
    return "0" if distance < 0.005 else f"{distance:.3g}"


def _fix_of(findings: Sequence[Finding], probe: ProbeResult | None) -> Fix:
    """What the finding proposes; where it has no command, what the probe did."""
    if findings and (probe is None or findings[0].fix.command is not None):
        return findings[0].fix
    if probe is None:
        return Fix("Look at the findings.")
    by_probe = (
        f"Deploy with {probe.intervention}." if probe.command else f"Put right by hand: {probe.intervention}."
    )
    return Fix(findings[0].fix.summary if findings else by_probe, probe.command)


def _lines_of(cause: Cause) -> list[str]:
    lines = [f"{cause.name} ({cause.status}, score {cause.score:.2f}): {cause.reason}"]
    for finding in cause.findings:
        lines.append(f"    {finding.where}: {finding.summary}")
        lines.extend(f"        {item}" for item in finding.evidence)
    if is_by_hand(cause.command):
        lines.append(f"    do: {cause.fix.summary}")
        lines.append(f"    then: {cause.fix.command}")
    else:
        lines.append(f"    do: {cause.fix.command or cause.fix.summary}")
    return lines
