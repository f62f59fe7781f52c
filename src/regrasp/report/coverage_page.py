"""What a dataset covers, as one self-contained page: the map, the next episodes, starts and grasps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.coverage import Coverage, JointStart, Map
from regrasp.report.blocks import Block, FigureBlock, FindingsBlock, Row, Section, TableBlock
from regrasp.report.coverage_text import cell_words, map_lines, pose_lines
from regrasp.report.figures import BAD, GOOD, PALETTE, Figure
from regrasp.report.html import write_report

EMPTY, FULL = "#f8e4df", "#3f8fc4"
"""Colours of a cell without a place, and of the fullest."""

NEXT = "#d9822b"
INK, SOFT = "#1c2733", "#64748b"

PIXELS = 470
"""Height of the map; a centimetre is as long upwards as sideways."""


def write_coverage_page(covered: Coverage, out: str | Path) -> Path:
    """Write the page, whole or not at all; gives its path."""
    dataset = covered.dataset
    facts = {"episodes": f"{len(dataset.episodes)}", "grasps": f"{len(covered.grasps)}"}
    sections: list[Section] = []
    if covered.map is not None:
        cells = covered.map.cells
        facts["empty cells"] = f"{int(cells.empty.sum())} of {int(cells.inside.sum())}"
        facts["largest hole"] = f"{100 * covered.map.hole.radius_m:.1f} cm"
        sections.append(_map_section(covered, covered.map))
    sections.append(_poses_section(covered))
    return write_report(sections, out, title="Coverage", subtitle=dataset.name, facts=facts)


def coverage_map(covered: Coverage, mapped: Map) -> Figure:
    """Cells by their counts, recorded places, the largest hole, and numbered places to record next."""
    data = [_cells_trace(mapped), *_place_traces(mapped), _next_trace(covered)]
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    low, high = 100 * mapped.area.low, 100 * mapped.area.high
    margin = 0.06 * float((high - low).max())
    layout: dict[str, Any] = {
        "font": {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "#334155"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "#f1f3f5",
        "margin": {"l": 62, "r": 12, "t": 8, "b": 58},
        "xaxis": axis
        | {"range": [high[1] + margin, low[1] - margin], "title": {"text": "y, cm to the arm's left"}},
        "yaxis": axis
        | {
            "range": [low[0] - margin, high[0] + margin],
            "title": {"text": "x, cm away from the arm"},
            "scaleanchor": "x",
            "constrain": "domain",
        },
        "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
        "shapes": [_hole_shape(mapped)],
        "annotations": list(_cell_labels(mapped)),
        "dragmode": False,
        "hovermode": "closest",
    }
    layout["xaxis"]["constrain"] = "domain"
    caption = (
        f"Seen from above; the arm stands below. {mapped.of.capitalize()} in cells: the darker, the more; "
        "red has none, grey is not part of the area. Dotted: the largest hole."
        + (" In the corners: successes of scored episodes." if mapped.scored else "")
    )
    return Figure(
        "Where the objects lay" if mapped.of == "objects" else "Where the hand grasped",
        {"data": data, "layout": layout},
        caption,
        height=PIXELS,
    )


def _cells_trace(mapped: Map) -> dict[str, Any]:
    cells = mapped.cells
    counts = [
        [int(number) if inside else None for number, inside in zip(row, insides, strict=True)]
        for row, insides in zip(cells.counts, cells.inside, strict=True)
    ]
    most = max(1, int(cells.counts.max()))
    return {
        "type": "heatmap",
        "x": _cm(cells.y_edges),
        "y": _cm(cells.x_edges),
        "z": counts,
        "zmin": 0,
        "zmax": most,
        "colorscale": [[0, EMPTY], [0.5 / most, EMPTY], [0.5 / most, "#e3eef6"], [1, FULL]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverinfo": "skip",
    }


def _cell_labels(mapped: Map) -> Iterator[dict[str, Any]]:
    """The count in the upper left corner of each cell; k/n of success where that tells cells apart."""
    for row, column in np.argwhere(mapped.cells.inside).tolist():
        _, far, _, left = mapped.cells.box(row, column)
        rate = mapped.rates.get((row, column)) if mapped.scored else None
        yield {
            "x": round(100 * left, 2),
            "y": round(100 * far, 2),
            "text": f"{rate.k}/{rate.n}" if rate else str(int(mapped.cells.counts[row, column])),
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "top",
            "xshift": 3,
            "yshift": -2,
            "font": {"size": 12, "color": INK},
        }


def _place_traces(mapped: Map) -> list[dict[str, Any]]:
    """Recorded places: one colour, or by success where some failed."""
    if not mapped.scored:
        return [_points(mapped, "recorded", np.ones(len(mapped.places), np.bool_), INK, "circle")]
    success = np.array([-1 if one is None else int(one) for one in mapped.success])
    kinds = (
        ("succeeded", 1, GOOD, "circle"),
        ("failed", 0, BAD, "x"),
        ("not scored", -1, SOFT, "circle-open"),
    )
    return [
        _points(mapped, name, success == value, colour, symbol)
        for name, value, colour, symbol in kinds
        if (success == value).any()
    ]


def _points(mapped: Map, name: str, chosen: NDArray[np.bool_], colour: str, symbol: str) -> dict[str, Any]:
    places = mapped.places[chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _cm(places[:, 1]),
        "y": _cm(places[:, 0]),
        "hovertext": [
            f"episode {episode}" for episode, keep in zip(mapped.episodes, chosen, strict=True) if keep
        ],
        "hoverinfo": "text",
        "marker": {"color": colour, "symbol": symbol, "size": 7, "opacity": 0.8},
    }


def _next_trace(covered: Coverage) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "record next",
        "x": [round(100 * one.y_m, 2) for one in covered.next],
        "y": [round(100 * one.x_m, 2) for one in covered.next],
        "text": [f"<b>{number}</b>" for number in range(1, len(covered.next) + 1)],
        "textfont": {"color": "#fff", "size": 11},
        "hovertext": [str(one) for one in covered.next],
        "hoverinfo": "text",
        "marker": {"color": NEXT, "size": 20, "line": {"color": "#fff", "width": 1.5}},
    }


def _hole_shape(mapped: Map) -> dict[str, Any]:
    x, y, radius = (100 * value for value in (mapped.hole.x_m, mapped.hole.y_m, mapped.hole.radius_m))
    corners = {"x0": y - radius, "x1": y + radius, "y0": x - radius, "y1": x + radius}
    return {"type": "circle", **corners, "line": {"color": BAD, "width": 1.5, "dash": "dot"}}


def pose_figure(joints: tuple[JointStart, ...], title: str, colour: str) -> Figure:
    """Median and range of each joint; a thick bar is one deviation either way."""
    names = [joint.name for joint in joints]
    usual = [round(joint.usual, 2) for joint in joints]
    data: list[dict[str, Any]] = []
    for label, low, high, width in (
        ("range", [j.low for j in joints], [j.high for j in joints], 2),
        ("one deviation", [j.usual - j.spread for j in joints], [j.usual + j.spread for j in joints], 9),
    ):
        ends = [(round(a, 2), round(b, 2)) for a, b in zip(low, high, strict=True)]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label,
                "x": [value for a, b in ends for value in (a, b, None)],
                "y": [value for name in names for value in (name, name, None)],
                "line": {"color": colour, "width": width},
                "opacity": 0.55,
                "hoverinfo": "x",
            }
        )
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "median",
            "x": usual,
            "y": names,
            "marker": {"color": INK, "size": 8},
            "hoverinfo": "x",
        }
    )
    layout = {
        "font": {"family": "Inter, system-ui, sans-serif", "size": 12, "color": "#334155"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 10, "t": 8, "b": 30},
        "xaxis": {"gridcolor": "#e6eaee", "zeroline": False, "fixedrange": True},
        "yaxis": {"autorange": "reversed", "automargin": True, "fixedrange": True, "gridcolor": "#e6eaee"},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "dragmode": False,
    }
    return Figure(title, {"data": data, "layout": layout}, height=290)


def _map_section(covered: Coverage, mapped: Map) -> Section:
    lead = ". ".join(line[0].upper() + line[1:] for line in map_lines(mapped)) + "."
    if covered.next:
        lead += f" Start each new episode from the usual pose: {covered.start_pose}."
    blocks: list[Block] = [FigureBlock(coverage_map(covered, mapped), half=True)]
    if covered.next:
        blocks.append(_next_table(covered, mapped))
    if mapped.scored:
        rows = tuple((cell_words(mapped, cell), str(rate)) for cell, rate in mapped.rates.items())
        blocks.append(TableBlock(("cell", "success, 95 % interval"), rows, "Success in each cell"))
    return Section("The map", tuple(blocks), lead)


def _next_table(covered: Coverage, mapped: Map) -> TableBlock:
    x, y = mapped.area.centre
    rows = [
        (str(number), one.words, _in_cm(one.x_m), _in_cm(one.y_m), f"{one.nearest_cm:.1f}")
        for number, one in enumerate(covered.next, start=1)
    ]
    middle = ("", "the middle itself", _in_cm(x), _in_cm(y), "")
    return TableBlock(
        ("", "where to put the object; cm", "x", "y", "nearest"), (*rows, middle), "Record next", half=True
    )


def _in_cm(metres: float) -> str:
    return f"{100 * metres:.1f}"


def _poses_section(covered: Coverage) -> Section:
    lead = ". ".join(pose_lines(covered)) + "."
    blocks: list[Block] = []
    if covered.starts:
        blocks.append(FigureBlock(pose_figure(covered.starts, "First frames", PALETTE[0]), half=True))
    if covered.grasp_joints:
        blocks.append(FigureBlock(pose_figure(covered.grasp_joints, "Grasps", PALETTE[2]), half=True))
    if covered.undecided:
        rows = tuple(Row(what, reason, "warning") for what, reason in covered.undecided)
        blocks.append(FindingsBlock(rows, "Undecided"))
    return Section("Starts and grasps, joint by joint", tuple(blocks), lead)


def _cm(metres: NDArray[np.float64]) -> list[float]:
    return [round(100 * float(value), 2) for value in metres]
