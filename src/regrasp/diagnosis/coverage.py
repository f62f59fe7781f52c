"""Where demonstrations start and grasp, which places are thin, and which episodes to record next."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.kinematics import LINKS, tip_positions
from regrasp.arm.so101 import JOINTS
from regrasp.data import Dataset, read_dataset
from regrasp.data.grasps import Grasp, find_grasps
from regrasp.data.joint_units import body_unit
from regrasp.data.rollouts import Outcome, read_outcomes
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.signals import once_per_dataset
from regrasp.errors import UsageError
from regrasp.stats import Rate
from regrasp.stats.coverage import Area, Cells, Hole, evenness_by_chance, largest_hole, next_places

known_grasps = once_per_dataset(find_grasps)
"""The grasps of a dataset, looked for once."""

INCH_M = 0.0254

TWIN_AREA_CENTRE = (0.23, 0.0)
"""Middle of the squares that are marked on the twin's table, `sim.scene.AREA_CENTRE`; base frame, metres."""

PAN_AXIS = LINKS[0][1][:2]
"""The upright axis about which the arm turns, base frame, metres."""

FEWEST_PLACES = 3
"""Two places span a line, and no cell of it is thin."""

TABLE_M = (-0.10, 0.20)
"""Heights over the base's underside at which an SO-101 grasps from a table, on or beside which it stands.

Median of 19 grasps of a real arm: 0 cm; in the twin, whose arm stands on a board of 4.5 cm: -2.5 cm.
"""

ABOVE_OTHERS_M = 0.05
"""A closing on nothing, this far above the other grasps, is not a grasp: the arm is on its way."""


@dataclass(frozen=True)
class JointStart:
    """Where one joint stands in first frames, in the unit of the recording; `spread` is a deviation."""

    name: str
    usual: float
    spread: float
    low: float
    high: float


@dataclass(frozen=True)
class NextEpisode:
    """One place to put the object; metres in the base frame, centimetres from the middle of the area."""

    x_m: float
    y_m: float
    farther_cm: float
    left_cm: float
    nearest_cm: float

    def __str__(self) -> str:
        """For a person at the desk, who looks the way the arm looks."""
        return f"put the object {self.words}, (x, y) = ({self.x_m:.3f}, {self.y_m:.3f}) m"

    @property
    def words(self) -> str:
        """The place as seen from the middle of the area."""
        ways = [_way(self.farther_cm, "beyond", "short of"), _way(self.left_cm, "left of", "right of")]
        return f"{' and '.join(filter(None, ways)) or 'in'} the middle"


def _way(distance_cm: float, positive: str, negative: str) -> str:
    if abs(distance_cm) < 0.5:
        return ""
    return f"{abs(distance_cm):.0f} cm {positive if distance_cm > 0 else negative}"


