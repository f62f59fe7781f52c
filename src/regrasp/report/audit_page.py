"""The page of an audit: which episode has what, and for each finding the pictures or curves that show it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from regrasp.data import Dataset, Episode
from regrasp.diagnosis.audit import Audit
from regrasp.diagnosis.finding import Finding, Severity, count
from regrasp.errors import DatasetError
from regrasp.report.blocks import (
    Block,
    FigureBlock,
    Picture,
    PicturesBlock,
    Section,
    TableBlock,
    VerdictBlock,
)
from regrasp.report.figures import BAD, TRAINING, Figure, plain_layout
from regrasp.report.html import write_report
from regrasp.report.pictures import enlarged, picture_uri
from regrasp.report.sections import findings_block

MOST_ILLUSTRATED = 12
"""Findings beyond these are listed without a drawing: each picture adds some 20 kB to the page."""

MOST_OTHERS = 40
"""Other episodes that are drawn in grey behind the one that a finding names."""

SEVERITY_COLOURS = {Severity.INFO: "#4b9cb8", Severity.WARNING: "#d9a21b", Severity.ERROR: BAD}
_CAMERA_CHECK = ("camera", "video", "light")


def write_audit_page(audit: Audit, out: str | Path) -> Path:
    """Write the page, whole or not at all; gives its path."""
    size = f"{count(len(audit.dataset.episodes), 'episode')}, {count(audit.dataset.frames, 'frame')}"
    return write_report(
        _sections(audit), out, title=audit.dataset.name, subtitle=f"Audit of {size}", facts=_facts(audit)
    )


def _facts(audit: Audit) -> dict[str, str]:
    numbers = {
        severity: sum(finding.severity is severity for finding in audit.findings) for severity in Severity
    }
    return {
        "errors": str(numbers[Severity.ERROR]),
        "warnings": str(numbers[Severity.WARNING]),
        "worth knowing": str(numbers[Severity.INFO]),
        "checks that found nothing": str(len(audit.result.clean)),
        "episodes to keep": f"{len(audit.kept)} of {len(audit.dataset.episodes)}",
    }


def _sections(audit: Audit) -> Iterator[Section]:
    verdict = VerdictBlock(_headline(audit), (), None, "good" if audit.sound else "bad")
    strip = episode_strip(audit)
    blocks: tuple[Block, ...] = (verdict, FigureBlock(strip, wide=True)) if strip else (verdict,)
    yield Section("What was found", blocks, tone=verdict.tone)
    for place, finding in enumerate(audit.findings):
        shown = _illustration(audit.dataset, finding) if place < MOST_ILLUSTRATED else None
        row = findings_block([finding])
        blocks = (row, *((shown,) if shown else ()))
        yield Section(finding.check, blocks, f"{_capital(str(finding.where))}. {finding.fix.summary}")
    yield Section("Looked at", tuple(_tables(audit)))


def _headline(audit: Audit) -> str:
    if audit.sound:
        return "Nothing was found that costs success"
    worst = [finding for finding in audit.findings if finding.severity is not Severity.INFO]
    return f"{count(len(worst), 'defect')} to look at before training"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def episode_strip(audit: Audit) -> Figure | None:
    """A row for each check that found something, a column for each episode; None when nothing was found."""
    names = list(dict.fromkeys(finding.check for finding in audit.findings))
    numbers = [episode.index for episode in audit.dataset.episodes]
    if not names:
        return None
    marks = np.zeros((len(names), len(numbers)), dtype=np.int64)
    for finding in audit.findings:
        level = 3 - (finding.severity.rank if finding.severity else 0)
        hit = np.isin(numbers, finding.where.episodes) if finding.where.episodes else np.array(True)
        row = marks[names.index(finding.check)]
        row[:] = np.where(hit, np.maximum(row, level), row)
    return Figure(
        "Which episode has what",
        {"data": [_marks(marks, names, numbers)], "layout": _strip_layout()},
        "Red: training on it is wasted. Yellow: it costs success. Blue: worth knowing.",
        height=70 + 30 * len(names),
    )


def _marks(
    marks: np.ndarray[Any, np.dtype[np.int64]], names: list[str], numbers: list[int]
) -> dict[str, Any]:
    colours = ["#eef1f4", *SEVERITY_COLOURS.values()]
    steps = [step for i, colour in enumerate(colours) for step in ([i / 4, colour], [(i + 1) / 4, colour])]
    return {
        "type": "heatmap",
        "z": marks[::-1].tolist(),
        "x": numbers,
        "y": names[::-1],
        "zmin": -0.5,
        "zmax": 3.5,
        "xgap": 1 if len(numbers) <= 120 else 0,
        "ygap": 3,
        "colorscale": steps,
        "showscale": False,
        "hovertemplate": "%{y}<br>episode %{x}<extra></extra>",
    }


def _strip_layout() -> dict[str, Any]:
    layout = plain_layout(x="episode", margin={"l": 190, "r": 8, "t": 4, "b": 42})
    layout["yaxis"] |= {"showgrid": False}
    layout["xaxis"] |= {"showgrid": False}
    return layout


def _illustration(dataset: Dataset, finding: Finding) -> Block | None:
    """The pictures or curves of the first episode that the finding names, beside the others."""
    episode = _first(dataset, finding.where.episodes)
    if episode is None:
        return None
    if finding.where.camera or any(word in finding.check for word in _CAMERA_CHECK):
        return _pictures(dataset, finding, episode)
    joints = dataset.joint_names
    if finding.where.joint in joints:
        return FigureBlock(_curves(dataset, finding, episode, joints.index(finding.where.joint)))
    return None


def _first(dataset: Dataset, numbers: tuple[int, ...]) -> Episode | None:
    return next((episode for episode in dataset.episodes if episode.index in numbers), None)


def _pictures(dataset: Dataset, finding: Finding, episode: Episode) -> PicturesBlock | None:
    """Three moments of each camera concerned, in the episode named and in one that is not."""
    sound = next((one for one in dataset.episodes if one.index not in finding.where.episodes), None)
    first, last = finding.where.frames or (0, episode.length - 1)
    moments = sorted({first, (first + last) // 2, min(last, episode.length - 1)})
    shown = list(_views(episode, finding.where.camera, moments))
    if sound:
        shown += _views(sound, finding.where.camera, [0, sound.length // 2])
    return PicturesBlock(tuple(shown)) if shown else None


def _views(episode: Episode, only: str | None, moments: list[int]) -> Iterator[Picture]:
    for name, camera in episode.cameras.items():
        if only in (None, name):
            try:
                pictures = enlarged(camera.frames(moments))
            except DatasetError:  # which has been said by the check for it
                continue
            for moment, picture in zip(moments, pictures, strict=True):
                yield Picture(picture_uri(picture), f"{name}, episode {episode.index}, frame {moment}")


def _curves(dataset: Dataset, finding: Finding, episode: Episode, joint: int) -> Figure:
    """Command and measurement of one joint in the episode named; other episodes' measurements in grey."""
    others = [one for one in dataset.episodes if one is not episode]
    data = [_line(one, one.states[:, joint], "other episodes", TRAINING, 0.5) for one in others[:MOST_OTHERS]]
    for place, trace in enumerate(data):
        trace["showlegend"] = place == 0
        trace["opacity"] = 0.35
    data.append(
        _line(episode, episode.actions[:, joint], f"command, episode {episode.index}", "#2f6fab", 1.6)
    )
    data.append(_line(episode, episode.states[:, joint], f"measured, episode {episode.index}", BAD, 1.6))
    layout = plain_layout(x="s")
    if finding.where.frames and len(finding.where.episodes) == 1:
        ends = [frame / episode.fps for frame in finding.where.frames]
        place = {"xref": "x", "yref": "paper", "x0": ends[0], "x1": ends[1], "y0": 0, "y1": 1}
        layout["shapes"] = [
            {"type": "rect", **place, "fillcolor": "#f6e7c8", "line": {"width": 0}, "layer": "below"}
        ]
    name = dataset.joint_names[joint]
    return Figure(name, {"data": data, "layout": layout}, "In the unit of the recording.", height=280)


def _line(
    episode: Episode, values: np.ndarray[Any, np.dtype[np.float64]], name: str, colour: str, width: float
) -> dict[str, Any]:
    step = max(episode.length // 300, 1)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [round(i / episode.fps, 3) for i in range(0, episode.length, step)],
        "y": [round(float(v), 2) if np.isfinite(v) else None for v in values[::step]],
        "line": {"color": colour, "width": width},
    }


def _tables(audit: Audit) -> Iterator[TableBlock]:
    if audit.expected:
        rows = tuple((finding.check, finding.summary, reason) for finding, reason in audit.expected)
        yield TableBlock(("check", "found", "declared as expected because"), rows, "Expected")
    if audit.result.undecided:
        yield TableBlock(("check", "why it could not be judged"), audit.result.undecided, "Undecided")
    yield TableBlock(("check",), tuple((name,) for name in audit.result.clean), "Clean", half=True)
