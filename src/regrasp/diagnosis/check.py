"""A check: a function that reads artefacts and yields findings. Its signature is its registration.

Positional parameters name what it reads (`dataset`, `contract`, `rollouts` ...), keyword-only ones what a
user may tune. Its name is that of its file, so one file may judge the same defect in different artefacts.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import wraps

from regrasp.diagnosis.finding import Finding, Severity

type CheckFunction = Callable[..., Iterator[Finding]]


class Undecided(Exception):  # noqa: N818 - an outcome, not a mishap
    """A check has too little to go on; the message says what is missing, and how much would decide."""


@dataclass(frozen=True)
class Check:
    """One registered function: what defect it knows, and which artefacts it reads.

    `explains` names the checks that this defect sets off too: see `run_checks`.
    """

    name: str
    severity: Severity
    function: CheckFunction
    inputs: tuple[str, ...]
    page: str
    explains: tuple[str, ...] = ()


_registered: dict[str, list[Check]] = {}


def check[**P](
    *, severity: Severity, explains: tuple[str, ...] = ()
) -> Callable[[Callable[P, Iterable[Finding]]], Callable[P, Iterator[Finding]]]:
    """Register a function under its file's name, and sign each of its findings with name and severity.

    `explains` names checks that see a consequence of this defect: what they find in the very episodes that
    are named here is not reported beside it, so that one cause is one line.
    """

    def register(function: Callable[P, Iterable[Finding]]) -> Callable[P, Iterator[Finding]]:
        name = function.__module__.rpartition(".")[2].replace("_", "-")

        @wraps(function)
        def signed(*args: P.args, **kwargs: P.kwargs) -> Iterator[Finding]:
            for finding in function(*args, **kwargs):
                yield replace(finding, check=name, severity=finding.severity or severity)

        page = inspect.getdoc(inspect.getmodule(function)) or ""
        _registered.setdefault(name, []).append(
            Check(name, severity, signed, _inputs_of(function), page, explains)
        )
        return signed

    return register


def _inputs_of(function: Callable[..., object]) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY)


def registered(name: str) -> tuple[Check, ...]:
    """The functions of the check of this name, among the files imported so far."""
    return tuple(_registered.get(name, ()))
