"""The files of a v3.0 dataset that is being edited: metadata as rows, tables one by one.

Only for a copy that nobody else reads yet: files are replaced, not renamed into place.
"""

import json
import re
import shutil
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import config
from lerobot.datasets.io_utils import write_table_one_row_group_per_episode
from numpy.typing import NDArray

from regrasp.errors import DatasetError

type Row = dict[str, Any]

_PLACE = re.compile(r"chunk-(\d+)/file-(\d+)\.parquet$")
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
"""Where LeRobot's tools look, whatever meta/info.json says (`lerobot.datasets.utils`, 0.6.1)."""


@contextmanager
def passing_cache(partial: Path) -> Generator[None]:
    """Within it, tables that LeRobot opens are cached beside `partial` and forgotten afterwards.

    It opens them through Hugging Face's `datasets`, which keeps a second copy of each table for ever
    (100,000 frames without pictures: 11 MB), here of folders that are about to be renamed.
    """
    before = config.HF_DATASETS_CACHE
    cache = partial.with_name(f"{partial.name}.cache")
    shutil.rmtree(cache, ignore_errors=True)  # left by a process that was killed
    config.HF_DATASETS_CACHE = cache
    try:
        yield
    finally:
        config.HF_DATASETS_CACHE = before
        shutil.rmtree(cache, ignore_errors=True)


def read_info(root: Path) -> Row:
    """`meta/info.json`."""
    return json.loads((root / "meta" / "info.json").read_bytes())


def write_info(root: Path, info: Row) -> None:
    """Replace `meta/info.json`."""
    (root / "meta" / "info.json").write_text(json.dumps(info, indent=4, ensure_ascii=False), encoding="utf-8")


def keys_of(info: Row, *kinds: str) -> list[str]:
    """Keys of the features of these dtypes, such as "video"."""
    return [key for key, feature in info["features"].items() if feature["dtype"] in kinds]


def read_rows(root: Path) -> list[Row]:
    """One record of metadata for each episode, statistics included, by rising number."""
    paths = sorted((root / "meta" / "episodes").glob("*/*.parquet"))
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: int(row["episode_index"]))


def write_rows(root: Path, rows: list[Row]) -> None:
    """Replace the metadata of all episodes, in one file."""
    folder = root / "meta" / "episodes"
    for path in folder.glob("*/*.parquet"):
        path.unlink()
    for row in rows:
        row["meta/episodes/chunk_index"] = row["meta/episodes/file_index"] = 0
    columns = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: [row.get(name) for row in rows] for name in columns})
    (folder / "chunk-000").mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "chunk-000" / "file-000.parquet")


def data_files(root: Path) -> list[Path]:
    """The tables, in the order in which LeRobot reads them."""
    return sorted((root / "data").glob("*/*.parquet"))


