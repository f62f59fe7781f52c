"""Moves and cuts the pictures of episodes without losing any of their quality."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regrasp.lerobot_bridge.folders import (
    VIDEO_PATH,
    Row,
    change_tables,
    keys_of,
    numbers,
    read_info,
    read_rows,
    with_numbers,
    write_rows,
)
from regrasp.lerobot_bridge.video_cuts import copy_stretches


@dataclass(frozen=True)
class Stretch:
    """Where the pictures of an episode lie: a file and the seconds from which up to which they last."""

    file: Path
    start_s: float
    end_s: float


type Exchanges = Mapping[int, Mapping[str, str]]
"""For an episode, from which camera's key each camera's key is to get its pictures."""


def rearrange(
    root: Path,
    *,
    exchanges: Exchanges,
    kept_frames: Mapping[int, tuple[int, int]],
    dropped: Collection[int],
) -> None:
    """Exchange cameras and cut episodes; give those that are to be left out video files of their own.

    With that, LeRobot's `delete_episodes` copies files where it would otherwise encode what is left of them
    again. The counts of a dataset that was cut are those of the tables when this returns.
    """
    info, rows = read_info(root), read_rows(root)
    seconds = _cut_tables(root, kept_frames)
    _exchange_columns(root, keys_of(info, "image"), exchanges)
    wanted = {
        (row["episode_index"], key): _wanted(root, row, key, exchanges, seconds)
        for row in rows
        if row["episode_index"] not in dropped
        for key in keys_of(info, "video")
    }
    old = {_stretch(root, row, key).file for row in rows for key in keys_of(info, "video")}
    for key in keys_of(info, "video"):
        _place(root, info, rows, key, wanted)
    for row in rows:
        _exchange_row(row, exchanges.get(row["episode_index"], {}))
        if row["episode_index"] in kept_frames:
            first, last = kept_frames[row["episode_index"]]
            row["length"] = last - first + 1
    still = {_stretch(root, row, key).file for row in rows for key in keys_of(info, "video")}
    for file in old - still:
        file.unlink()
    write_rows(root, rows)


def video_files(root: Path) -> set[Path]:
    """Every video file that the metadata name."""
    rows, keys = read_rows(root), keys_of(read_info(root), "video")
    return {_stretch(root, row, key).file for row in rows for key in keys}


def _stretch(root: Path, row: Row, key: str) -> Stretch:
    chunk, file = row[f"videos/{key}/chunk_index"], row[f"videos/{key}/file_index"]
    path = root / VIDEO_PATH.format(video_key=key, chunk_index=int(chunk), file_index=int(file))
    return Stretch(path, row[f"videos/{key}/from_timestamp"], row[f"videos/{key}/to_timestamp"])


def _wanted(
    root: Path, row: Row, key: str, exchanges: Exchanges, seconds: Mapping[int, tuple[float, float]]
) -> Stretch:
    """Where the pictures are that this camera is to have in this episode."""
    number = row["episode_index"]
    whole = _stretch(root, row, exchanges.get(number, {}).get(key, key))
    if number not in seconds:
        return whole
    first_s, length_s = seconds[number]
    return Stretch(whole.file, whole.start_s + first_s, whole.start_s + first_s + length_s)


def _place(
    root: Path, info: Row, rows: list[Row], key: str, wanted: Mapping[tuple[int, str], Stretch]
) -> None:
    """Copy what must move into new files, and write into the rows where everything is."""
    changed = {
        _stretch(root, row, key).file
        for row in rows
        if wanted.get((row["episode_index"], key)) != _stretch(root, row, key)
    }
    moving: dict[Path, list[Row]] = {}
    for row in rows:
        goal = wanted.get((row["episode_index"], key))
        if goal is not None and _stretch(root, row, key).file in changed:
            moving.setdefault(goal.file, []).append(row)
    used = [_file_number(info, row, key) for row in rows]
    for number, (file, group) in enumerate(sorted(moving.items()), start=max(used) + 1):
        chunk, place = divmod(number, _files_in_chunk(info))
        target = root / VIDEO_PATH.format(video_key=key, chunk_index=chunk, file_index=place)
        goals = [wanted[row["episode_index"], key] for row in group]
        starts = copy_stretches(file, target, [(goal.start_s, goal.end_s) for goal in goals])
        for row, goal, start in zip(group, goals, starts, strict=True):
            row[f"videos/{key}/chunk_index"], row[f"videos/{key}/file_index"] = chunk, place
            row[f"videos/{key}/from_timestamp"] = start
            row[f"videos/{key}/to_timestamp"] = start + goal.end_s - goal.start_s


def _file_number(info: Row, row: Row, key: str) -> int:
    """Place of an episode's video file in the order in which LeRobot makes files."""
    return int(row[f"videos/{key}/chunk_index"]) * _files_in_chunk(info) + int(
        row[f"videos/{key}/file_index"]
    )


