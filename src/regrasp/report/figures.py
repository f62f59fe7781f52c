"""What a figure is, how all of them look, and the one of success with its intervals.

A figure is what Plotly draws: `data` and `layout` as plain dictionaries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.stats import Rate

TRAINING = "#7b8794"
GOOD, BAD = "#1f8a70", "#c8553d"
PALETTE = ("#2f6fab", "#c8553d", "#1f8a70", "#8a5fb0", "#b98b1f", "#4b9cb8")
"""Training is grey everywhere; runs take their colour from the palette in order."""


@dataclass(frozen=True)
class Figure:
    """One drawing. `spec` is Plotly's data and layout."""

    title: str
    spec: Mapping[str, Any]
    caption: str = ""
    height: int = 320


def success_rates(rates: Mapping[str, Rate], *, baseline: tuple[str, Rate] | None = None) -> Figure:
    """Each run's success with its 95 % Wilson interval; `baseline` is drawn as a band behind them."""
    names = list(rates)[::-1]
    shown = [rates[name] for name in names]
    values = [100 * rate.value if rate.n else None for rate in shown]
    above = [100 * (rate.wilson95[1] - rate.value) if rate.n else 0 for rate in shown]
    below = [100 * (rate.value - rate.wilson95[0]) if rate.n else 0 for rate in shown]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": names,
        "marker": {"color": [_standing(rate, shown) for rate in shown]},
        "error_x": {
            "type": "data",
            "array": above,
            "arrayminus": below,
            "color": "#1c2733",
            "thickness": 1.6,
        },
        "hovertext": [f"{name}: {rate}" for name, rate in zip(names, shown, strict=True)],
        "hoverinfo": "text",
        "width": 0.5,
    }
    counts = [
        {
            "x": 1.01,
            "xref": "paper",
            "y": name,
            "text": f"<b>{rate.k}/{rate.n}</b>",
            "showarrow": False,
            "xanchor": "left",
        }
        for name, rate in zip(names, shown, strict=True)
    ]
    layout = plain_layout(
        x="success, % (bar: 95 % Wilson interval)", margin={"l": 10, "r": 64, "t": 8, "b": 44}
    )
    layout["xaxis"] |= {"range": [0, 101]}
    layout["yaxis"] |= {"automargin": True, "tickfont": {"size": 13}, "showgrid": False}
    layout["annotations"] = counts
    if baseline is not None:
        layout["shapes"] = [_band_behind(baseline[1])]
    caption = "" if baseline is None else f"Grey band: {baseline[0]}, {baseline[1]}."
    return Figure("Success", {"data": [bars], "layout": layout}, caption, height=80 + 46 * len(names))


def _standing(rate: Rate, others: Sequence[Rate]) -> str:
    """Red for a rate whose interval lies below that of the best."""
    best = max((other.wilson95[0] for other in others if other.n), default=0.0)
    return BAD if rate.wilson95[1] < best else GOOD


def colours() -> Sequence[str]:
    """The palette, over and over."""
    return PALETTE * 3


def plain_layout(*, x: str = "", y: str = "", margin: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Plotly's layout of every figure: its fonts, colours and axes."""
    return {
        "font": {
            "family": "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif",
            "size": 12,
            "color": "#334155",
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": dict(margin or {"l": 52, "r": 12, "t": 8, "b": 46}),
        "xaxis": axis_style(x),
        "yaxis": axis_style(y),
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        "hovermode": "closest",
        "dragmode": False,
    }


def axis_style(title: str) -> dict[str, Any]:
    """Plotly's settings of one axis."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": "#64748b"}},
        "gridcolor": "#e6eaee",
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
    }


def _band_behind(rate: Rate) -> dict[str, Any]:
    low, high = (100 * limit for limit in rate.wilson95)
    place = {"xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1}
    return {"type": "rect", **place, "fillcolor": "#e2e7ec", "line": {"width": 0}, "layer": "below"}


def upright(x: float) -> dict[str, Any]:
    """A dotted line from bottom to top."""
    place = {"xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1}
    return {"type": "line", **place, "line": {"color": "#1c2733", "width": 1, "dash": "dot"}}


def short(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers with two decimals, which no eye tells apart, and null for what is no number."""
    return [round(float(value), 2) if np.isfinite(value) else None for value in values]
