"""What a dataset declares of itself in `meta/`: features, episodes, instructions, statistics, file names."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regrasp.data.files import (
    Json,
    as_numbers,
    as_object,
    json_lines,
    open_table,
    parse_json,
    read_columns,
    wrong,
)
from regrasp.errors import DatasetError

STATE, ACTION = "observation.state", "action"
MOST_JOINTS = 10_000
"""More than any robot has: a larger number is a damaged file."""


WIDE = re.compile(r":[^}]*[1-9][0-9]")
"""A width of ten digits and more in a path of `info.json`."""


@dataclass(frozen=True)
class Info:
    """`meta/info.json`, as far as it is needed."""

    path: Path
    raw: Json

    @classmethod
    def read(cls, folder: Path) -> "Info":
        """Read and check the file; a DatasetError says what is wrong with it."""
        path = folder / "meta" / "info.json"
        if not path.is_file():
            raise DatasetError(
                f"Found no meta/info.json in {folder}; expected the folder of a LeRobot dataset; "
                "try the folder that holds 'meta' and 'data'."
            )
        info = cls(path, as_object(parse_json(path.read_bytes(), path), path))
        info._check()
        return info

    def _check(self) -> None:
        if self.version not in ("v3.0", "v2.1", "v2.0"):
            raise DatasetError(
                f"Found codebase_version {self.raw.get('codebase_version')!r} in {self.path}; "
                "expected 'v3.0' or 'v2.1'; try LeRobot's own converter to v3.0."
            )
        if not isinstance(self.raw.get("features"), dict):
            wrong(self.path, "no 'features'", "a description of each column")
        strange = next(
            (name for name in self.features if set(name) & set("/\\") or name in (".", "..")), None
        )
        if strange is not None:  # they become names of folders
            wrong(self.path, f"a feature called {strange!r}", "names without slashes")
        for feature in (STATE, ACTION):
            if feature not in self.features:
                wrong(self.path, f"no '{feature}' among the features", "what the arm measured and was told")
        fps = self.raw.get("fps")
        if isinstance(fps, bool) or not isinstance(fps, int | float) or not 0 < fps < 10_000:
            wrong(self.path, f"fps {fps!r}", "frames per second, such as 30")

        chunks = self.raw.get("chunks_size", 1000)
        if type(chunks) is not int or chunks < 1:
            wrong(self.path, f"chunks_size {chunks!r}", "the number of episodes in a folder, such as 1000")

    @property
    def version(self) -> str:
        """`v3.0`, `v2.1` or `v2.0`."""
        return str(self.raw.get("codebase_version"))

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self.raw["fps"])

    @property
    def robot_type(self) -> str | None:
        """LeRobot's name of the robot, such as `so101_follower`; None when it is not said."""
        robot = self.raw.get("robot_type")
        return robot if isinstance(robot, str) else None

    @property
    def features(self) -> dict[str, Json]:
        """The description of each column."""
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
        """Whether the pictures of a camera are in videos, and not in the tables."""
        return self.features[key].get("dtype") == "video"

    def picture_size(self, key: str) -> tuple[int, int]:
        """Height and width; the shape is [h, w, c] in recordings and [c, h, w] in some converted ones."""
        shape = self.features[key].get("shape")
        if (
            not isinstance(shape, list)
            or len(shape) != 3
            or not all(isinstance(n, int) and n > 0 for n in shape)
        ):
            wrong(self.path, f"shape {shape!r} of '{key}'", "[height, width, 3]")
        return (shape[1], shape[2]) if shape[0] in (1, 3) else (shape[0], shape[1])

    def names(self, feature: str) -> tuple[str, ...]:
        """Joint names without `.pos`, from a list, a dict of lists or of indices; numbered when not given."""
        names = _flat_names(self.features[feature].get("names"))
        shape = self.features[feature].get("shape")
        width = shape[0] if isinstance(shape, list) and len(shape) == 1 else len(names)
        if type(width) is not int or not 0 < width < MOST_JOINTS:
            wrong(self.path, f"shape {shape!r} of '{feature}'", "the number of joints")
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
    """As LeRobot tells it; older recordings say so in other places."""
    told = [details for name in ("info", "video_info") if isinstance(details := feature.get(name), dict)]
    return any(details.get(name) for details in told for name in ("is_depth_map", "video.is_depth_map"))


