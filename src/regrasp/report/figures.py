"""Figures that people would draw themselves: success with intervals, gripper, joints, starts, jumps, probes.

A figure is what Plotly draws: `data` and `layout` as plain dictionaries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.measures import gripper_index
from regrasp.data.rollouts import Ticks
from regrasp.diagnosis import motion_signals
from regrasp.diagnosis.probe import PLAN_MOVES, ProbeResult
from regrasp.stats import Rate

TRAINING = "#7b8794"
GOOD, BAD = "#1f8a70", "#c8553d"
PALETTE = ("#2f6fab", "#c8553d", "#1f8a70", "#8a5fb0", "#b98b1f", "#4b9cb8")
"""Training is grey everywhere; runs take their colour from the palette in order."""

BAND = (5, 50, 95)
"""Percentiles of the training that a band shows."""


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


def gripper_histogram(
    train: Dataset, runs: Mapping[str, Dataset], threshold: float | None = None
) -> Figure | None:
    """How far open the gripper is, in training and in each run; None without a gripper."""
    place = gripper_index(train.joint_names)
    if place is None:
        return None
    widest = max(102.0, float(np.nanmax(train.states[:, place])) + 2)
    edges = np.linspace(-2.0, widest, 53, dtype=np.float64)
    data = [_histogram("training", train.states[:, place], edges, TRAINING, fill=True)]
    for (name, run), colour in zip(runs.items(), _colours(), strict=False):
        data.append(_histogram(name, run.states[:, place], edges, colour, fill=False))
    layout = plain_layout(x="gripper (0 closed, 100 open)", y="share of frames, %")
    if threshold is not None:
        layout["shapes"] = [_upright(threshold)]
        layout["annotations"] = [_note(threshold, "closed below")]
    return Figure("Gripper", {"data": data, "layout": layout}, _closed_shares(train, runs, place, threshold))


def joint_traces(train: Dataset, runs: Mapping[str, Dataset], *, most: int = 8) -> Figure:
    """Each joint over time: the training's 5th to 95th percentile, and up to `most` episodes of each run."""
    names = train.joint_names
    columns, rows = 3, -(-len(names) // 3)
    seconds, bands = training_band(train)
    data: list[dict[str, Any]] = []
    layout = plain_layout(margin={"l": 40, "r": 4, "t": 26, "b": 40})
    del layout["xaxis"], layout["yaxis"]
    annotations: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        axis = "" if place == 0 else str(place + 1)
        column, row = place % columns, place // columns
        x0, x1 = column / columns + 0.025 * (column > 0), (column + 1) / columns - 0.025
        y0, y1 = 1 - (row + 1) / rows + 0.1 * (row < rows - 1), 1 - row / rows - 0.06
        layout[f"xaxis{axis}"] = axis_style("s" if row == rows - 1 else "") | {
            "domain": [x0, x1],
            "anchor": f"y{axis}",
        }
        layout[f"yaxis{axis}"] = axis_style("") | {"domain": [y0, y1], "anchor": f"x{axis}"}
        annotations.append(_panel_title(name, x0, y1))
        data.extend(_band(seconds, bands[:, :, place], axis, first=place == 0))
        for (run, dataset), colour in zip(runs.items(), _colours(), strict=False):
            data.append(_traces(run, dataset, place, axis, colour, most, first=place == 0))
    layout["annotations"] = annotations
    caption = (
        "Grey: the training's 5th to 95th percentile at that time, median dotted. Degrees; gripper 0-100."
    )
    return Figure("Joints over time", {"data": data, "layout": layout}, caption, height=210 * rows)


def training_band(train: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds [T] and percentiles [3, T, J] of the training, for as long as half the episodes last."""
    lengths = sorted(episode.length for episode in train.episodes)
    last = max(lengths[len(lengths) // 2], 1)
    padded = np.full((len(train.episodes), last, len(train.joint_names)), np.nan)
    for row, episode in enumerate(train.episodes):
        padded[row, : episode.length] = episode.states[:last]
    return np.arange(last) / train.fps, np.nanpercentile(padded, BAND, axis=0)


def start_poses(train: Dataset, runs: Mapping[str, Dataset]) -> Figure:
    """Where each joint stood in first frames, as a distance from the training's mean start."""
    starts = _starts(train)
    mean = starts.mean(axis=0)
    data = [_starts_trace("training", starts - mean, train.joint_names, TRAINING, 0.0)]
    shown = zip(runs.items(), _colours(), strict=False)
    for number, ((name, run), colour) in enumerate(shown, start=1):
        data.append(_starts_trace(name, _starts(run) - mean, train.joint_names, colour, -0.13 * number))
    layout = plain_layout(x="degrees from the training's mean start")
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": "#9aa5b1"}
    layout["yaxis"] |= {
        "tickvals": list(range(len(train.joint_names))),
        "ticktext": list(train.joint_names),
        "autorange": "reversed",
        "automargin": True,
    }
    return Figure("Start poses", {"data": data, "layout": layout}, height=360)


def largest_steps(train: Dataset, runs: Mapping[str, Dataset]) -> Figure:
    """The 99th percentile of each joint's step from one action to the next: jerkiness, joint by joint."""
    data = [_steps("training", train, TRAINING)]
    for (name, run), colour in zip(runs.items(), _colours(), strict=False):
        data.append(_steps(name, run, colour))
    layout = plain_layout(y="99 % of steps are below, degrees") | {"barmode": "group", "bargap": 0.35}
    layout["xaxis"] = axis_style("") | {"automargin": True, "tickangle": -30}
    return Figure("Steps from action to action", {"data": data, "layout": layout})


def jumps(train: Dataset, deployed: Dataset, ticks: Ticks) -> Figure | None:
    """The largest step of each joint's command in every episode: demonstrations, within chunks, and at seams.

    None where the turns of the loop are not known.
    """
    if not len(ticks) or not deployed.episodes:
        return None
    at_seams, within = motion_signals.largest_steps_in_chunks(deployed.episodes, ticks)
    sides = (
        ("demonstrations", motion_signals.largest_steps(train.episodes), TRAINING),
        ("within chunks", within, PALETTE[0]),
        ("at seams", at_seams, BAD),
    )
    data = [_boxes(name, steps, train.joint_names, colour) for name, steps, colour in sides]
    layout = plain_layout(y="largest step in an episode, degrees") | {"boxmode": "group", "boxgap": 0.3}
    layout["xaxis"] = axis_style("") | {"automargin": True, "tickangle": -30}
    caption = "One value for each episode: where one action chunk follows another, and elsewhere."
    return Figure("Jumps at seams", {"data": data, "layout": layout}, caption)


def _boxes(name: str, steps: NDArray[np.float64], joints: Sequence[str], colour: str) -> dict[str, Any]:
    return {
        "type": "box",
        "name": name,
        "x": [joint for joint in joints for _ in steps],
        "y": _short(steps.T.ravel()),
        "marker": {"color": colour, "size": 4},
        "line": {"width": 1.3},
        "boxpoints": "outliers",
        "hoverinfo": "y+name",
    }


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
    layout["shapes"] = [_upright(1.0)]
    caption = (
        "Left of the dotted line lies what 99 of 100 training starts show, in the policy's own features."
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
            "x": _short(np.array([probe.moved for probe in shown])),
            "y": [_wrapped(probe.intervention) for probe in shown],
            "marker": {"color": [PALETTE[0] if p.moved >= counts_from else TRAINING for p in shown]},
            "error_x": {
                "type": "data",
                "array": _short(np.array([max(p.moved95[1] - p.moved, 0) for p in shown])),
                "arrayminus": _short(np.array([max(p.moved - p.moved95[0], 0) for p in shown])),
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
    layout["shapes"] = [_upright(counts_from)]
    caption = f"Left of the dotted line ({counts_from:g}) the policy does not care."
    return Figure(
        "Does the policy care?", {"data": data, "layout": layout}, caption, height=110 + 46 * len(shown)
    )


def _wrapped(text: str, width: int = 30) -> str:
    """Long names in several lines, for a phone."""
    import textwrap

    return "<br>".join(textwrap.wrap(text, width))


def _colours() -> Sequence[str]:
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


def _histogram(
    name: str, values: NDArray[np.float64], edges: NDArray[np.float64], colour: str, *, fill: bool
) -> dict[str, Any]:
    counts, _ = np.histogram(values[np.isfinite(values)], bins=edges)
    shares = 100 * counts / max(int(counts.sum()), 1)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": _short((edges[:-1] + edges[1:]) / 2),
        "y": _short(shares),
        "line": {"color": colour, "width": 1 if fill else 2.2, "shape": "hvh"},
        **({"fill": "tozeroy", "fillcolor": "rgba(123,135,148,0.30)"} if fill else {}),
    }


def _closed_shares(train: Dataset, runs: Mapping[str, Dataset], place: int, threshold: float | None) -> str:
    if threshold is None:
        return ""
    shares = [
        f"{name} {100 * float(np.mean(data.states[:, place] < threshold)):.0f} %"
        for name, data in {"training": train, **runs}.items()
    ]
    return f"Share of frames with the gripper closed: {', '.join(shares)}."


def _upright(x: float) -> dict[str, Any]:
    place = {"xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1}
    return {"type": "line", **place, "line": {"color": "#1c2733", "width": 1, "dash": "dot"}}


def _note(x: float, text: str) -> dict[str, Any]:
    return {
        "x": x,
        "y": 1,
        "yref": "paper",
        "text": text,
        "showarrow": False,
        "xanchor": "right",
        "xshift": -5,
        "yanchor": "top",
        "font": {"size": 11, "color": "#64748b"},
    }


def _panel_title(name: str, x: float, y: float) -> dict[str, Any]:
    return {
        "text": f"<b>{name}</b>",
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12},
    }


def _band(
    seconds: NDArray[np.float64], percentiles: NDArray[np.float64], axis: str, *, first: bool
) -> list[dict[str, Any]]:
    low, median, high = percentiles
    around = np.concatenate([seconds, seconds[::-1]])
    shared = {
        "type": "scatter",
        "mode": "lines",
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "hoverinfo": "skip",
    }
    return [
        {
            **shared,
            "name": "training",
            "legendgroup": "training",
            "showlegend": first,
            "x": _short(around),
            "y": _short(np.concatenate([high, low[::-1]])),
            "fill": "toself",
            "line": {"width": 0, "color": TRAINING},
            "fillcolor": "rgba(123,135,148,0.28)",
        },
        {
            **shared,
            "showlegend": False,
            "legendgroup": "training",
            "x": _short(seconds),
            "y": _short(median),
            "line": {"width": 1, "color": TRAINING, "dash": "dot"},
        },
    ]


def _traces(
    run: str, dataset: Dataset, place: int, axis: str, colour: str, most: int, *, first: bool
) -> dict[str, Any]:
    """Several episodes as one line with gaps."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for episode in dataset.episodes[:most]:
        step = max(1, episode.length // 150)
        xs += [*_short(np.arange(0, episode.length, step) / dataset.fps), None]
        ys += [*_short(episode.states[::step, place]), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": run,
        "legendgroup": run,
        "showlegend": first,
        "x": xs,
        "y": ys,
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "line": {"width": 1.1, "color": colour},
        "opacity": 0.75,
        "hoverinfo": "skip",
    }


def _starts(dataset: Dataset) -> NDArray[np.float64]:
    return np.stack([episode.states[0] for episode in dataset.episodes])


def _starts_trace(
    name: str, away: NDArray[np.float64], joints: Sequence[str], colour: str, lift: float
) -> dict[str, Any]:
    places = np.tile(np.arange(len(joints), dtype=float), len(away)) - lift
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _short(away.ravel()),
        "y": _short(places),
        "marker": {"color": colour, "size": 7, "opacity": 0.55, "line": {"width": 0}},
        "hoverinfo": "x+name",
    }


def _steps(name: str, dataset: Dataset, colour: str) -> dict[str, Any]:
    steps = np.concatenate([np.abs(np.diff(episode.actions, axis=0)) for episode in dataset.episodes])
    sizes = np.nanpercentile(steps, 99, axis=0) if len(steps) else np.zeros(len(dataset.joint_names))
    return {
        "type": "bar",
        "name": name,
        "x": list(dataset.joint_names),
        "y": _short(sizes),
        "marker": {"color": colour},
    }


def _short(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers with two decimals, which no eye tells apart, and null for what is no number."""
    return [round(float(value), 2) if np.isfinite(value) else None for value in values]
