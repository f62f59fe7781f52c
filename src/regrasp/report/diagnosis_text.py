"""A diagnosis for a person at a terminal: the verdict, three lines of evidence, the command; then the details."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from regrasp.diagnosis.address import is_by_hand
from regrasp.diagnosis.ranking import Cause, Diagnosis, Status

MOST_LINES = 3
"""Of evidence under the verdict: more are not read."""

STYLES = {
    Status.CONFIRMED: "bold red",
    Status.CAUSE: "bold red",
    Status.SUSPECTED: "bold yellow",
    Status.NO_EFFECT: "dim",
    Status.NO_HARM: "dim",
    Status.CLEARED: "dim",
}


def evidence_lines(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Up to three sentences that speak for the verdict: what differs, what putting it right does, what was seen."""
    leading = [cause for cause in diagnosis.causes if cause.status.proven]
    leading = (
        leading or [cause for cause in diagnosis.causes if cause.status is Status.SUSPECTED][:MOST_LINES]
    )
    differs = [told for cause in leading if (told := _difference(cause))]
    shown = [cause.reason for cause in leading if cause.probe is not None]
    seen = [symptom.summary for symptom in diagnosis.symptoms]
    room = MOST_LINES - bool(shown) - bool(seen)
    told = [*differs[:room], *shown[: MOST_LINES - min(len(differs), room) - bool(seen)]]
    return tuple(dict.fromkeys([*told, *seen]))[:MOST_LINES]


def _difference(cause: Cause) -> str | None:
    """What differs from training: what a check found, else what was put right before the policy was asked again."""
    if cause.findings:
        return cause.findings[0].summary
    return None if cause.probe is None else f"Asked again: {cause.probe.intervention}."


def print_diagnosis(diagnosis: Diagnosis, console: Console, *, live: bool = False) -> None:
    """The answer first; causes, symptoms and what was ruled out below it. `live` says that there were no rollouts."""
    proven = any(cause.status.proven for cause in diagnosis.causes)
    suspected = any(cause.status is Status.SUSPECTED for cause in diagnosis.causes)
    console.print(
        Text(diagnosis.headline, "bold red" if proven else "bold yellow" if suspected else "bold green")
    )
    console.print("Looked at the station; nothing has moved." if live else f"Success: {diagnosis.success}")
    for line in evidence_lines(diagnosis):
        console.print(_indented(line, 2))
    if diagnosis.remedy:
        console.print()
        console.print("Put it right:")
        console.print(f"  {diagnosis.remedy}", soft_wrap=True, highlight=False, markup=False)
    _print_details(diagnosis, console)


def _print_details(diagnosis: Diagnosis, console: Console) -> None:
    if diagnosis.causes:
        _head(console, "Differences, the surest cause first")
        for cause in diagnosis.causes:
            _print_cause(cause, console, diagnosis.remedy)
    if diagnosis.symptoms:
        _head(console, "Seen")
        for symptom in diagnosis.symptoms:
            console.print(_indented(Text.assemble((symptom.name, "bold"), f"  {symptom.summary}"), 2))
            console.print(_indented(Text("; ".join(str(item) for item in symptom.evidence), "dim"), 6))
    if diagnosis.ruled_out or diagnosis.undecided:
        console.print()
    if diagnosis.ruled_out:
        console.print(Text.assemble(("Ruled out: ", "bold"), ", ".join(diagnosis.ruled_out)))
    for reason, names in _by_reason(diagnosis.undecided).items():
        console.print(Text.assemble(("Undecided: ", "bold"), f"{', '.join(names)}: {reason}"))


def _print_cause(cause: Cause, console: Console, remedy: str | None) -> None:
    head = Text.assemble((cause.name, "bold"), "  ", (cause.status.value, STYLES[cause.status]))
    console.print(_indented(head.append(f"  score {cause.score:.2f}"), 2))
    console.print(_indented(Text(cause.reason), 6))
    for finding in cause.findings:
        console.print(_indented(Text(f"{finding.where}: {finding.summary}"), 6))
        console.print(_indented(Text("; ".join(str(item) for item in finding.evidence), "dim"), 6))
    if cause.fix.command is None or is_by_hand(cause.command):
        console.print(_indented(Text(f"-> {cause.fix.summary}", "green"), 6))
    if cause.fix.command is not None and cause.fix.command != remedy:
        console.print(f"      -> {cause.fix.command}", soft_wrap=True, highlight=False, markup=False)


def _head(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, "bold underline"))


def _by_reason(undecided: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, reason in undecided:
        reasons.setdefault(reason, []).append(name)
    return reasons


def _indented(text: Text | str, width: int) -> Padding:
    return Padding(text if isinstance(text, Text) else Text(text), (0, 0, 0, width))
