"""The policy's files are not those that the contract was made for.

## What it detects
Weights or settings beside a contract that have changed, are gone, or were added since it was written.

## Why it matters
A contract describes one policy. A checkpoint that was trained on, copied half, or given other weights keeps the old
contract beside it, and every other check then compares the station with a training that this policy never had.

## How it decides
By the SHA-256 of config.json, of the weights, and of an adapter's two files, which the contract holds.

## What can fool it
A file that was written again with the same content in another order counts as changed. A policy and a contract that
were exchanged together look whole.

## How to fix it
Put back the files, or measure the contract again from the data that this policy was trained on.
"""

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where, count
from regrasp.diagnosis.fix import Fix

if TYPE_CHECKING:
    from regrasp.data.checkpoint import Checkpoint
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR, explains=("too-few-epochs", "too-many-epochs"))
def changed_policy_files(contract: "Contract", checkpoint: "Checkpoint") -> Iterator[Finding]:
    """The files of the policy, against those that the contract was made for."""
    if not contract.policy_files:
        raise Undecided(
            "the contract holds no hashes of the policy's files; `regrasp contract make` adds them"
        )
    now = checkpoint.file_hashes
    told = [
        f"{name} {_change(contract.policy_files.get(name), now.get(name))}"
        for name in sorted({*contract.policy_files, *now})
        if contract.policy_files.get(name) != now.get(name)
    ]
    if told:
        yield Finding(
            summary=f"Since the contract was written, {', '.join(told)}.",
            where=Where(),
            evidence=(Evidence(f"{count(len(told), 'file')} that differ", len(told), 0),),
            fix=Fix(
                f"Put the files in {checkpoint.path} back, or run `regrasp contract make {quote(str(checkpoint.path))} "
                "--dataset D` with the data that this policy was trained on."
            ),
        )


def _change(before: str | None, after: str | None) -> str:
    if after is None:
        return "is gone"
    return "was added" if before is None else "has changed"