@dataclass(frozen=True, eq=False)
class Map:
    """Places in the plane of the table, base frame, and how they fill their area.

    `places` are [N, 2], metres; `episodes` the episode of each; `success` of each is None without a score.
    """

    of: Literal["objects", "grasps"]
    places: NDArray[np.float64]
    episodes: tuple[int, ...]
    success: tuple[bool | None, ...]
    area: Area
    cells: Cells
    hole: Hole
    evenness_by_chance: float

    @property
    def outside(self) -> int:
        """Places that lie outside the area."""
        return int((~self.area.contains(self.places)).sum())

    @property
    def scored(self) -> bool:
        """Whether some succeeded and some failed, so that cells can be told apart."""
        return {True, False} <= set(self.success)

    @cached_property
    def rates(self) -> Mapping[tuple[int, int], Rate]:
        """Success in each cell with a scored place."""
        cells = [tuple(cell) for cell in self.cells.cell_of(self.places).tolist()]
        found: dict[tuple[int, int], list[bool | None]] = {}
        for cell, success in zip(cells, self.success, strict=True):
            if success is not None and cell[0] >= 0:
                found.setdefault((cell[0], cell[1]), []).append(success)
        return {cell: Rate.of(outcomes) for cell, outcomes in sorted(found.items())}

    def to_json(self) -> dict[str, Any]:
        """Everything in metres, cells by their place along x and y."""
        cells = self.cells
        return {
            "of": self.of,
            "places": [
                {"episode": episode, "x_m": _metres(x), "y_m": _metres(y), "success": success}
                for episode, (x, y), success in zip(
                    self.episodes, self.places.tolist(), self.success, strict=True
                )
            ],
            "area": {
                "x_m": [_metres(self.area.low[0]), _metres(self.area.high[0])],
                "y_m": [_metres(self.area.low[1]), _metres(self.area.high[1])],
                "outside": self.outside,
            },
            "cells": {
                "x_edges_m": [_metres(edge) for edge in cells.x_edges],
                "y_edges_m": [_metres(edge) for edge in cells.y_edges],
                "counts": cells.counts.tolist(),
                "inside": cells.inside.tolist(),
                "mean": round(cells.mean, 3),
                "empty": np.argwhere(cells.empty).tolist(),
                "thin": np.argwhere(cells.thin).tolist(),
                "success": [
                    {"cell": list(cell), "k": rate.k, "n": rate.n, "wilson95": list(rate.wilson95)}
                    for cell, rate in self.rates.items()
                ],
            },
            "evenness": {"value": _finite(cells.evenness), "by_chance": _finite(self.evenness_by_chance)},
            "largest_hole": {
                "x_m": _metres(self.hole.x_m),
                "y_m": _metres(self.hole.y_m),
                "radius_m": _metres(self.hole.radius_m),
                "by_chance_m": _metres(self.hole.by_chance_m),
            },
        }


@dataclass(frozen=True, eq=False)
class Coverage:
    """What a dataset covers. `map` is None where places cannot be known; `undecided` says why."""

    dataset: Dataset
    starts: tuple[JointStart, ...]
    start_tip_cm: float | None
    grasps: tuple[Grasp, ...]
    grasp_joints: tuple[JointStart, ...]
    map: Map | None
    next: tuple[NextEpisode, ...]
    undecided: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def start_pose(self) -> str:
        """The pose to start from, in words."""
        return ", ".join(
            f"{joint.name} {joint.usual:.{0 if abs(joint.usual) >= 1 else 1}f}" for joint in self.starts
        )

    def to_json(self) -> dict[str, Any]:
        """`{"dataset", "episodes", "frames", "starts", "grasps", "map", "next", "undecided", "seconds"}`."""
        return {
            "dataset": self.dataset.repo_id or str(self.dataset.path),
            "episodes": len(self.dataset.episodes),
            "frames": self.dataset.frames,
            "starts": {
                "joints": [_joint_json(joint) for joint in self.starts],
                "tip_within_cm": None if self.start_tip_cm is None else round(self.start_tip_cm, 2),
            },
            "grasps": {
                "count": len(self.grasps),
                "episodes": sorted({grasp.episode for grasp in self.grasps}),
                "frames": [[grasp.episode, grasp.frame] for grasp in self.grasps],
                "joints": [_joint_json(joint) for joint in self.grasp_joints],
            },
            "map": None if self.map is None else self.map.to_json(),
            "next": [
                {
                    "x_m": _metres(one.x_m),
                    "y_m": _metres(one.y_m),
                    "nearest_cm": round(one.nearest_cm, 1),
                    "words": str(one),
                    "start": {joint.name: _finite(joint.usual) for joint in self.starts},
                }
                for one in self.next
            ],
            "undecided": [{"what": what, "reason": reason} for what, reason in self.undecided],
            "seconds": round(self.seconds, 3),
        }


