"""Every check that needs only a dataset, run on one."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from regrasp.data import Dataset, read_dataset
from regrasp.data.expected import Expected, read_expected
from regrasp.diagnosis.finding import Finding, Severity
from regrasp.diagnosis.repair import DropEpisodes
from regrasp.diagnosis.runner import Result, known_checks, run_checks


@dataclass(frozen=True, eq=False)
class Audit:
    """What was audited, what the checks said of it, and which of that its owner expects."""

    dataset: Dataset
    result: Result
    declared: tuple[Expected, ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The defects that nobody expects, worst first."""
        return tuple(finding for finding in self.result.findings if self._reason(finding) is None)

    @cached_property
    def expected(self) -> tuple[tuple[Finding, str], ...]:
        """What was found and declared in `meta/regrasp_expected.yaml`, each with its reason."""
        reasons = [(finding, self._reason(finding)) for finding in self.result.findings]
        return tuple((finding, reason) for finding, reason in reasons if reason is not None)

    def _reason(self, finding: Finding) -> str | None:
        covering = (one for one in self.declared if one.covers(finding.check, finding.where.episodes))
        return next((one.reason for one in covering), None)

    @property
    def sound(self) -> bool:
        """Whether nothing was found that costs success; undecided checks leave it True."""
        return all(finding.severity is Severity.INFO for finding in self.findings)

    @cached_property
    def dropped(self) -> dict[int, tuple[str, ...]]:
        """Episodes to leave out of a training, each with the checks that speak against it.

        Those that an error or a warning names, unless it can be put right by other means (`regrasp fix`) or
        concerns every episode, so that leaving some out would not help.
        """
        reasons: dict[int, list[str]] = {}
        for finding in self.findings:
            repair = finding.fix.repair
            curable = repair is not None and not isinstance(repair, DropEpisodes)
            everywhere = len(finding.where.episodes) == len(self.dataset.episodes)
            if finding.severity is not Severity.INFO and not curable and not everywhere:
                for number in finding.where.episodes:
                    reasons.setdefault(number, []).append(finding.check)
        return {number: tuple(dict.fromkeys(checks)) for number, checks in sorted(reasons.items())}

    @property
    def kept(self) -> tuple[int, ...]:
        """Numbers of the other episodes: what to pass to LeRobot as `--dataset.episodes`."""
        return tuple(one.index for one in self.dataset.episodes if one.index not in self.dropped)

    def to_json(self) -> dict[str, object]:
        """`{"dataset", "episodes", "frames", "findings", "expected", "clean", "undecided", "keep", "seconds"}`."""
        return {
            "dataset": self.dataset.repo_id or str(self.dataset.path),
            "episodes": len(self.dataset.episodes),
            "frames": self.dataset.frames,
            "findings": [finding.to_json() for finding in self.findings],
            "expected": [{**finding.to_json(), "reason": reason} for finding, reason in self.expected],
            "clean": list(self.result.clean),
            "undecided": [{"check": name, "reason": reason} for name, reason in self.result.undecided],
            "keep": list(self.kept),
            "seconds": round(self.result.seconds, 3),
        }


def audit(dataset: str | Path | Dataset, *, only: Collection[str] | None = None, video: bool = True) -> Audit:
    """Judge a dataset: a folder, a Hub id, or one that was read already.

    `only` names the checks to run. With `video=False` no picture is decoded, and checks that need one are
    undecided.
    """
    if only:
        known_checks(only)
    read = dataset if isinstance(dataset, Dataset) else read_dataset(dataset, video=video)
    declared = read_expected(read.path)
    known_checks([one.check for one in declared])
    result = run_checks({"dataset": read}, only)
    return Audit(read, replace(result, findings=tuple(_with_fix(read, f) for f in result.findings)), declared)


def _with_fix(dataset: Dataset, finding: Finding) -> Finding:
    """The finding with `regrasp fix` as its command, where that puts it right and keeps the episodes."""
    repair = finding.fix.repair
    if repair is None or isinstance(repair, DropEpisodes):
        return finding
    command = ["regrasp", "fix", str(dataset.path), "--into", f"{dataset.path}_fixed", finding.check]
    return replace(finding, fix=replace(finding.fix, command=shlex.join(command)))
