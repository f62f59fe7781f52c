"""The contract against what the station shows now. Nothing moves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.address import Address, addressed
from regrasp.diagnosis.finding import Finding, Severity
from regrasp.diagnosis.runner import run_checks

if TYPE_CHECKING:
    from regrasp.data.checkpoint import Checkpoint
    from regrasp.data.contract import Contract


@dataclass(frozen=True, eq=False)
class LiveView:
    """What a station shows before anything moves.

    `joints` [J] in the dataset's units and in the order of `joint_names`; one picture per camera by name,
    uint8 [h, w, 3]. `joint_names` may be empty where nobody knows them; then the contract's order is taken.

    Attributes:
        robot: LeRobot's options of the robot, without its cameras (`use_degrees` ...).
        inference_s: Time of one query of the policy on this machine; None when it was not measured.
        n_action_steps: Actions that are to be executed per query; None for the policy's own number.
        ahead: Whether the next chunk is asked for while the one before is carried out.
        waits: Whether the robot's time stands still while the policy thinks, as the twin's does.
        calibration_id: The robot's `id`, after which LeRobot names its calibration.
        calibration_hash: Of its calibration, see `data.calibration`; None when it has none.
    """

    instruction: str
    joints: NDArray[np.float64]
    images: Mapping[str, NDArray[np.uint8]]
    fps: float
    joint_names: tuple[str, ...] = ()
    robot_type: str | None = None
    robot: Mapping[str, Any] = field(default_factory=dict[str, Any])
    inference_s: float | None = None
    n_action_steps: int | None = None
    ahead: bool = False
    waits: bool = False
    calibration_id: str | None = None
    calibration_hash: str | None = None


@dataclass(frozen=True)
class Preflight:
    """Go or not, and why. `allowed` are the findings that somebody overrode by name."""

    go: bool
    findings: tuple[Finding, ...]
    clean: tuple[str, ...]
    undecided: tuple[tuple[str, str], ...]
    allowed: tuple[str, ...] = ()

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that speak against moving."""
        return tuple(finding for finding in self.findings if _blocks(finding, self.allowed))

    def to_json(self) -> dict[str, object]:
        """As `regrasp preflight --json` prints it."""
        return {
            "go": self.go,
            "findings": [finding.to_json() for finding in self.findings],
            "clean": list(self.clean),
            "undecided": [{"check": name, "reason": reason} for name, reason in self.undecided],
            "allowed": list(self.allowed),
        }

    def __str__(self) -> str:
        lines = ["Preflight: go." if self.go else "Preflight: no go. Nothing has moved."]
        for finding, following in zip_longest(self.findings, self.findings[1:]):
            if finding.check in self.allowed:
                lines.append(f"  {finding.check} (allowed): {finding.summary}")
                continue
            lines.append(f"  {finding.check}: {finding.summary}")
            lines.extend(f"      {item}" for item in finding.evidence)
            same = following and (following.check, following.fix) == (finding.check, finding.fix)
            lines.extend([] if same else [f"      fix: {finding.fix.command or finding.fix.summary}"])
        lines.extend(f"  {name}: undecided, {reason}" for name, reason in self.undecided)
        if self.clean:
            lines.append(f"  clean: {', '.join(self.clean)}")
        return "\n".join(lines)


def preflight(
    contract: "Contract",
    live: LiveView,
    *,
    checkpoint: "Checkpoint | None" = None,
    allow: Collection[str] = (),
    address: Address | None = None,
) -> Preflight:
    """Run every check that reads a contract and a live view. An error that is not in `allow` stops the arm.

    With the `checkpoint`, its files are compared with the contract too. `address` says what the printed commands
    are to call the checkpoint and the station.
    """
    artefacts: dict[str, object] = {"contract": contract, "live": live}
    if checkpoint is not None:
        artefacts["checkpoint"] = checkpoint
    result = run_checks(artefacts)
    named = replace(address or Address(), train=contract.dataset_id or "TRAIN")
    findings = tuple(addressed(finding, named) for finding in result.findings)
    present = {finding.check for finding in findings}
    allowed = tuple(name for name in dict.fromkeys(allow) if name in present)
    go = not any(_blocks(finding, allowed) for finding in findings)
    return Preflight(go, findings, result.clean, result.undecided, allowed)


def _blocks(finding: Finding, allowed: Collection[str]) -> bool:
    return finding.severity is Severity.ERROR and finding.check not in allowed
