"""Rollouts: an ordinary LeRobot dataset, with outcomes and ticks in its folder `regrasp/`.

```text
<rollouts>/meta, data, videos         LeRobot v3.0
<rollouts>/regrasp/outcomes.parquet   one row per episode; its metadata holds the deployment
<rollouts>/regrasp/ticks.parquet      one row per turn of the control loop
```
"""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regrasp.data.atomic import write_bytes
from regrasp.data.dataset import Dataset, read_dataset
from regrasp.data.episode import Episode
from regrasp.errors import DatasetError

FOLDER = "regrasp"
_METADATA = b"regrasp"


@dataclass(frozen=True)
class Outcome:
    """How one episode ended. `success` is None until somebody has scored it; `progress` is 0 to 1.

    `initial` holds what the episode began from, by name with its unit (`object_x_m`); `scored_by` is
    "physics", "person", or the scorer's name. `ended` says why the loop stopped (`finished`, `time`,
    `gate-closed`), "" where nobody noted it, and `interventions` how many commands the safety gate changed, by kind.
    """

    episode: int
    success: bool | None
    progress: float = float("nan")
    seconds: float = float("nan")
    seed: int | None = None
    initial: Mapping[str, float] = field(default_factory=dict[str, float])
    scored_by: str = ""
    ended: str = ""
    interventions: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, eq=False)
class Ticks:
    """The control loop turn by turn, N rows in order of time.

    `inference_ms` is nan in turns without a query of the policy. `wanted` is what the policy asked for and
    `sent` what was sent after the safety gate, float64 [N, J]. `intervened` marks turns in which
    something other than the policy moved the arm, and `reasons` says why, kinds joined by "+" and "" for none.
    `scores` are the monitor's, by name, float64 [N], nan where one could not be told. Files of older versions
    lack the last two.
    """

    episode: NDArray[np.int64]
    tick: NDArray[np.int64]
    wall_s: NDArray[np.float64]
    inference_ms: NDArray[np.float64]
    chunk: NDArray[np.int64]
    position_in_chunk: NDArray[np.int64]
    wanted: NDArray[np.float64]
    sent: NDArray[np.float64]
    intervened: NDArray[np.bool_]
    reasons: NDArray[np.str_] | None = None
    scores: Mapping[str, NDArray[np.float64]] = field(default_factory=dict[str, NDArray[np.float64]])

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns().items()}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DatasetError(
                f"Found ticks of unequal length ({counts}); expected one row per turn; record again."
            )

    @classmethod
    def empty(cls, joints: int = 0) -> Self:
        """No turn at all."""
        whole, real, table = np.zeros(0, np.int64), np.zeros(0), np.zeros((0, joints))
        return cls(whole, whole, real, real, whole, whole, table, table, np.zeros(0, np.bool_))

    @classmethod
    def joined(cls, parts: Sequence["Ticks"]) -> "Ticks":
        """The ticks of several episodes, one after the other."""
        if not parts:
            return cls.empty()
        columns = {name: [getattr(part, name) for part in parts] for name in _ALWAYS}
        reasons = [part.reasons for part in parts if part.reasons is not None]
        names = dict.fromkeys(name for part in parts for name in part.scores)
        return cls(
            **{name: np.concatenate(pieces) for name, pieces in columns.items()},
            reasons=np.concatenate(reasons) if len(reasons) == len(parts) else None,
            scores={name: np.concatenate([part.score(name) for part in parts]) for name in names},
        )

    def __len__(self) -> int:
        return len(self.tick)

    def of(self, episode: int) -> "Ticks":
        """The turns of one episode."""
        rows = self.episode == episode
        return Ticks(
            **{name: getattr(self, name)[rows] for name in _ALWAYS},
            reasons=None if self.reasons is None else self.reasons[rows],
            scores={name: values[rows] for name, values in self.scores.items()},
        )

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every column by the name that it has in the file."""
        reasons = {} if self.reasons is None else {"reasons": self.reasons}
        scores = {f"{_SCORE}{name}": values for name, values in self.scores.items()}
        return {name: getattr(self, name) for name in _ALWAYS} | reasons | scores

    def score(self, name: str) -> NDArray[np.float64]:
        """A score, or nan where it was not told."""
        return self.scores.get(name, np.full(len(self), np.nan))


_ALWAYS = tuple(item.name for item in fields(Ticks) if item.name not in ("reasons", "scores"))
"""Columns that every file of ticks has."""

_SCORE = "score_"


@dataclass(frozen=True)
class Deployment:
    """What was running: the instruction, overridden checks by name, policy and station as they were given.

    `options` are those of `regrasp rollout` that change the station (`area`, `starts`, `cameras` ...), by
    name without dashes, so that the run can be repeated. `control` is how the loop ran: `handover` on or off,
    `horizon` as chunk/executed/ahead, `home` on or off.
    """

    task: str = ""
    overrides: tuple[str, ...] = ()
    checkpoint: str = ""
    station: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    control: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, eq=False)
class Rollouts:
    """Episodes that a policy drove, how they ended, and how the loop ran."""

    dataset: Dataset
    outcomes: tuple[Outcome, ...]
    ticks: Ticks
    deployment: Deployment = Deployment()

    @property
    def task(self) -> str:
        """The instruction that the policy was given."""
        return self.deployment.task

    @property
    def overrides(self) -> tuple[str, ...]:
        """Checks that were overridden by name."""
        return self.deployment.overrides

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The episodes themselves."""
        return self.dataset.episodes

    @property
    def successes(self) -> tuple[bool | None, ...]:
        """One per episode; None where nobody has scored it."""
        return tuple(outcome.success for outcome in self.outcomes)

    def outcome_of(self, episode: int) -> Outcome | None:
        """How an episode ended."""
        return next((outcome for outcome in self.outcomes if outcome.episode == episode), None)


