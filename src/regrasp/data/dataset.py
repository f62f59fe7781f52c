"""LeRobot datasets, v3.0 and v2.1, from a folder or the Hub into plain arrays; without lerobot or torch.

Tables are read whole, column by column: 100,000 frames take a fraction of a second. Pictures are only
located, and decoded when a camera is asked for them.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regrasp.data.episode import Camera, Episode, FrameSource, camera_name
from regrasp.data.video import ImageColumn, VideoSegment
from regrasp.errors import DatasetError

STATE, ACTION = "observation.state", "action"
_INDEX_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
MOST_JOINTS = 10_000
"""More than any robot has: a larger number is a damaged file."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

type Json = dict[str, Any]
type Strings = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Demonstrations of one robot.

    `camera_names` lists every camera that the dataset declares; one that cannot be looked at is in
    `unavailable` with the reason, and is absent from the episodes. `tasks` are instructions by task index.
    """

    path: Path
    fps: float
    joint_names: tuple[str, ...]
    episodes: tuple[Episode, ...]
    tasks: tuple[str, ...]
    camera_names: tuple[str, ...] = ()
    version: str = "v3.0"
    repo_id: str | None = None
    robot_type: str | None = None
    action_names: tuple[str, ...] = ()
    stats: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict[str, Any])
    unavailable: Strings = field(default_factory=dict[str, str])

    @property
    def frames(self) -> int:
        """Number of frames in all episodes."""
        return sum(episode.length for episode in self.episodes)

    @property
    def names_of_actions(self) -> tuple[str, ...]:
        """The joints that are commanded: as a rule, those that are measured."""
        return self.action_names or self.joint_names

    @property
    def name(self) -> str:
        """What to call it in a sentence: its Hub id or the folder's name."""
        return self.repo_id or self.path.name

    @cached_property
    def states(self) -> NDArray[np.float64]:
        """Measured joints of all episodes, float64 [frames, J]."""
        return np.concatenate([episode.states for episode in self.episodes])

    @cached_property
    def actions(self) -> NDArray[np.float64]:
        """Commanded joints of all episodes, float64 [frames, J]."""
        return np.concatenate([episode.actions for episode in self.episodes])

    def map_episodes(
        self, change: Callable[[Episode], Episode], numbers: Collection[int] | None = None
    ) -> "Dataset":
        """A copy in which `change` was applied to the episodes of these numbers, or to all."""
        return replace(
            self,
            episodes=tuple(
                change(episode) if numbers is None or episode.index in numbers else episode
                for episode in self.episodes
            ),
        )


def read_dataset(
    path_or_repo_id: str | Path, *, episodes: Collection[int] | None = None, video: bool = True
) -> Dataset:
    """The dataset in a folder, in LeRobot's own cache, or on the Hub; in that order.

    With `video=False`, and for videos that are not there, cameras are unavailable; tables are read all
    the same.
    """
    folder, repo_id = _locate(path_or_repo_id, video)
    info = _Info.read(folder)
    layout = _Layout(folder, info, _episode_rows(folder, info, episodes))
    table = _Table.read(layout)
    tasks = _read_tasks(folder, info)
    cameras = _CameraFinder(layout, table, video)
    return Dataset(
        path=folder,
        fps=info.fps,
        joint_names=info.names(STATE),
        episodes=tuple(_episodes(layout, table, tasks, cameras)),
        tasks=tasks,
        camera_names=tuple(camera_name(key) for key in info.camera_keys),
        version=info.version,
        repo_id=repo_id,
        robot_type=info.robot_type,
        action_names=info.names(ACTION),
        stats=_read_stats(folder),
        unavailable=cameras.unavailable,
    )


def content_hash(dataset: Dataset) -> str:
    """SHA-256 of what a policy learns from: states, actions, instructions and episode lengths.

    The same for a dataset in memory, on disk in either version, and under another name.
    """
    digest = hashlib.sha256()
    for episode in dataset.episodes:
        digest.update(f"{episode.length}:{'|'.join(episode.tasks)}\n".encode())
        digest.update(np.ascontiguousarray(episode.states, dtype="<f4").tobytes())
        digest.update(np.ascontiguousarray(episode.actions, dtype="<f4").tobytes())
    return digest.hexdigest()


# ---- where it is ------------------------------------------------------------------------------------