def coverage(
    dataset: str | Path | Dataset,
    *,
    area: str | None = None,
    centre: tuple[float, float] | None = None,
    next_episodes: int = 5,
) -> Coverage:
    """Where a dataset's episodes start and grasp, what is thin, and where to record next.

    `area` is the side of a square that is to be covered, such as "6in" or "20cm", about `centre` (x, y in the
    base frame, metres), else about the marks of the twin's table, else about the middle of what was recorded.
    Without it the area is what the recorded places span.
    """
    began = time.monotonic()
    side_m = None if area is None else parse_side(area)
    read = dataset if isinstance(dataset, Dataset) else read_dataset(dataset, video=False)
    grasps = known_grasps(read)
    undecided: list[tuple[str, str]] = []
    mapped: Map | None = None
    tip_cm: float | None = None
    try:
        require_positions(read)
        tip_cm = _start_tip_cm(read)
        mapped = _map(read, grasps, side_m, centre)
    except Undecided as reason:
        undecided.append(("map", str(reason)))
    return Coverage(
        dataset=read,
        starts=_joints(read.joint_names, [episode.states[0] for episode in read.episodes if episode.length]),
        start_tip_cm=tip_cm,
        grasps=grasps,
        grasp_joints=_joints(read.joint_names, [grasp.pose for grasp in grasps]),
        map=mapped,
        next=() if mapped is None else _next(mapped, next_episodes),
        undecided=tuple(undecided),
        seconds=time.monotonic() - began,
    )


def parse_side(area: str) -> float:
    """Metres of "6in" or "15cm".

    Example:
        >>> round(parse_side("6in"), 4), parse_side("20cm")
        (0.1524, 0.2)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(in|cm)", area.strip())
    side_m = float(found[1]) * (INCH_M if found[2] == "in" else 0.01) if found else 0.0
    if not 0.01 <= side_m <= 1.0:
        raise UsageError(
            f"Found --area '{area}'; expected the side of a square between 1 cm and 1 m, such as 6in or 15cm."
        )
    return side_m


def require_positions(dataset: Dataset) -> None:
    """The hand's place follows from the joints of an SO-101 in degrees alone; else Undecided with the reason."""
    if dataset.joint_names != JOINTS:
        raise Undecided(
            f"places follow from the joints of one SO-101, and these are {', '.join(dataset.joint_names)}"
        )
    robot = dataset.robot_type or "unknown robot"
    if "so101" not in robot and robot != "so_follower":
        raise Undecided(f"places follow from the joints of an SO-101, and this is a {robot}")
    unit = "deg" if dataset.is_twin else body_unit(dataset)
    if unit == "-100..100":
        raise Undecided(
            "joints are from -100 to 100 of a calibrated range that the dataset does not hold; places follow "
            "from degrees: record with --robot.use_degrees=true"
        )
    if unit != "deg":
        raise Undecided("the unit of the joints cannot be told; places follow from degrees")


def grasp_places(grasps: Iterable[Grasp]) -> tuple[tuple[Grasp, ...], NDArray[np.float64]]:
    """The grasps that are made on the table, and where, base frame, [N, 3] metres; from poses in degrees."""
    whole = [grasp for grasp in grasps if np.isfinite(grasp.pose).all()]
    if not whole:
        raise Undecided("the gripper never opens and then closes")
    tips = tip_positions(np.array([grasp.pose for grasp in whole]))
    height = float(np.median(tips[:, 2]))
    if not TABLE_M[0] < height < TABLE_M[1]:
        raise Undecided(
            f"by their joints most grasps are {100 * height:.0f} cm above the base's underside, where no table "
            "is: the joints' zero is not that of the SO-101's model"
        )
    pressed = np.array([grasp.pressed for grasp in whole])
    kept = np.flatnonzero(pressed | (np.abs(tips[:, 2] - height) < ABOVE_OTHERS_M))
    return tuple(whole[place] for place in kept), tips[kept]


