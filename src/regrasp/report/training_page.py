"""What came of a training, as figures: loss, answers about held-out episodes, gripper and seams."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from regrasp.data.journal import Answers, Evaluation, Journal
from regrasp.data.selection import Selection
from regrasp.diagnosis.judgement import judge
from regrasp.report.blocks import (
    Block,
    FigureBlock,
    FindingsBlock,
    Row,
    Section,
    TableBlock,
    Tone,
    VerdictBlock,
)
from regrasp.report.figures import PALETTE, TRAINING, Figure, plain_layout, success_rates
from regrasp.report.html import write_report
from regrasp.stats import Rate

TONES: dict[str, Tone] = {"overfitting": "bad"}
"""The other verdicts are neither good nor bad news: see the epochs in docs/results.md."""


def write_training_page(journal: Journal, out: str | Path, selection: Selection | None = None) -> Path:
    """Write the page, with the checkpoint that was chosen where one was, whole or not at all; gives its path."""
    facts = {"steps": str(journal.total_steps), "held-out episodes": str(len(journal.held_out))}
    if journal.plan:
        facts["epochs"] = f"{journal.plan['epochs']:g}"
    if journal.evaluations:
        facts["held-out error"] = f"{journal.evaluations[-1].held_out.action_error:.3g}"
    if selection is not None:
        facts["best checkpoint"] = f"step {selection.step}"
    chosen = [] if selection is None else [selection_section(selection)]
    sections = [*chosen, curves_section(journal), *plan_sections(journal)]
    return write_report(
        sections, out, title=f"Training {journal.policy}", subtitle=Path(journal.dataset).name, facts=facts
    )


def curves_section(journal: Journal, *, title: str = "How it learned") -> Section:
    """The verdict and the curves of one training."""
    verdict = judge(journal)
    tone = TONES.get(verdict.kind, "")
    drawn = (loss_curve(journal), action_curve(journal), gripper_curve(journal), seam_curve(journal))
    blocks: list[Block] = [VerdictBlock(verdict.headline, verdict.lines, tone=tone)]
    blocks += [FigureBlock(figure, half=True) for figure in drawn if figure is not None]
    if journal.notes:
        blocks.append(FindingsBlock(tuple(Row("note", line) for line in journal.notes)))
    return Section(title, tuple(blocks), _resumed(journal), tone)


def selection_section(selection: Selection, *, title: str = "Which checkpoint to keep") -> Section:
    """The choice, what speaks for it, and the figures of every checkpoint."""
    verdict = VerdictBlock(f"Step {selection.step}, {selection.headline}.", selection.lines)
    rates = {
        f"step {one.step}": Rate(one.successes, one.starts)
        for one in selection.tried
        if one.successes is not None
    }
    blocks: list[Block] = [verdict]
    if rates:
        blocks.append(FigureBlock(success_rates(rates), half=True))
    errors = tuple(
        (str(one.step), f"{one.held_out_error:.3g}")
        for one in selection.tried
        if one.held_out_error is not None
    )
    if errors:
        blocks.append(TableBlock(("step", "held-out error"), errors, half=True))
    if selection.warnings:
        blocks.append(FindingsBlock(tuple(Row("warning", line, "warning") for line in selection.warnings)))
    return Section(title, tuple(blocks))


def plan_sections(journal: Journal) -> list[Section]:
    """Each number of the plan with its reason; none for a run without a plan."""
    if not journal.plan:
        return []
    rows = tuple((one["what"], _value(one), one["why"]) for one in journal.plan["reasons"])
    warned = tuple(Row("warning", text, "warning") for text in journal.plan["warnings"])
    blocks: list[Block] = [FindingsBlock(warned)] if warned else []
    return [Section("The plan", (*blocks, TableBlock(("", "number", "why"), rows)))]


def loss_curve(journal: Journal) -> Figure | None:
    """Training loss on a logarithmic axis; None when nothing was logged."""
    if not journal.losses:
        return None
    epochs = [row["epoch"] for row in journal.steps if "loss" in row]
    line = _line("training loss", epochs, [loss for _, loss in journal.losses], TRAINING)
    return Figure("Training loss", _spec([line], "loss (log scale)", log=True))


def action_curve(journal: Journal) -> Figure | None:
    """Distance of the policy's actions to the demonstrations': held out, and trained on."""
    caption = (
        "Mean over joints of the actions that would be carried out, in the dataset's units. Thin lines: each held-out "
        "episode."
    )
    figure = _curve(journal, "Action error", "error", lambda answers: answers.action_error, caption)
    if figure is None:
        return None
    data = [*_episode_lines(journal.evaluations), *figure.spec["data"]]
    return Figure(figure.title, {**figure.spec, "data": data}, caption)


def gripper_curve(journal: Journal) -> Figure | None:
    """Share of the steps around a closing or opening with the gripper on the wrong side."""
    caption = "Steps around the moments in which the demonstrations open or close the gripper."
    return _curve(
        journal, "Gripper on the wrong side", "share", lambda answers: answers.gripper_error, caption
    )


def seam_curve(journal: Journal) -> Figure | None:
    """Jump from one chunk to the next, beside that of the demonstrations."""
    caption = "Median over places of the largest joint's jump. Dotted: the demonstrations' own step there."
    figure = _curve(journal, "Seams", "jump", lambda answers: answers.seam, caption)
    shown = journal.evaluations[-1].held_out.seam_demonstrated if journal.evaluations else None
    if figure is None or shown is None:
        return figure
    at = {"xref": "paper", "x0": 0, "x1": 1, "y0": shown, "y1": shown}
    line = {"type": "line", **at, "line": {"color": "#1c2733", "width": 1, "dash": "dot"}}
    layout = {**figure.spec["layout"], "shapes": [line]}
    return Figure(figure.title, {**figure.spec, "layout": layout}, caption)


def _curve(
    journal: Journal, title: str, axis: str, value: Callable[[Answers], float | None], caption: str
) -> Figure | None:
    """One number of each evaluation, held out and trained on; None where it was never measured."""
    epochs = [one.epoch for one in journal.evaluations]
    held = [value(one.held_out) for one in journal.evaluations]
    seen = [None if one.training is None else value(one.training) for one in journal.evaluations]
    if not any(number is not None for number in held):
        return None
    data = [
        _line("trained on", epochs, seen, TRAINING),
        _line("held out", epochs, held, PALETTE[0], width=2.4),
    ]
    return Figure(title, _spec(data, axis), caption)


def _episode_lines(found: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Each held-out episode as a thin line."""
    epochs = [one.epoch for one in found]
    numbers = sorted({number for one in found for number in one.held_out.episodes})
    return [
        _line(
            f"episode {number}",
            epochs,
            [one.held_out.episodes.get(number) for one in found],
            PALETTE[0],
            width=0.8,
        )
        | {"showlegend": False, "opacity": 0.35, "mode": "lines"}
        for number in numbers
    ]


def _line(
    name: str, epochs: Sequence[float], values: Sequence[float | None], colour: str, *, width: float = 1.6
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(values) < 40 else "lines",
        "name": name,
        "x": [round(epoch, 3) for epoch in epochs],
        "y": [None if value is None else float(f"{value:.5g}") for value in values],
        "line": {"color": colour, "width": width},
        "marker": {"size": 5},
    }


def _spec(data: list[dict[str, Any]], axis: str, *, log: bool = False) -> dict[str, Any]:
    layout = plain_layout(x="epoch", y=axis)
    layout["yaxis"] |= {"type": "log"} if log else {"rangemode": "tozero"}
    return {"data": data, "layout": layout}


def _value(reason: dict[str, Any]) -> str:
    if reason["value"] is None:
        return "unknown"
    number = f"{reason['value']:.6g}" if isinstance(reason["value"], float) else str(reason["value"])
    return f"{number} {reason['unit']}".strip()


def _resumed(journal: Journal) -> str:
    """Where a run was stopped and taken up again."""
    if not journal.resumed_at:
        return "" if journal.finished else "Not finished."
    steps = ", ".join(map(str, journal.resumed_at))
    return f"Stopped and taken up again at step {steps}." + ("" if journal.finished else " Not finished.")