def _files_in_chunk(info: Row) -> int:
    return int(info.get("chunks_size", 1000))


def _exchange_row(row: Row, sources: Mapping[str, str]) -> None:
    """Give the statistics of each camera's pictures the name under which the pictures are now."""
    before = {name: value for name, value in row.items() if name.startswith("stats/")}
    for key, source in sources.items():
        for name in [name for name in before if name.startswith(f"stats/{key}/")]:
            row[name] = before.get(f"stats/{source}/{name.rpartition('/')[2]}")


def _cut_tables(root: Path, kept_frames: Mapping[int, tuple[int, int]]) -> dict[int, tuple[float, float]]:
    """Leave only these frames of each episode in the tables; seconds cut off before, and seconds left."""
    seconds: dict[int, tuple[float, float]] = {}
    frame_s = 1 / read_info(root)["fps"]

    def cut(table: pa.Table) -> pa.Table:
        episode, frame = numbers(table, "episode_index"), _frame_numbers(table)
        time, times = numbers(table, "timestamp").ravel().astype(np.float64), []
        keep = np.ones(len(table), dtype=bool)
        for number, (first, last) in kept_frames.items():
            here = episode == number
            inside = here & (frame >= first) & (frame <= last)
            keep &= ~here | inside
            if inside.any():
                start = time[inside][0]
                seconds[number] = float(start), float(time[inside][-1] - start + frame_s)
                times.append((number, start, first))
        if keep.all():
            return table
        return _restarted(table.filter(pa.array(keep)), times)

    if kept_frames:
        change_tables(root, cut)
    return seconds


def _frame_numbers(table: pa.Table) -> NDArray[np.int64]:
    """Place of each row in its episode, whatever the column `frame_index` says."""
    episode = numbers(table, "episode_index")
    starts = np.flatnonzero(np.diff(episode, prepend=episode[:1] - 1))
    return np.arange(len(episode)) - np.repeat(starts, np.diff(starts, append=len(episode)))


def _restarted(table: pa.Table, cuts: list[tuple[int, float, int]]) -> pa.Table:
    """Begin the clock and the frame numbers of the episodes that were cut at 0."""
    episode = numbers(table, "episode_index")
    time, frame = numbers(table, "timestamp").copy(), numbers(table, "frame_index").copy()
    for number, start, first in cuts:
        time[episode == number] = (time[episode == number].astype(np.float64) - start).astype(time.dtype)
        frame[episode == number] -= first
    return with_numbers(with_numbers(table, "timestamp", time), "frame_index", frame)


def _exchange_columns(root: Path, keys: list[str], exchanges: Exchanges) -> None:
    """Exchange pictures that are stored in the tables."""
    if not keys or not exchanges:
        return

    def exchange(table: pa.Table) -> pa.Table:
        episode, before = numbers(table, "episode_index"), table
        for key in keys:
            sources = {number: goal[key] for number, goal in exchanges.items() if key in goal}
            for source in set(sources.values()):
                here = np.isin(episode, [number for number, name in sources.items() if name == source])
                if here.any():
                    table = _with_cells(table, before, key, source, here)
        return table

    change_tables(root, exchange)


def _with_cells(
    table: pa.Table, before: pa.Table, key: str, source: str, here: NDArray[np.bool_]
) -> pa.Table:
    """The table with the cells of another column where `here` is True."""
    both = pa.chunked_array(
        [*table.column(key).chunks, *before.column(source).cast(table.column(key).type).chunks]
    )
    rows = pa.array(np.where(here, np.arange(len(table)) + len(table), np.arange(len(table))))
    return table.set_column(table.schema.get_field_index(key), table.schema.field(key), pc.take(both, rows))
