"""The rows of a dataset's parquet files as plain arrays, without pandas."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regrasp.data.files import open_table, read_columns, wrong
from regrasp.data.metadata import ACTION, STATE, Info, Layout

INDEX_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index")


@dataclass(frozen=True, eq=False)
class Table:
    """All rows of the wanted episodes, ordered by episode and frame, and the place of each in its file."""

    columns: Mapping[str, NDArray[np.generic]]
    files: list[Path]
    file_of_row: NDArray[np.int64]
    row_in_file: NDArray[np.int64]

    @classmethod
    def read(cls, layout: Layout) -> "Table":
        """Every column of numbers that all files have."""
        files: list[Path] = []
        parts: list[dict[str, NDArray[np.generic]]] = []
        for path in layout.data_files():  # one by one: the first that is missing ends it
            parts.append(_numeric_columns(path, layout.info))
            files.append(path)
        common = [name for name in parts[0] if all(name in part for part in parts)]
        columns = {name: _join([part[name] for part in parts], name, layout) for name in common}
        lengths = [len(part["episode_index"]) for part in parts]
        file_of_row = np.repeat(np.arange(len(files)), lengths)
        row_in_file = np.concatenate([np.arange(length) for length in lengths])
        return cls(columns, files, file_of_row, row_in_file)._ordered()

    def _ordered(self) -> "Table":
        episode, frame = self.columns["episode_index"], self.columns["frame_index"]
        order = np.lexsort((frame, episode))
        if np.array_equal(order, np.arange(len(order))):
            return self
        columns = {name: column[order] for name, column in self.columns.items()}
        return Table(columns, self.files, self.file_of_row[order], self.row_in_file[order])

    def rows_of(self, episode: int) -> slice:
        """Where the rows of one episode are; an empty slice when it has none."""
        numbers = self.columns["episode_index"]
        first, end = np.searchsorted(numbers, [episode, episode + 1])
        return slice(int(first), int(end))


def _numeric_columns(path: Path, info: Info) -> dict[str, NDArray[np.generic]]:
    """Every column of numbers in one file: [rows] or [rows, width]."""
    with open_table(path) as file:
        schema = file.schema_arrow
        missing = [name for name in (STATE, ACTION, *INDEX_COLUMNS) if name not in schema.names]
        if missing:
            wrong(path, f"no column '{missing[0]}'", "one for each feature of meta/info.json")
        names = [name for name in schema.names if _is_number(_innermost(schema.field(name).type))]
        table = read_columns(file, names, path)
    arrays = {name: _to_array(table.column(name).combine_chunks(), name, path) for name in names}
    for feature in (STATE, ACTION):
        width = len(info.names(feature))
        found = arrays.get(feature)
        if found is None or found.ndim != 2 or found.shape[1] != width:
            kind = schema.field(feature).type
            wrong(path, f"column '{feature}' of type {kind}", f"{width} numbers in each row")
    for name in INDEX_COLUMNS:
        if name not in arrays or arrays[name].ndim != 1:
            wrong(path, f"column '{name}' of type {schema.field(name).type}", "one number in each row")
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
            wrong(path, f"rows of unequal width in column '{name}'", "the same number of values in each")
        shape.append(width)
        column = flat
    return _flat_numbers(column).reshape(shape)


def _flat_numbers(column: pa.Array) -> NDArray[np.generic]:
    """The array's memory as NumPy sees it. Arrow's own `to_numpy` imports pandas, which takes a second."""
    if column.null_count:
        column = column.cast(pa.float64(), safe=False).fill_null(float("nan"))
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


def _join(parts: list[NDArray[np.generic]], name: str, layout: Layout) -> NDArray[np.generic]:
    if len({part.shape[1:] for part in parts}) > 1:
        wrong(
            layout.folder / "data", f"column '{name}' with different widths", "the same width in every file"
        )
    return np.concatenate(parts)