def change_tables(root: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Replace each table by what `change` makes of it; a table that it gives back as it is stays untouched."""
    for path in data_files(root):
        before = pq.read_table(path)
        after = change(before)
        if after is not before:
            write_table_one_row_group_per_episode(after, path)


def numbers(table: pa.Table, column: str) -> NDArray[Any]:
    """A column of numbers, one in each row or one vector in each row."""
    values = table.column(column).combine_chunks()
    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        flat = values.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(values), -1)
    return values.to_numpy(zero_copy_only=False)


def with_numbers(table: pa.Table, column: str, values: NDArray[Any]) -> pa.Table:
    """The table with another content of a column of numbers, whose type stays."""
    field = table.schema.field(column)
    flat = pa.array(np.ascontiguousarray(values).ravel())
    array = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return table.set_column(table.schema.get_field_index(column), field, array.cast(field.type))


def count_anew(root: Path) -> dict[int, int]:
    """Write the counts and places that the tables have, wherever the metadata say something else or nothing.

    Returns:
        The number of each episode before and after: afterwards they are 0, 1, 2 ... without a gap.
    """
    info = read_info(root)
    _require_ordinary_places(info)
    rows = {int(row["episode_index"]): row for row in read_rows(root)}
    places = _places(root, rows.keys())
    renumbered = {old: new for new, old in enumerate(sorted(rows))}
    tasks = _task_names(root)
    change_tables(root, _Counter(places, renumbered))
    for old, row in rows.items():
        row |= places[old].columns(tasks)
        row["episode_index"] = renumbered[old]
        for key in keys_of(info, "video"):
            start = row[f"videos/{key}/from_timestamp"]
            row[f"videos/{key}/to_timestamp"] = start + places[old].last_s + 1 / info["fps"]
    write_rows(root, list(rows.values()))
    frames = sum(place.length for place in places.values())
    write_info(root, _with_counts(info, len(rows), frames, len(tasks)))
    return renumbered


def write_totals(root: Path) -> None:
    """Write the totals of episodes, frames and instructions into `meta/info.json`."""
    rows = read_rows(root)
    frames = sum(int(row["length"]) for row in rows)
    write_info(root, _with_counts(read_info(root), len(rows), frames, len(_task_names(root))))


def _with_counts(info: Row, episodes: int, frames: int, tasks: int) -> Row:
    totals = {"total_episodes": episodes, "total_frames": frames, "total_tasks": tasks}
    return {**info, **totals, "splits": {"train": f"0:{episodes}"}}


def _require_ordinary_places(info: Row) -> None:
    for name, expected in (("data_path", DATA_PATH), ("video_path", VIDEO_PATH)):
        found = info.get(name) or expected
        if found != expected:
            raise DatasetError(
                f"Found {name} {found!r} in meta/info.json; expected {expected!r}, where LeRobot's tools look; "
                "try to rename the files and this entry."
            )


class _Place:
    """Where an episode stands in the tables: file, first row over all files, rows, instructions, last second."""

    def __init__(self, path: Path, first: int, table: pa.Table) -> None:
        found = _PLACE.search(path.as_posix())
        if found is None:
            raise DatasetError(
                f"Found the table {path}; expected a name such as data/chunk-000/file-000.parquet."
            )
        self.chunk, self.file = int(found[1]), int(found[2])
        self.first, self.length = first, len(table)
        self.tasks = list(dict.fromkeys(numbers(table, "task_index").tolist()))
        self.last_s = float(numbers(table, "timestamp").ravel()[-1])

    def columns(self, tasks: list[str]) -> Row:
        return {
            "tasks": [tasks[number] for number in self.tasks],
            "length": self.length,
            "data/chunk_index": self.chunk,
            "data/file_index": self.file,
            "dataset_from_index": self.first,
            "dataset_to_index": self.first + self.length,
        }


def _places(root: Path, known: Collection[int]) -> dict[int, _Place]:
    places: dict[int, _Place] = {}
    first = 0
    for path in data_files(root):
        table = pq.read_table(path, columns=["episode_index", "timestamp", "task_index"])
        episode = numbers(table, "episode_index")
        starts = [0, *(np.flatnonzero(np.diff(episode)) + 1), len(episode)]
        for start, end in pairwise(starts):
            number = int(episode[start])
            if number in places or number not in known:
                known_or_not = "twice" if number in places else "that meta/episodes does not list"
                raise DatasetError(
                    f"Found rows of episode {number} {known_or_not} in {path}; expected each episode once, in one "
                    "piece; try to copy or download the dataset again."
                )
            places[number] = _Place(path, first + start, table.slice(start, end - start))
        first += len(episode)
    missing = sorted(set(known) - places.keys())
    if missing:
        raise DatasetError(
            f"Found no rows of episode {missing[0]} in {root / 'data'}; expected some, because meta/ lists it; "
            "try to copy or download the dataset again."
        )
    return places


class _Counter:
    """Numbers the rows of one table after another, and gives episodes their new numbers."""

    def __init__(self, places: dict[int, _Place], renumbered: dict[int, int]) -> None:
        self._places, self._renumbered, self._first = places, renumbered, 0

    def __call__(self, table: pa.Table) -> pa.Table:
        index = np.arange(self._first, self._first + len(table), dtype=np.int64)
        self._first += len(table)
        if not np.array_equal(numbers(table, "index"), index):
            table = with_numbers(table, "index", index)
        before = numbers(table, "episode_index")
        after = np.array([self._renumbered[int(number)] for number in before], dtype=np.int64)
        return table if np.array_equal(before, after) else with_numbers(table, "episode_index", after)


def _task_names(root: Path) -> list[str]:
    """Instructions by number, from a table whose index they are, as LeRobot reads it: it is made so if it is not."""
    path = root / "meta" / "tasks.parquet"
    table = pd.read_parquet(path)
    texts = [name for name in table.columns if name != "task_index"]
    if texts:
        table = table.set_index("task" if "task" in texts else texts[0])
    ordered = table.sort_values("task_index")
    if list(ordered["task_index"]) != list(range(len(ordered))):
        raise DatasetError(
            f"Found instructions numbered {ordered['task_index'].tolist()} in {path}; expected 0, 1, 2 ...; "
            "try to copy or download the dataset again."
        )
    if texts or not ordered.index.equals(table.index):
        ordered.rename_axis("task")[["task_index"]].to_parquet(path)
    return [str(name) for name in ordered.index]
