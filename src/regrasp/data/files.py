"""JSON and tables of a dataset's folder, and what is said of damaged ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regrasp.errors import DatasetError

type Json = dict[str, Any]


def json_lines(path: Path) -> Iterator[Json]:
    """One object for each line of a file; a DatasetError where there is none."""
    if not path.is_file():
        raise DatasetError(
            f"Found no file {path}; expected it in a v2.1 dataset; try to copy or download the dataset again."
        )
    lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    for value in _parsed_together(lines) or (parse_json(line, path) for line in lines):
        yield as_object(value, path)


def _parsed_together(lines: list[bytes]) -> list[object]:
    """The value of each line, a million in two seconds; nothing where one is no JSON by itself."""
    try:
        values = cast("list[object]", json.loads(b"[" + b",".join(lines) + b"]"))
    except (ValueError, RecursionError):
        return []
    return values if len(values) == len(lines) else []


def parse_json(text: bytes, path: Path) -> object:
    """What the text says; a DatasetError that names `path` when it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"Found no valid JSON in {path}; expected LeRobot's metadata; "
            "try to copy or download the file again."
        ) from error


def as_object(value: object, path: Path) -> Json:
    """The value itself; a DatasetError when it is no JSON object."""
    if not isinstance(value, dict):
        wrong(path, f"a JSON {type(value).__name__}", "an object")
    return cast("Json", value)


def as_numbers(value: object, path: Path) -> NDArray[np.float64]:
    """A list of numbers, or lists of them, as float64; a DatasetError for anything else."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise DatasetError(
            f"Found statistics in {path} that are no numbers; expected lists of numbers; "
            "try LeRobot's 'lerobot-edit-dataset --operation.type=recompute_stats'."
        ) from error


def wrong(path: Path, found: str, expected: str) -> NoReturn:
    """Raise the DatasetError that says what was found where, and what was expected."""
    raise DatasetError(
        f"Found {found} in {path}; expected {expected}; try to copy or download the dataset again."
    )


_BROKEN_TABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What Arrow raises at damaged bytes; the last one at a damaged column name."""


def open_table(path: Path) -> pq.ParquetFile:
    """A parquet file, opened; a DatasetError when it is missing or damaged."""
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise DatasetError(
            f"Found no file {path}; expected it because meta/ names it; "
            "try to copy or download the dataset again."
        ) from error
    except _BROKEN_TABLE as error:
        raise _unreadable(path) from error


def read_columns(file: pq.ParquetFile, columns: list[str], path: Path) -> pa.Table:
    """These columns of all rows; a DatasetError when the file is damaged."""
    try:
        return file.read(columns=columns)
    except _BROKEN_TABLE as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> DatasetError:
    return DatasetError(
        f"Found no readable table in {path}; expected a parquet file, whole to its last byte; "
        "try to copy it again, or to finalize() the recording that wrote it."
    )
