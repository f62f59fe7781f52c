"""Every check that needs only a dataset, run on one."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from regrasp.data import Dataset, read_dataset
from regrasp.diagnosis.finding import Finding, Severity
from regrasp.diagnosis.runner import Result, run_checks


@dataclass(frozen=True, eq=False)
class Audit:
    """What was audited, and what the checks said of it."""

    dataset: Dataset
    result: Result

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The defects, worst first."""
        return self.result.findings

    @property
    def sound(self) -> bool:
        """Whether nothing was found that costs success; undecided checks leave it True."""
        return all(finding.severity is Severity.INFO for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """`{"dataset", "episodes", "frames", "findings", "clean", "undecided", "seconds"}`."""
        return {
            "dataset": self.dataset.repo_id or str(self.dataset.path),
            "episodes": len(self.dataset.episodes),
            "frames": self.dataset.frames,
            "findings": [finding.to_json() for finding in self.findings],
            "clean": list(self.result.clean),
            "undecided": [{"check": name, "reason": reason} for name, reason in self.result.undecided],
            "seconds": round(self.result.seconds, 3),
        }


def audit(dataset: str | Path | Dataset, *, only: Collection[str] | None = None, video: bool = True) -> Audit:
    """Judge a dataset: a folder, a Hub id, or one that was read already.

    `only` names the checks to run. With `video=False` no picture is decoded, and checks that need one are
    undecided.
    """
    read = dataset if isinstance(dataset, Dataset) else read_dataset(dataset, video=video)
    return Audit(read, run_checks({"dataset": read}, only))