def _locate(path_or_repo_id: str | Path, video: bool) -> tuple[Path, str | None]:
    """The dataset's folder, and its Hub id where it came by one."""
    folder = Path(path_or_repo_id).expanduser()
    if folder.is_dir():
        return folder, None
    name = str(path_or_repo_id)
    if folder.exists():
        raise DatasetError(
            f"Found a file at {folder}; expected the folder of a LeRobot dataset; "
            "try the folder that holds 'meta'."
        )
    if not _HUB_ID.fullmatch(name):
        raise DatasetError(
            f"Found no dataset at {folder}; expected a folder with meta/info.json, or a Hub id such as "
            "'owner/name'; try the path that was given to lerobot-record as --dataset.root."
        )
    cached = _lerobot_home() / name
    return (cached, name) if cached.is_dir() else (_download(name, video), name)


def _lerobot_home() -> Path:
    """Where LeRobot keeps datasets recorded without a root (`lerobot.utils.constants`)."""
    huggingface = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_LEROBOT_HOME", huggingface / "lerobot"))


def _download(repo_id: str, video: bool) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise DatasetError(
            f"Found no folder '{repo_id}', and no huggingface_hub to fetch it from the Hub; expected either; "
            "try 'pip install huggingface_hub'."
        ) from error
    wanted = ["meta/*", "data/*", "videos/*"] if video else ["meta/*", "data/*"]
    try:
        return Path(snapshot_download(repo_id, repo_type="dataset", allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise DatasetError(
            f"Found no folder '{repo_id}', and the Hub did not give a dataset of that name "
            f"({type(error).__name__}); expected either; try the path of the folder, or check the name and "
            "the network."
        ) from error


# ---- what it declares -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Info:
    """`meta/info.json`, as far as it is needed."""

    path: Path
    raw: Json

    @classmethod
    def read(cls, folder: Path) -> "_Info":
        path = folder / "meta" / "info.json"
        if not path.is_file():
            raise DatasetError(
                f"Found no meta/info.json in {folder}; expected the folder of a LeRobot dataset; "
                "try the folder that holds 'meta' and 'data'."
            )
        info = cls(path, _as_object(_parse_json(path.read_bytes(), path), path))
        info.check()
        return info

    def check(self) -> None:
        if self.version not in ("v3.0", "v2.1", "v2.0"):
            raise DatasetError(
                f"Found codebase_version {self.raw.get('codebase_version')!r} in {self.path}; "
                "expected 'v3.0' or 'v2.1'; try LeRobot's own converter to v3.0."
            )
        if not isinstance(self.raw.get("features"), dict):
            _wrong(self.path, "no 'features'", "a description of each column")
        for feature in (STATE, ACTION):
            if feature not in self.features:
                _wrong(self.path, f"no '{feature}' among the features", "what the arm measured and was told")
        fps = self.raw.get("fps")
        if isinstance(fps, bool) or not isinstance(fps, int | float) or not 0 < fps < 10_000:
            _wrong(self.path, f"fps {fps!r}", "frames per second, such as 30")

        chunks = self.raw.get("chunks_size", 1000)
        if type(chunks) is not int or chunks < 1:
            _wrong(self.path, f"chunks_size {chunks!r}", "the number of episodes in a folder, such as 1000")

    @property
    def version(self) -> str:
        return str(self.raw.get("codebase_version"))

    @property
    def fps(self) -> float:
        return float(self.raw["fps"])

    @property
    def robot_type(self) -> str | None:
        robot = self.raw.get("robot_type")
        return robot if isinstance(robot, str) else None

    @property
    def features(self) -> dict[str, Json]:
        return {key: value for key, value in self.raw["features"].items() if isinstance(value, dict)}

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """Keys of pictures, in the order of the features, which is the order a policy gets them in."""
        return tuple(
            key
            for key, value in self.features.items()
            if value.get("dtype") in ("video", "image") and not _is_depth(value)
        )

    def is_video(self, key: str) -> bool:
        return self.features[key].get("dtype") == "video"

    def picture_size(self, key: str) -> tuple[int, int]:
        """Height and width; the shape is [h, w, c] in recordings and [c, h, w] in some converted ones."""
        shape = self.features[key].get("shape")
        if (
            not isinstance(shape, list)
            or len(shape) != 3
            or not all(isinstance(n, int) and n > 0 for n in shape)
        ):
            _wrong(self.path, f"shape {shape!r} of '{key}'", "[height, width, 3]")
        return (shape[1], shape[2]) if shape[0] in (1, 3) else (shape[0], shape[1])

    def names(self, feature: str) -> tuple[str, ...]:
        """Joint names without `.pos`, from a list, a dict of lists or of indices; numbered when not given."""
        names = _flat_names(self.features[feature].get("names"))
        shape = self.features[feature].get("shape")
        width = shape[0] if isinstance(shape, list) and len(shape) == 1 else len(names)
        if type(width) is not int or not 0 < width < MOST_JOINTS:
            _wrong(self.path, f"shape {shape!r} of '{feature}'", "the number of joints")
        if len(names) != width:
            names = [f"joint_{number}" for number in range(1, width + 1)]
        return tuple(name.removesuffix(".pos") for name in names)


def _flat_names(names: object) -> list[str]:
    match names:
        case list():
            return [str(name) for name in names]
        case dict() if names and all(isinstance(value, list) for value in names.values()):
            return [str(name) for value in names.values() for name in value]
        case dict():
            return [str(name) for name in names]
        case _:
            return []


def _is_depth(feature: Json) -> bool:
    details = feature.get("info")
    return isinstance(details, dict) and bool(details.get("video.is_depth_map"))


@dataclass(frozen=True)
class _Layout:
    """Which files hold what: `rows` has one record of the metadata for each episode."""

    folder: Path
    info: _Info
    rows: list[Json]

    def data_files(self) -> list[Path]:
        """The tables of these episodes, each once, in order."""
        names = dict.fromkeys(self._place("data_path", row, "data") for row in self.rows)
        return [self.folder / name for name in names]

    def video_file(self, key: str, row: Json) -> Path:
        return self.folder / self._place("video_path", row, f"videos/{key}", video_key=key)

    def video_start_s(self, key: str, row: Json) -> float:
        """Where the episode begins in its file; v2.1 has one file for each and does not say."""
        column = f"videos/{key}/from_timestamp"
        start = row.get(column) or 0.0
        if not isinstance(start, int | float) or not 0 <= start < 1e7:
            _wrong(self.folder / "meta" / "episodes", f"{column} {start!r}", "seconds from the file's start")
        return float(start)

    def _place(self, template: str, row: Json, prefix: str, **more: str) -> str:
        """A path of `info.json` filled in for one episode; `prefix` names the metadata columns in v3.0."""
        pattern = self.info.raw.get(template)
        episode = int(row["episode_index"])
        chunk = row.get(f"{prefix}/chunk_index", 0)
        fields: dict[str, object] = {
            "chunk_index": chunk,
            "file_index": row.get(f"{prefix}/file_index", 0),
            "episode_index": episode,
            "episode_chunk": episode // int(self.info.raw.get("chunks_size", 1000)),
            **more,
        }
        try:
            return str(pattern).format(**fields) if isinstance(pattern, str) else _raise(KeyError(template))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"Found {template} {pattern!r} in {self.info.path}; expected a path with chunk and file or "
                "episode numbers; try to restore info.json from the recording."
            ) from error


def _raise(error: Exception) -> NoReturn:
    raise error


def _episode_rows(folder: Path, info: _Info, wanted: Collection[int] | None) -> list[Json]:
    """The metadata record of each wanted episode, by rising number."""
    rows = list(_rows_v3(folder) if info.version == "v3.0" else _rows_v2(folder))
    where = folder / "meta"
    for row in rows:
        if type(row.get("episode_index")) is not int:
            _wrong(where, f"episode_index {row.get('episode_index')!r}", "a whole number for each episode")
    known = {row["episode_index"] for row in rows}
    missing = sorted(set(wanted or ()) - known)
    if missing:
        _wrong(where, f"no episode {missing[0]}", f"one of its {len(known)} episodes")
    rows = [row for row in rows if wanted is None or row["episode_index"] in wanted]
    if not rows:
        raise DatasetError(
            f"Found no episodes in {folder}; expected at least one; "
            "try to record some, or to finalize() the recording."
        )
    return sorted(rows, key=lambda row: int(row["episode_index"]))


def _rows_v3(folder: Path) -> Iterator[Json]:
    for path in sorted((folder / "meta" / "episodes").glob("*/*.parquet")):
        with _open_table(path) as file:
            columns = [name for name in file.schema_arrow.names if not name.startswith("stats/")]
            yield from cast("list[Json]", _read_columns(file, columns, path).to_pylist())


def _rows_v2(folder: Path) -> Iterator[Json]:
    path = folder / "meta" / "episodes.jsonl"
    if path.is_file():
        yield from _json_lines(path)


def _read_tasks(folder: Path, info: _Info) -> tuple[str, ...]:
    """Instructions by task index; a number that is not used is an empty instruction."""
    pairs: dict[object, object] = dict(_tasks_v3(folder) if info.version == "v3.0" else _tasks_v2(folder))
    where = folder / "meta"
    numbers = [number for number in pairs if type(number) is int and 0 <= number <= 1_000_000]
    if len(numbers) < len(pairs):
        _wrong(where, "a task_index that is no whole number", "0, 1, 2 ... for the instructions")
    return tuple(str(pairs.get(number, "")) for number in range(max(numbers, default=-1) + 1))


def _tasks_v3(folder: Path) -> Iterator[tuple[int, str]]:
    """The instruction is the table's index, whose column has changed its name between releases."""
    path = folder / "meta" / "tasks.parquet"
    with _open_table(path) as file:
        names = file.schema_arrow.names
        texts = [
            name for name in names if name != "task_index" and _is_text(file.schema_arrow.field(name).type)
        ]
        if "task_index" not in names or not texts or not _is_index(file.schema_arrow, "task_index"):
            _wrong(path, f"columns {names}", "'task_index' and the instruction")
        text = "task" if "task" in texts else texts[0]
        table = _read_columns(file, ["task_index", text], path)
    yield from zip(table.column("task_index").to_pylist(), table.column(text).to_pylist(), strict=True)


def _tasks_v2(folder: Path) -> Iterator[tuple[int, str]]:
    path = folder / "meta" / "tasks.jsonl"
    for record in _json_lines(path):
        if type(record.get("task_index")) is not int or not isinstance(record.get("task"), str):
            _wrong(path, f"the line {json.dumps(record)[:80]}", "'task_index', a number, and 'task', a text")
        yield record["task_index"], record["task"]


def _is_index(schema: pa.Schema, name: str) -> bool:
    return pa.types.is_integer(schema.field(name).type)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _read_stats(folder: Path) -> dict[str, dict[str, NDArray[np.float64]]]:
    """`meta/stats.json` by feature and statistic; empty where the version keeps none."""
    path = folder / "meta" / "stats.json"
    if not path.is_file():
        return {}
    features = _as_object(_parse_json(path.read_bytes(), path), path)
    return {
        feature: {name: _as_numbers(values, path) for name, values in _as_object(stats, path).items()}
        for feature, stats in features.items()
    }


# ---- tables -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Table:
    """All rows of the wanted episodes, ordered by episode and frame, and the place of each in its file."""

    columns: Mapping[str, NDArray[np.generic]]
    files: list[Path]
    file_of_row: NDArray[np.int64]
    row_in_file: NDArray[np.int64]

    @classmethod
    def read(cls, layout: _Layout) -> "_Table":
        files = layout.data_files()
        parts = [_numeric_columns(path, layout.info) for path in files]
        common = [name for name in parts[0] if all(name in part for part in parts)]
        columns = {name: _join([part[name] for part in parts], name, layout) for name in common}
        lengths = [len(part["episode_index"]) for part in parts]
        file_of_row = np.repeat(np.arange(len(files)), lengths)
        row_in_file = np.concatenate([np.arange(length) for length in lengths])
        return cls(columns, files, file_of_row, row_in_file)._ordered()

    def _ordered(self) -> "_Table":
        episode, frame = self.columns["episode_index"], self.columns["frame_index"]
        order = np.lexsort((frame, episode))
        if np.array_equal(order, np.arange(len(order))):
            return self
        columns = {name: column[order] for name, column in self.columns.items()}
        return _Table(columns, self.files, self.file_of_row[order], self.row_in_file[order])

    def rows_of(self, episode: int) -> slice:
        numbers = self.columns["episode_index"]
        first, end = np.searchsorted(numbers, [episode, episode + 1])
        return slice(int(first), int(end))


def _numeric_columns(path: Path, info: _Info) -> dict[str, NDArray[np.generic]]:
    """Every column of numbers in one file: [rows] or [rows, width]."""
    with _open_table(path) as file:
        schema = file.schema_arrow
        missing = [name for name in (STATE, ACTION, *_INDEX_COLUMNS) if name not in schema.names]
        if missing:
            _wrong(path, f"no column '{missing[0]}'", "one for each feature of meta/info.json")
        names = [name for name in schema.names if _is_number(_innermost(schema.field(name).type))]
        table = _read_columns(file, names, path)
    arrays = {name: _to_array(table.column(name).combine_chunks(), name, path) for name in names}
    for feature in (STATE, ACTION):
        width = len(info.names(feature))
        found = arrays.get(feature)
        if found is None or found.ndim != 2 or found.shape[1] != width:
            kind = schema.field(feature).type
            _wrong(path, f"column '{feature}' of type {kind}", f"{width} numbers in each row")
    for name in _INDEX_COLUMNS:
        if name not in arrays or arrays[name].ndim != 1:
            _wrong(path, f"column '{name}' of type {schema.field(name).type}", "one number in each row")
    return arrays


def _innermost(kind: pa.DataType) -> pa.DataType:
    while isinstance(kind, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
        kind = kind.value_type
    return kind


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _to_array(column: pa.Array, name: str, path: Path) -> NDArray[np.generic]:
    """Numbers of one column; a missing number becomes NaN, and rows of unequal width are an error."""
    shape = [len(column)]
    while isinstance(column.type, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
        nested = cast("pa.ListArray[Any]", column)
        flat = nested.flatten()
        rows = len(column)
        width, rest = divmod(len(flat), rows) if rows else (0, 0)
        if rest or column.null_count or (rows and not _same_width(nested, width)):
            _wrong(path, f"rows of unequal width in column '{name}'", "the same number of values in each")
        shape.append(width)
        column = flat
    return _flat_numbers(column).reshape(shape)


def _flat_numbers(column: pa.Array) -> NDArray[np.generic]:
    """The array's memory as NumPy sees it. Arrow's own `to_numpy` imports pandas, which takes a second."""
    if column.null_count:
        column = column.cast(pa.float64()).fill_null(float("nan"))
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    memory = column.buffers()[1]
    dtype = np.dtype(column.type.to_pandas_dtype())
    if memory is None:
        return np.zeros(0, dtype)
    return np.frombuffer(memory, dtype)[column.offset : column.offset + len(column)]


def _same_width(column: "pa.ListArray[Any]", width: int) -> bool:
    if isinstance(column.type, pa.FixedSizeListType):
        return True
    return bool(np.all(np.diff(_flat_numbers(column.offsets)) == width))


def _join(parts: list[NDArray[np.generic]], name: str, layout: _Layout) -> NDArray[np.generic]:
    if len({part.shape[1:] for part in parts}) > 1:
        _wrong(
            layout.folder / "data", f"column '{name}' with different widths", "the same width in every file"
        )
    return np.concatenate(parts)


_BROKEN_TABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What Arrow raises at damaged bytes; the last one at a damaged column name."""


def _open_table(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise DatasetError(
            f"Found no file {path}; expected it because meta/ names it; "
            "try to copy or download the dataset again."
        ) from error
    except _BROKEN_TABLE as error:
        raise _unreadable(path) from error


def _read_columns(file: pq.ParquetFile, columns: list[str], path: Path) -> pa.Table:
    try:
        return file.read(columns=columns)
    except _BROKEN_TABLE as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> DatasetError:
    return DatasetError(
        f"Found no readable table in {path}; expected a parquet file, whole to its last byte; "
        "try to copy it again, or to finalize() the recording that wrote it."
    )


# ---- episodes ---------------------------------------------------------------------------------------


def _episodes(
    layout: _Layout, table: _Table, tasks: tuple[str, ...], cameras: "_CameraFinder"
) -> Iterator[Episode]:
    states = table.columns[STATE].astype(np.float64)
    actions = table.columns[ACTION].astype(np.float64)
    timestamps = table.columns["timestamp"].astype(np.float64)
    task_indices = _task_indices(table, tasks, layout)
    names = layout.info.names(STATE)
    known = {STATE, ACTION, *_INDEX_COLUMNS}
    others = {name: column for name, column in table.columns.items() if name not in known}
    for row in layout.rows:
        number = int(row["episode_index"])
        rows = table.rows_of(number)
        if rows.start == rows.stop:
            _wrong(layout.folder / "data", f"no rows of episode {number}", "some, because meta/ lists it")
        yield Episode(
            index=number,
            fps=layout.info.fps,
            timestamps=timestamps[rows],
            states=states[rows],
            actions=actions[rows],
            joint_names=names,
            task_indices=task_indices[rows],
            tasks=tuple(tasks[index] for index in np.unique(task_indices[rows])),
            cameras=cameras.of_episode(row, rows),
            extras={name: column[rows] for name, column in others.items()},
        )


def _task_indices(table: _Table, tasks: tuple[str, ...], layout: _Layout) -> NDArray[np.int64]:
    numbers = table.columns["task_index"]
    values = numbers.astype(np.float64)
    valid = (values >= 0) & (values < len(tasks))
    if not valid.all():
        _wrong(
            layout.folder / "data",
            f"task_index {numbers[~valid][0]}",
            f"one of the {len(tasks)} instructions in meta/tasks",
        )
    return numbers.astype(np.int64)


class _CameraFinder:
    """Finds the pictures of each episode, and remembers why a camera has none."""

    def __init__(self, layout: _Layout, table: _Table, video: bool) -> None:
        self._layout, self._table, self._video = layout, table, video
        self._exists: dict[Path, bool] = {}
        self.unavailable: dict[str, str] = {}

    def of_episode(self, row: Json, rows: slice) -> dict[str, Camera]:
        cameras: dict[str, Camera] = {}
        for key in self._layout.info.camera_keys:
            length = rows.stop - rows.start
            source = (
                self._video_of(key, row, length)
                if self._layout.info.is_video(key)
                else self._images_of(key, rows)
            )
            if source is not None:
                height, width = self._layout.info.picture_size(key)
                fps = self._layout.info.fps
                cameras[camera_name(key)] = Camera(key, length, height, width, fps, source)
        return cameras

    def _video_of(self, key: str, row: Json, length: int) -> FrameSource | None:
        if not self._video:
            self.unavailable[camera_name(key)] = "videos were not to be read"
            return None
        path = self._layout.video_file(key, row)
        if path not in self._exists:
            self._exists[path] = path.is_file()
        if not self._exists[path]:
            self.unavailable.setdefault(camera_name(key), f"no file {path.relative_to(self._layout.folder)}")
            return None
        return VideoSegment(path, self._layout.video_start_s(key, row), length, self._layout.info.fps)

    def _images_of(self, key: str, rows: slice) -> FrameSource | None:
        if not self._video:
            self.unavailable[camera_name(key)] = "pictures were not to be read"
            return None
        first = rows.start
        path = self._table.files[self._table.file_of_row[first]]
        return ImageColumn(path, key, int(self._table.row_in_file[first]), rows.stop - first)


# ---- files ------------------------------------------------------------------------------------------


def _json_lines(path: Path) -> Iterator[Json]:
    if not path.is_file():
        raise DatasetError(
            f"Found no file {path}; expected it in a v2.1 dataset; try to copy or download the dataset again."
        )
    for line in path.read_bytes().splitlines():
        if line.strip():
            yield _as_object(_parse_json(line, path), path)


def _parse_json(text: bytes, path: Path) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"Found no valid JSON in {path}; expected LeRobot's metadata; "
            "try to copy or download the file again."
        ) from error


def _as_object(value: object, path: Path) -> Json:
    if not isinstance(value, dict):
        _wrong(path, f"a JSON {type(value).__name__}", "an object")
    return cast("Json", value)


def _as_numbers(value: object, path: Path) -> NDArray[np.float64]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"Found statistics in {path} that are no numbers; expected lists of numbers; "
            "try LeRobot's 'lerobot-edit-dataset --operation.type=recompute_stats'."
        ) from error


def _wrong(path: Path, found: str, expected: str) -> NoReturn:
    raise DatasetError(
        f"Found {found} in {path}; expected {expected}; try to copy or download the dataset again."
    )
