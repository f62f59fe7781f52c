"""Results for a person at a terminal: what was found first, each with place, number and next step."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regrasp.diagnosis.finding import Finding, Severity, count

if TYPE_CHECKING:  # a page is shown without NumPy
    from regrasp.diagnosis.audit import Audit

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def print_audit(audit: "Audit", console: Console) -> None:
    """A dataset's defects, then what is clean, then what could not be judged and why."""
    dataset = audit.dataset
    size = f"{count(len(dataset.episodes), 'episode')}, {count(dataset.frames, 'frame')}"
    console.print(Text.assemble((dataset.name, "bold"), f": {size}"))
    print_findings(audit.findings, console)
    print_expected(audit.expected, console)
    print_outcomes(audit.result.clean, audit.result.undecided, console)


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Each finding: name and place; what it is; its numbers beside their limits; the next step."""
    for finding in findings:
        severity = finding.severity or Severity.WARNING
        console.print()
        head = Text.assemble((severity.value.upper(), STYLES[severity]), "  ", (finding.check, "bold"))
        console.print(head.append(f"  {finding.where}"))
        console.print(_indented(finding.summary))
        console.print(_indented("; ".join(str(item) for item in finding.evidence), "dim"))
        console.print(_indented(f"-> {finding.fix.summary}", "green"))
        if finding.fix.command:
            console.print(f"   {finding.fix.command}", soft_wrap=True, highlight=False, markup=False)


def print_expected(expected: Iterable[tuple[Finding, str]], console: Console) -> None:
    """Each finding that the dataset's owner has declared, in one line with the reason."""
    for finding, reason in expected:
        console.print()
        console.print(
            Text.assemble(("EXPECTED", "bold"), "  ", (finding.check, "bold"), f"  {finding.where}")
        )
        console.print(_indented(f"{finding.summary} Declared: {reason}"))


def print_outcomes(clean: Collection[str], undecided: Collection[tuple[str, str]], console: Console) -> None:
    """The names of what is clean, and each check that is undecided with its reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in undecided:
        by_reason.setdefault(reason, []).append(name)
    rows = [(Text("clean", "bold green"), ", ".join(clean))] if clean else []
    rows.extend(
        (Text("undecided", "bold"), f"{', '.join(names)}: {reason}") for reason, names in by_reason.items()
    )
    grid = Table.grid(padding=(0, 2))
    for label, text in rows:
        grid.add_row(label, Text(text))
    console.print()
    console.print(grid)


def print_page(name: str, page: str, console: Console) -> None:
    """The page of one check, with its headings set off."""
    console.print(Text(name, style="bold underline"))
    for line in page.splitlines():
        heading = line.startswith("## ")
        console.print(Text(line.removeprefix("## "), style="bold" if heading else ""), soft_wrap=True)


def _indented(text: str, style: str = "") -> Padding:
    return Padding(Text(text, style=style), (0, 0, 0, 3), expand=False)
