"""Arrays in a safetensors file, read and written without anything that could be executed.

Format: https://huggingface.co/docs/safetensors (8 bytes length, a JSON header with dtype, shape and data_offsets, then
the numbers).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.atomic import write_bytes
from regrasp.errors import CheckpointError

LONGEST_FILE = 64_000_000
"""Bytes of a settings file or of a normaliser's statistics; those of twelve joints and four cameras take 12,000."""

_DTYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32,
    "I16": np.int16, "I8": np.int8, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip
"""Types of the format that a normaliser can hold."""


def short_file(path: Path) -> bytes:
    """What is in a file of a checkpoint that is no weights.

    Raises:
        ValueError: It is longer than any of these.
    """
    if path.stat().st_size > LONGEST_FILE:
        raise ValueError("too long")
    return path.read_bytes()


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays by name.

    Raises:
        CheckpointError: The file cannot be read.
    """
    try:
        header, numbers = _parted(short_file(path))
        return {name: _array(entry, numbers) for name, entry in header.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise CheckpointError(
            f"Found no readable arrays in {path}; expected a safetensors file that LeRobot saved; try another "
            "checkpoint."
        ) from error


def overwrite_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put other numbers in the place of those of the arrays of these names, which have the same shapes and types."""
    content = path.read_bytes()
    header, numbers = _parted(content)
    written = bytearray(content)
    begin = len(content) - len(numbers)
    for name, values in arrays.items():
        start, stop = (begin + place for place in header[name]["data_offsets"])
        written[start:stop] = np.ascontiguousarray(values).tobytes()
    write_bytes(path, bytes(written))


def _parted(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header's entries by name, and the numbers."""
    size = int.from_bytes(content[:8], "little")
    if size > len(content) - 8:
        raise ValueError("a header beyond the end")
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    return header, content[8 + size :]


def _array(entry: Mapping[str, Any], numbers: bytes) -> NDArray[Any]:
    start, stop = entry["data_offsets"]
    kind = np.dtype(_DTYPES[entry["dtype"]]).newbyteorder("<")
    return np.frombuffer(numbers[start:stop], dtype=kind).reshape(entry["shape"])