def _map(
    dataset: Dataset, grasps: tuple[Grasp, ...], side_m: float | None, centre: tuple[float, float] | None
) -> Map:
    """Of the objects where the dataset has them, else of the grasps."""
    outcomes = {outcome.episode: outcome for outcome in _outcomes(dataset)}
    episodes, places = object_places(dataset, outcomes)
    of: Literal["objects", "grasps"] = "objects"
    if len(places) < FEWEST_PLACES:
        of = "grasps"
        kept, tips = grasp_places(grasps)
        episodes, places = tuple(grasp.episode for grasp in kept), tips[:, :2]
    if len(places) < FEWEST_PLACES:
        raise Undecided(f"needs {FEWEST_PLACES} grasps to map, got {len(places)}")
    area = _area(dataset, places, side_m, centre)
    inside = places[area.contains(places)]
    cells = Cells.of(inside, area)
    success = tuple(outcomes[one].success if one in outcomes else None for one in episodes)
    chance = evenness_by_chance(max(len(inside), 1), cells)
    hole = largest_hole(places, area)
    return Map(of, places, episodes, success, area, cells, hole, chance)


def _area(
    dataset: Dataset,
    places: NDArray[np.float64],
    side_m: float | None,
    centre: tuple[float, float] | None,
) -> Area:
    spanned = Area.around(places, (PAN_AXIS[0], PAN_AXIS[1]))
    if side_m is None:
        return spanned
    if centre is None:
        x, y = TWIN_AREA_CENTRE if dataset.is_twin else spanned.centre.tolist()
        centre = float(x), float(y)
    return Area.square(centre, side_m)


def _outcomes(dataset: Dataset) -> tuple[Outcome, ...]:
    found = read_outcomes(dataset.path)
    return () if found is None else found[0]


def object_places(
    dataset: Dataset, outcomes: Mapping[int, Outcome]
) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Where the object lay at the start, as the twin notes it; nothing for a dataset that has no notes."""
    noted = [
        (episode.index, initial["object_x_m"], initial["object_y_m"])
        for episode in dataset.episodes
        if episode.index in outcomes
        and {"object_x_m", "object_y_m"} <= set(initial := outcomes[episode.index].initial)
    ]
    return tuple(number for number, _, _ in noted), np.array([place for _, *place in noted]).reshape(-1, 2)


def _joints(names: tuple[str, ...], poses: list[NDArray[np.float64]]) -> tuple[JointStart, ...]:
    """Median, deviation and range of each joint over poses; NaN is left out."""
    if not poses:
        return ()
    table = np.array(poses)
    known = [column[np.isfinite(column)] for column in table.T]
    return tuple(
        JointStart(
            name, float(np.median(values)), float(values.std()), float(values.min()), float(values.max())
        )
        for name, values in zip(names, known, strict=True)
        if len(values)
    )


def _start_tip_cm(dataset: Dataset) -> float | None:
    """Within how many centimetres of its usual place the hand starts, in nine episodes of ten."""
    tips = tip_positions(np.array([episode.states[0] for episode in dataset.episodes]))
    tips = tips[np.isfinite(tips).all(axis=1)]
    if len(tips) < FEWEST_PLACES:
        return None
    away = np.linalg.norm(tips - np.median(tips, axis=0), axis=1)
    return 100 * float(np.quantile(away, 0.9))


def _next(mapped: Map, number: int) -> tuple[NextEpisode, ...]:
    found = next_places(mapped.places, mapped.area, number)
    taken = mapped.places
    listed: list[NextEpisode] = []
    for place in found:
        nearest = float(np.linalg.norm(taken - place, axis=1).min())
        farther, left = 100 * (place - mapped.area.centre)
        listed.append(
            NextEpisode(float(place[0]), float(place[1]), float(farther), float(left), 100 * nearest)
        )
        taken = np.vstack([taken, place])
    return tuple(listed)


def _joint_json(joint: JointStart) -> dict[str, object]:
    return {
        "name": joint.name,
        "usual": round(joint.usual, 3),
        "spread": round(joint.spread, 3),
        "low": round(joint.low, 3),
        "high": round(joint.high, 3),
    }


def _metres(value: float) -> float:
    return round(float(value), 4)


def _finite(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
