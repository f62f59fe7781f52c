"""What `regrasp fix` would do to a dataset, and what it leaves to a person; reads only."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from regrasp.data import Dataset
from regrasp.diagnosis.audit import Audit, audit
from regrasp.diagnosis.finding import Finding, Severity
from regrasp.diagnosis.repair import (
    ConvertUnits,
    DropEpisodes,
    Repair,
    ReplaceInstructions,
    SwapCameras,
    TrimEpisodes,
)
from regrasp.errors import DatasetError


@dataclass(frozen=True)
class Step:
    """One repair, and the check whose finding asks for it."""

    check: str
    repair: Repair

    def to_json(self) -> dict[str, object]:
        """`{"check", "does", "episodes"}`; no episodes for what concerns the whole dataset."""
        episodes = getattr(self.repair, "episodes", ())
        return {"check": self.check, "does": str(self.repair), "episodes": list(episodes)}


@dataclass(frozen=True, eq=False)
class RepairPlan:
    """What was found, what will be done about it, and which findings need a person or wait.

    Those in `waiting` would leave out episodes that another repair puts right: their defect may be its
    consequence, and is looked for again afterwards.
    """

    audit: Audit
    steps: tuple[Step, ...]
    needs_you: tuple[Finding, ...]
    waiting: tuple[Finding, ...] = ()

    @property
    def dataset(self) -> Dataset:
        """The dataset that was judged."""
        return self.audit.dataset

    @property
    def episodes_left(self) -> int:
        """How many episodes the copy will have."""
        return len(self.dataset.episodes) - len(dropped_episodes(self.repairs))

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What is to be done, in the order of the findings."""
        return tuple(step.repair for step in self.steps)


def plan_repairs(dataset: str | Path | Dataset, names: Collection[str] | None = None) -> RepairPlan:
    """Audit a dataset with the checks of these names, or all, and collect the repairs of the findings.

    Leaving out episodes for less than an error is a judgement, and waits for its check to be named; so does
    leaving out every episode. What is less than an error leaves out no episode in which another repair exchanges
    cameras or converts a unit.
    """
    audited = audit(dataset, only=names or None)
    saved = _saved_episodes(finding.fix.repair for finding in audited.findings)
    waiting = [finding for finding in audited.findings if _may_be_a_consequence(finding, saved)]
    judged = [finding for finding in audited.findings if finding not in waiting]
    agreed = [finding for finding in judged if not _needs_a_judgement(finding, names or ())]
    drops = dropped_episodes(finding.fix.repair for finding in agreed)
    nothing_left = len(drops) >= len(audited.dataset.episodes)
    steps: dict[str, Step] = {}
    needs_you: list[Finding] = []
    for finding in judged:
        repair = finding.fix.repair
        unwanted = finding not in agreed or (nothing_left and isinstance(repair, DropEpisodes))
        if repair is None or unwanted:
            needs_you.extend([finding] if finding.severity is not Severity.INFO else [])
        else:
            steps.setdefault(f"{finding.check} {repair}", Step(finding.check, repair))
    return RepairPlan(audited, tuple(steps.values()), tuple(needs_you), tuple(waiting))


def _needs_a_judgement(finding: Finding, named: Collection[str]) -> bool:
    """Whether a person has to say that these episodes are to go, or that two instructions are to be one."""
    repair = finding.fix.repair
    drops = isinstance(repair, DropEpisodes) and finding.severity is not Severity.ERROR
    unsure = isinstance(repair, ReplaceInstructions) and not repair.sure
    return (drops or unsure) and finding.check not in named


def _saved_episodes(repairs: Iterable[Repair | None]) -> frozenset[int]:
    """Numbers of the episodes whose defect one of these repairs takes away while it keeps every frame."""
    return frozenset(
        number
        for repair in repairs
        if isinstance(repair, SwapCameras | ConvertUnits)
        for number in repair.episodes
    )


def _may_be_a_consequence(finding: Finding, saved: frozenset[int]) -> bool:
    repair = finding.fix.repair
    drops = isinstance(repair, DropEpisodes) and not saved.isdisjoint(repair.episodes)
    return drops and finding.severity is not Severity.ERROR


def dropped_episodes(repairs: Iterable[Repair | None]) -> frozenset[int]:
    """Numbers of the episodes that any of these repairs leaves out."""
    return frozenset(
        number for repair in repairs if isinstance(repair, DropEpisodes) for number in repair.episodes
    )


def kept_frames(repairs: Iterable[Repair], dropped: Collection[int] = ()) -> dict[int, tuple[int, int]]:
    """First and last frame that is left of each episode that is cut: where several repairs cut, what all leave.

    Those that are `dropped` are not cut.
    """
    left: dict[int, tuple[int, int]] = {}
    for repair in repairs:
        keep = repair.keep.items() if isinstance(repair, TrimEpisodes) else ()
        for number, (first, last) in ((number, frames) for number, frames in keep if number not in dropped):
            before = left.get(number, (first, last))
            left[number] = max(first, before[0]), min(last, before[1])
            if left[number][0] > left[number][1]:
                raise DatasetError(
                    f"Found two repairs of episode {number} that leave no frame of it; expected at least one. "
                    "Name the checks to fix one at a time."
                )
    return left


def final_wordings(wordings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each instruction and what it becomes in the end; the first of two rules for one instruction holds.

    Example:
        >>> final_wordings([("b", "a"), ("c", "b"), ("b", "z")])
        {'b': 'a', 'c': 'a'}
    """
    rules: dict[str, str] = {}
    for old, new in wordings:
        rules.setdefault(old, new)
    return {old: end for old in rules if (end := _end_of(old, rules)) != old}


def _end_of(text: str, rules: dict[str, str]) -> str:
    seen: set[str] = set()
    while text in rules and text not in seen:
        seen.add(text)
        text = rules[text]
    return text
