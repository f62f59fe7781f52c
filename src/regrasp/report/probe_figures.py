"""Figures of what probes did: how far inputs lie from training, and whether the policy cares."""

from collections.abc import Sequence

import numpy as np

from regrasp.diagnosis.probe import PLAN_MOVES, ProbeResult
from regrasp.report.figures import BAD, GOOD, PALETTE, TRAINING, Figure, plain_layout, short, upright


def probe_bars(probes: Sequence[ProbeResult]) -> Figure | None:
    """How far each input lies from training before and after each intervention; None without probes."""
    rows = [(f"{_wrapped(p.intervention)}<br><b>{d.name}</b>", d) for p in probes for d in p.distances]
    if not rows:
        return None
    labels = [label for label, _ in rows][::-1]
    shown = [distance for _, distance in rows][::-1]
    levels = {
        "as it was": ([d.before / d.limit for d in shown], BAD),
        "put right": ([d.after / d.limit for d in shown], GOOD),
    }
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": [max(value, 0.02) for value in values],
            "y": labels,
            "marker": {"color": colour},
            "hovertext": [f"{name}: {value:.2g} times the healthy limit" for value in values],
            "hoverinfo": "text",
        }
        for name, (values, colour) in levels.items()
    ]
    layout = plain_layout(x="distance to training, in healthy limits (log scale)")
    layout["barmode"] = "group"
    layout["xaxis"] |= {"type": "log", "dtick": 1}
    layout["yaxis"] |= {"automargin": True, "showgrid": False}
    layout["shapes"] = [upright(1.0)]
    caption = (
        "Left of the dotted line lies what the training shows too; of an input, 99 of 100 of its starts."
    )
    return Figure(
        "Distance to training, before and after",
        {"data": data, "layout": layout},
        caption,
        height=110 + 62 * len(rows),
    )


def plan_moves(probes: Sequence[ProbeResult], counts_from: float) -> Figure | None:
    """How far the plan moves when an input is put right, with its interval; None without probes of inputs."""
    shown = [probe for probe in probes if probe.moving == PLAN_MOVES][::-1]
    if not shown:
        return None
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": short(np.array([probe.moved for probe in shown])),
            "y": [_wrapped(probe.intervention) for probe in shown],
            "marker": {"color": [PALETTE[0] if p.moved >= counts_from else TRAINING for p in shown]},
            "error_x": {
                "type": "data",
                "array": short(np.array([max(p.moved95[1] - p.moved, 0) for p in shown])),
                "arrayminus": short(np.array([max(p.moved - p.moved95[0], 0) for p in shown])),
                "color": "#1c2733",
                "thickness": 1.4,
            },
            "hoverinfo": "x",
            "width": 0.5,
        }
    ]
    layout = plain_layout(x="plan moves, in its spread over training starts")
    layout["yaxis"] |= {"automargin": True, "showgrid": False}
    layout["xaxis"] |= {"rangemode": "tozero"}
    layout["shapes"] = [upright(counts_from)]
    caption = f"Left of the dotted line ({counts_from:g}) the policy does not care."
    return Figure(
        "Does the policy care?", {"data": data, "layout": layout}, caption, height=110 + 46 * len(shown)
    )


def _wrapped(text: str, width: int = 30) -> str:
    """Long names in several lines, for a phone."""
    import textwrap

    return "<br>".join(textwrap.wrap(text, width))