@dataclass(frozen=True)
class Layout:
    """Which files hold what: `rows` has one record of the metadata for each episode."""

    folder: Path
    info: Info
    rows: list[Json]

    def data_files(self) -> Iterator[Path]:
        """The tables of these episodes, each once, in order."""
        numbered = "{episode" in str(self.info.raw.get("data_path"))
        known: set[str] = set()
        for row in self.rows:
            place = f"{row.get('data/chunk_index')}/{row.get('data/file_index')}"
            if numbered or place not in known:
                known.add(place)
                name = self._place("data_path", row, "data")
                if name not in known:
                    known.add(name)
                    yield self.folder / name

    def video_file(self, key: str, row: Json) -> Path:
        """The file with the pictures of one camera in one episode."""
        return self.folder / self._place("video_path", row, f"videos/{key}", video_key=key)

    def video_start_s(self, key: str, row: Json) -> float:
        """Where the episode begins in its file; v2.1 has one file for each and does not say."""
        column = f"videos/{key}/from_timestamp"
        start = row.get(column) or 0.0
        if not isinstance(start, int | float) or not 0 <= start < 1e7:
            wrong(self.folder / "meta" / "episodes", f"{column} {start!r}", "seconds from the file's start")
        return float(start)

    def video_lengths_s(self, key: str) -> dict[int, float]:
        """Seconds of video that each episode's record gives it; of those that say."""
        start, end = f"videos/{key}/from_timestamp", f"videos/{key}/to_timestamp"
        return {
            int(row["episode_index"]): float(row[end]) - float(row[start])
            for row in self.rows
            if isinstance(row.get(start), int | float) and isinstance(row.get(end), int | float)
        }

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
            if isinstance(pattern, str) and WIDE.search(pattern):
                raise ValueError("a number of more digits than any file has")
            return str(pattern).format(**fields) if isinstance(pattern, str) else _raise(KeyError(template))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"Found {template} {pattern!r} in {self.info.path}; expected a path with chunk and file or "
                "episode numbers; try to restore info.json from the recording."
            ) from error


def _raise(error: Exception) -> NoReturn:
    raise error


def episode_rows(folder: Path, info: Info, wanted: Collection[int] | None) -> list[Json]:
    """The metadata record of each wanted episode, by rising number."""
    rows = list(_rows_v3(folder) if info.version == "v3.0" else _rows_v2(folder))
    where = folder / "meta"
    for row in rows:
        if type(row.get("episode_index")) is not int:
            wrong(where, f"episode_index {row.get('episode_index')!r}", "a whole number for each episode")
    known = {row["episode_index"] for row in rows}
    missing = sorted(set(wanted or ()) - known)
    if missing:
        wrong(where, f"no episode {missing[0]}", f"one of its {len(known)} episodes")
    rows = [row for row in rows if wanted is None or row["episode_index"] in wanted]
    if not rows:
        raise DatasetError(
            f"Found no episodes in {folder}; expected at least one; "
            "try to record some, or to finalize() the recording."
        )
    return sorted(rows, key=lambda row: int(row["episode_index"]))


def _rows_v3(folder: Path) -> Iterator[Json]:
    for path in sorted((folder / "meta" / "episodes").glob("*/*.parquet")):
        with open_table(path) as file:
            columns = [name for name in file.schema_arrow.names if not name.startswith("stats/")]
            yield from cast("list[Json]", read_columns(file, columns, path).to_pylist())


def _rows_v2(folder: Path) -> Iterator[Json]:
    path = folder / "meta" / "episodes.jsonl"
    if path.is_file():
        yield from json_lines(path)


def read_tasks(folder: Path, info: Info) -> tuple[str, ...]:
    """Instructions by task index; a number that is not used is an empty instruction."""
    pairs: dict[object, object] = dict(_tasks_v3(folder) if info.version == "v3.0" else _tasks_v2(folder))
    where = folder / "meta"
    numbers = [number for number in pairs if type(number) is int and 0 <= number <= 1_000_000]
    if len(numbers) < len(pairs):
        wrong(where, "a task_index that is no whole number", "0, 1, 2 ... for the instructions")
    texts = (pairs.get(number) for number in range(max(numbers, default=-1) + 1))
    return tuple("" if text is None else str(text) for text in texts)


def _tasks_v3(folder: Path) -> Iterator[tuple[int, str]]:
    """The instruction is the table's index, whose column has changed its name between releases."""
    path = folder / "meta" / "tasks.parquet"
    with open_table(path) as file:
        names = file.schema_arrow.names
        texts = [
            name for name in names if name != "task_index" and _is_text(file.schema_arrow.field(name).type)
        ]
        if "task_index" not in names or not texts or not _is_index(file.schema_arrow, "task_index"):
            wrong(path, f"columns {names}", "'task_index' and the instruction")
        text = "task" if "task" in texts else texts[0]
        table = read_columns(file, ["task_index", text], path)
    yield from zip(table.column("task_index").to_pylist(), table.column(text).to_pylist(), strict=True)


def _tasks_v2(folder: Path) -> Iterator[tuple[int, str]]:
    path = folder / "meta" / "tasks.jsonl"
    for record in json_lines(path):
        if type(record.get("task_index")) is not int or not isinstance(record.get("task"), str):
            wrong(path, f"the line {json.dumps(record)[:80]}", "'task_index', a number, and 'task', a text")
        yield record["task_index"], record["task"]


def _is_index(schema: pa.Schema, name: str) -> bool:
    return pa.types.is_integer(schema.field(name).type)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def read_stats(folder: Path) -> dict[str, dict[str, NDArray[np.float64]]]:
    """`meta/stats.json` by feature and statistic; empty where the version keeps none."""
    path = folder / "meta" / "stats.json"
    if not path.is_file():
        return {}
    features = as_object(parse_json(path.read_bytes(), path), path)
    return {
        feature: {name: as_numbers(values, path) for name, values in as_object(stats, path).items()}
        for feature, stats in features.items()
    }