def read_rollouts(path: str | Path, *, video: bool = True) -> Rollouts:
    """Read rollouts. A dataset without the folder `regrasp/` is read as unscored rollouts without ticks."""
    dataset = read_dataset(path, video=video)
    folder = dataset.path
    outcomes, deployment = read_outcomes(folder) or (_unscored(dataset), Deployment(_usual_task(dataset)))
    ticks = read_ticks(folder) or Ticks.empty(len(dataset.joint_names))
    return Rollouts(dataset, outcomes, ticks, deployment)


def write_outcomes(path: str | Path, outcomes: Iterable[Outcome], deployment: Deployment) -> None:
    """Write `regrasp/outcomes.parquet` of a rollouts folder, whole or not at all."""
    rows = [
        asdict(outcome)
        | {"initial": sorted(outcome.initial.items()), "interventions": sorted(outcome.interventions.items())}
        for outcome in outcomes
    ]
    metadata = {_METADATA: json.dumps({"version": 1, **asdict(deployment)}).encode()}
    table = pa.Table.from_pylist(rows, schema=_OUTCOMES.with_metadata(metadata))
    _write(Path(path) / FOLDER / "outcomes.parquet", table)


def read_outcomes(path: str | Path) -> tuple[tuple[Outcome, ...], Deployment] | None:
    """Outcomes and deployment; None when there is no such file."""
    file = Path(path) / FOLDER / "outcomes.parquet"
    table = _read(file)
    if table is None:
        return None
    try:
        stored = json.loads((table.schema.metadata or {})[_METADATA])
        deployment = Deployment(
            stored["task"],
            tuple(stored["overrides"]),
            stored["checkpoint"],
            stored["station"],
            dict(stored.get("options") or {}),
            dict(stored.get("control") or {}),
        )
        return tuple(_outcome(row) for row in table.to_pylist()), deployment
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(file) from error


def write_ticks(path: str | Path, ticks: Ticks) -> None:
    """Write `regrasp/ticks.parquet` of a rollouts folder, whole or not at all."""
    columns = {name: _column(values) for name, values in ticks.columns().items()}
    _write(Path(path) / FOLDER / "ticks.parquet", pa.table(columns))


def read_ticks(path: str | Path) -> Ticks | None:
    """The control loop turn by turn; None when there is no such file."""
    file = Path(path) / FOLDER / "ticks.parquet"
    table = _read(file)
    if table is None:
        return None
    try:
        scores = [name for name in table.column_names if name.startswith(_SCORE)]
        return Ticks(
            **{name: _array(table.column(name)) for name in _ALWAYS},
            reasons=_array(table.column("reasons")).astype(str) if "reasons" in table.column_names else None,
            scores={name.removeprefix(_SCORE): _array(table.column(name)) for name in scores},
        )
    except (KeyError, pa.ArrowInvalid) as error:
        raise _unreadable(file) from error


_OUTCOMES = pa.schema(
    [
        pa.field("episode", pa.int64()),
        pa.field("success", pa.bool_()),
        pa.field("progress", pa.float64()),
        pa.field("seconds", pa.float64()),
        pa.field("seed", pa.int64()),
        pa.field("initial", pa.map_(pa.string(), pa.float64())),
        pa.field("scored_by", pa.string()),
        pa.field("ended", pa.string()),
        pa.field("interventions", pa.map_(pa.string(), pa.int64())),
    ]
)


def _unscored(dataset: Dataset) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(episode.index, None, seconds=episode.length / episode.fps) for episode in dataset.episodes
    )


def _usual_task(dataset: Dataset) -> str:
    """The instruction of the most frames; "" without any."""
    frames = Counter[str]()
    for episode in dataset.episodes:
        for index, count in zip(*np.unique(episode.task_indices, return_counts=True), strict=True):
            frames[dataset.tasks[int(index)]] += int(count)
    return frames.most_common(1)[0][0] if frames else ""


def _outcome(row: dict[str, Any]) -> Outcome:
    initial: dict[str, float] = dict(row.pop("initial") or ())
    interventions: dict[str, int] = dict(row.pop("interventions", None) or ())
    return Outcome(**row, initial=initial, interventions=interventions)


def _column(values: NDArray[Any]) -> pa.Array:
    """A vector as it is; a table [N, J] as a column of lists of J."""
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    if not pa.types.is_fixed_size_list(column.type):
        return column.to_numpy()
    return column.combine_chunks().flatten().to_numpy().reshape(len(column), column.type.list_size)


def _write(path: Path, table: pa.Table) -> None:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    write_bytes(path, sink.getvalue())


def _read(file: Path) -> pa.Table | None:
    if not file.exists():
        return None
    try:
        return pq.read_table(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(file) from error


def _unreadable(file: Path) -> DatasetError:
    return DatasetError(
        f"Found no readable table in {file}; expected what `regrasp rollout` writes; roll out again, or "
        "remove the "
        "file to read the rollouts unscored."
    )
