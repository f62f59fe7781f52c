"""Figures of how arms moved, training beside rollouts: gripper, joints, starts, steps, jumps at seams."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.measures import gripper_index
from regrasp.data.rollouts import Ticks
from regrasp.diagnosis import motion_signals
from regrasp.report.figures import (
    BAD,
    PALETTE,
    TRAINING,
    Figure,
    axis_style,
    colours,
    plain_layout,
    short,
    upright,
)

BAND = (5, 50, 95)
"""Percentiles of the training that a band shows."""


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
    for (name, run), colour in zip(runs.items(), colours(), strict=False):
        data.append(_histogram(name, run.states[:, place], edges, colour, fill=False))
    layout = plain_layout(x="gripper (0 closed, 100 open)", y="share of frames, %")
    if threshold is not None:
        layout["shapes"] = [upright(threshold)]
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
        for (run, dataset), colour in zip(runs.items(), colours(), strict=False):
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
    shown = zip(runs.items(), colours(), strict=False)
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
    for (name, run), colour in zip(runs.items(), colours(), strict=False):
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
        "y": short(steps.T.ravel()),
        "marker": {"color": colour, "size": 4},
        "line": {"width": 1.3},
        "boxpoints": "outliers",
        "hoverinfo": "y+name",
    }


def _histogram(
    name: str, values: NDArray[np.float64], edges: NDArray[np.float64], colour: str, *, fill: bool
) -> dict[str, Any]:
    counts, _ = np.histogram(values[np.isfinite(values)], bins=edges)
    shares = 100 * counts / max(int(counts.sum()), 1)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": short((edges[:-1] + edges[1:]) / 2),
        "y": short(shares),
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
            "x": short(around),
            "y": short(np.concatenate([high, low[::-1]])),
            "fill": "toself",
            "line": {"width": 0, "color": TRAINING},
            "fillcolor": "rgba(123,135,148,0.28)",
        },
        {
            **shared,
            "showlegend": False,
            "legendgroup": "training",
            "x": short(seconds),
            "y": short(median),
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
        xs += [*short(np.arange(0, episode.length, step) / dataset.fps), None]
        ys += [*short(episode.states[::step, place]), None]
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
        "x": short(away.ravel()),
        "y": short(places),
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
        "y": short(sizes),
        "marker": {"color": colour},
    }
