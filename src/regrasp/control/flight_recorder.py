"""Keeps the last seconds of an episode, and writes them down when something trips.

A record is one `.npz` of plain arrays (nothing is pickled): of the last `KEPT_S` seconds before the last tick

- `tick`, `wall_s`, `state`, `wanted`, `sent`, `chunk`, `position_in_chunk`, `reasons`;
- `score_NAME` for each score of the monitor;
- `picture_NAME` for each camera, uint8 [ticks, height, width, 3], thinned to at most `SMALL_PX` pixels a side;
- `joints`, `tripped` (what tripped, and in which tick first), and `said`, one sentence.
"""

import io
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.control.gate import numbers_of
from regrasp.control.loop import Tick, pose_of
from regrasp.data.atomic import write_bytes
from regrasp.errors import DatasetError

KEPT_S = 5.0
SMALL_PX = 80
"""Five seconds of two cameras at 30 Hz are 5.8 MB before compression."""


class FlightRecorder:
    """An observer of the loop. Call `reset` before each episode and `write` when it has ended badly.

    Args:
        joints: Names of the joints, in the order of the actions.
        fps: Ticks per second.
        trips: Names of what is alarming in a tick.
    """

    def __init__(
        self, joints: Sequence[str], fps: float, trips: Callable[[Tick], Sequence[str]] = lambda _tick: ()
    ) -> None:
        self._joints, self._trips = tuple(joints), trips
        self._kept: deque[tuple[Tick, dict[str, NDArray[np.uint8]]]] = deque(
            maxlen=max(round(KEPT_S * fps), 1)
        )
        self.tripped: dict[str, int] = {}

    def reset(self) -> None:
        """Forget the episode before."""
        self._kept.clear()
        self.tripped = {}

    def __call__(self, tick: Tick) -> None:
        """Keep one turn."""
        pictures = {
            name: _small(value)
            for name, value in tick.observation.items()
            if isinstance(value, np.ndarray) and value.ndim == 3
        }
        joints = {name: value for name, value in tick.observation.items() if name not in pictures}
        self._kept.append((replace(tick, observation=joints), pictures))
        for name in self._trips(tick):
            self.tripped.setdefault(name, tick.index)

    def write(self, path: Path, said: str = "") -> Path | None:
        """Write what is kept, whole or not at all; gives the file, or None when nothing was kept."""
        if not self._kept:
            return None
        sink = io.BytesIO()
        np.savez_compressed(sink, allow_pickle=False, **self._arrays(said))
        write_bytes(path, sink.getvalue())
        return path

    def _arrays(self, said: str) -> dict[str, Any]:
        ticks = [tick for tick, _ in self._kept]
        names = dict.fromkeys(name for tick in ticks for name in tick.scores)
        cameras = [name for name in self._kept[-1][1] if all(name in seen for _, seen in self._kept)]
        count = len(self._joints)
        return {
            "tick": np.array([tick.index for tick in ticks]),
            "wall_s": np.array([tick.wall_s for tick in ticks]),
            "state": np.array([pose_of(tick.observation, self._joints) for tick in ticks]),
            "wanted": np.array([wanted_of(tick, count) for tick in ticks]),
            "sent": np.array([tick.sent for tick in ticks]),
            "chunk": np.array([tick.decision.chunk for tick in ticks]),
            "position_in_chunk": np.array([tick.decision.position for tick in ticks]),
            "reasons": np.array(["+".join(tick.reasons) for tick in ticks]),
            "joints": np.array(self._joints),
            "tripped": np.array(
                [f"{name} in tick {first}" for name, first in self.tripped.items()], dtype=str
            ),
            "said": np.array(said),
            **{f"score_{n}": np.array([t.scores.get(n, np.nan) for t in ticks]) for n in names},
            **{f"picture_{name}": np.stack([seen[name] for _, seen in self._kept]) for name in cameras},
        }


def read_flight(path: Path) -> Mapping[str, NDArray[Any]]:
    """The arrays of one record, by name.

    Raises:
        DatasetError: There is no such record, or it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"Found no readable flight record at {path}; expected what `regrasp rollout` writes beside its rollouts."
        ) from error


def wanted_of(tick: Tick, joints: int) -> NDArray[np.float64]:
    """What the policy wanted, shape [J]; nan where it was not one number for each joint."""
    numbers = numbers_of(tick.decision.action, joints)
    return np.full(joints, np.nan) if numbers is None else numbers


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture, thinned to at most `SMALL_PX` pixels a side."""
    step = int(np.ceil(max(picture.shape[:2]) / SMALL_PX))
    return picture[::step, ::step].copy()
