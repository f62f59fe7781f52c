"""Runs checks on what is at hand, and keeps three outcomes apart: found, clean, undecided."""

import ast
import difflib
import importlib
import importlib.util
import pkgutil
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, cast

from regrasp.diagnosis.check import Check, Undecided, registered
from regrasp.diagnosis.finding import Finding
from regrasp.errors import RegraspError, UsageError

if TYPE_CHECKING:  # the catalogue is printed without NumPy
    from regrasp.data import Dataset

CHECKS_PACKAGE = "regrasp.checks"


@dataclass(frozen=True)
class Result:
    """What the checks said: findings, worst first; names of the clean; (name, reason) of the undecided."""

    findings: tuple[Finding, ...]
    clean: tuple[str, ...]
    undecided: tuple[tuple[str, str], ...]
    seconds: float


def run_checks(artefacts: Mapping[str, object], only: Collection[str] | None = None) -> Result:
    """Run every check that reads nothing but `artefacts`, or those named in `only`.

    An artefact that is None is missing: checks that read it are undecided. Looking at what the dataset
    itself refuses to give (a video that does not decode) is undecided too, with the reason.

    A finding is a consequence, and left out, when other findings explain its check (`@check`) and name all of
    its episodes. Where it names others too, the check judges the dataset again without those.
    """
    start = time.monotonic()
    names = known_checks(only) if only else checks_reading(artefacts)
    outcomes = {name: _run(_functions(name, artefacts), artefacts) for name in names}
    findings = _without_consequences({name: found for name, (found, _) in outcomes.items()}, artefacts)
    findings.sort(key=lambda finding: finding.severity.rank if finding.severity else 0)
    silent = {name: reasons for name, (found, reasons) in outcomes.items() if not found}
    return Result(
        tuple(findings),
        tuple(name for name, reasons in silent.items() if not reasons),
        tuple((name, "; ".join(reasons)) for name, reasons in silent.items() if reasons),
        time.monotonic() - start,
    )


def _without_consequences(
    outcomes: Mapping[str, list[Finding]], artefacts: Mapping[str, object]
) -> list[Finding]:
    """What was found by each check, without what findings of others explain; causes are judged first."""
    left: dict[str, list[Finding]] = {}
    causes_of = {name: _causes_of(name, outcomes) for name in outcomes}
    for name in TopologicalSorter(causes_of).static_order():
        causes = [finding.where.episodes for cause in causes_of[name] for finding in left[cause]]
        everywhere = any(not episodes for episodes in causes)
        covered = {number for episodes in causes for number in episodes}
        left[name] = [] if everywhere else _beyond(name, outcomes[name], covered, artefacts)
    return [finding for name in outcomes for finding in left[name]]


def _causes_of(name: str, outcomes: Mapping[str, list[Finding]]) -> set[str]:
    """Names of the checks that found something and explain this one."""
    return {
        other
        for other, found in outcomes.items()
        if found and any(name in known.explains for known in registered(other))
    }


def _beyond(
    name: str, found: list[Finding], covered: set[int], artefacts: Mapping[str, object]
) -> list[Finding]:
    """The findings that are not explained by something in the episodes `covered`."""
    new = [
        finding for finding in found if not finding.where.episodes or set(finding.where.episodes) - covered
    ]
    if not covered or not new:
        return new
    dataset = artefacts.get("dataset")
    rest = None if dataset is None else _leaving_out(cast("Dataset", dataset), covered)
    return new if rest is None else _run(_functions(name, artefacts), {**artefacts, "dataset": rest})[0]


def _leaving_out(dataset: "Dataset", numbers: set[int]) -> "Dataset | None":
    """The dataset without these episodes; None when nothing would be left."""
    episodes = tuple(episode for episode in dataset.episodes if episode.index not in numbers)
    return replace(dataset, episodes=episodes) if episodes else None


def _functions(name: str, artefacts: Mapping[str, object]) -> tuple[Check, ...]:
    """Those functions of a check whose artefacts are at hand; all of them when none are."""
    functions = load_check(name)
    at_hand = tuple(check for check in functions if set(check.inputs) <= set(artefacts))
    return at_hand or functions


def _run(functions: Collection[Check], artefacts: Mapping[str, object]) -> tuple[list[Finding], list[str]]:
    found: list[Finding] = []
    reasons: list[str] = []
    for check in functions:
        missing = [name for name in check.inputs if artefacts.get(name) is None]
        try:
            if missing:
                raise Undecided(f"needs a {' and a '.join(missing)}")
            found.extend(check.function(*(artefacts[name] for name in check.inputs)))
        except (Undecided, RegraspError) as reason:
            reasons.append(str(reason))
    return found, list(dict.fromkeys(reasons))


@cache
def check_names() -> tuple[str, ...]:
    """Names of all checks, from their files; imports none of them."""
    return tuple(sorted(_names_in(CHECKS_PACKAGE)))


def _names_in(package: str) -> Iterator[str]:
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    for module in pkgutil.iter_modules(folders or []):
        if not module.name.startswith("_"):
            yield module.name.replace("_", "-")


def read_page(name: str) -> str:
    """The page of one check: the docstring of its file, read without importing it."""
    (known,) = known_checks([name])
    return ast.get_docstring(_parsed(known)) or ""


def _inputs_in_file(name: str) -> list[set[str]]:
    """What each function marked `@check(...)` reads, from the text of the file."""
    return [
        {argument.arg for argument in (*node.args.posonlyargs, *node.args.args)}
        for node in _parsed(name).body
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "check"
    ]


@cache
def _parsed(name: str) -> ast.Module:
    spec = importlib.util.find_spec(f"{CHECKS_PACKAGE}.{name.replace('-', '_')}")
    assert spec is not None
    assert spec.origin is not None, f"{name} was listed from its file"
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def load_check(name: str) -> tuple[Check, ...]:
    """The functions of one check; raises a UsageError that offers the nearest name."""
    (known,) = known_checks([name])
    importlib.import_module(f"{CHECKS_PACKAGE}.{known.replace('-', '_')}")
    return registered(known)


def checks_reading(artefacts: Collection[str]) -> tuple[str, ...]:
    """Names of the checks that can judge from these artefacts alone; imports none of them."""
    at_hand = set(artefacts)
    return tuple(name for name in check_names() if any(needed <= at_hand for needed in _inputs_in_file(name)))


def known_checks(names: Collection[str]) -> tuple[str, ...]:
    """The names, each once; a UsageError for one that is no check's, which offers the nearest."""
    for name in names:
        if name not in check_names():
            nearest = difflib.get_close_matches(name, check_names(), n=1)
            hint = f"Did you mean '{nearest[0]}'?" if nearest else "Try 'regrasp checks' for the list."
            raise UsageError(f"No check named '{name}'. {hint}")
    return tuple(dict.fromkeys(names))
