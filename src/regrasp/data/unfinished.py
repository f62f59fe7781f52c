"""Notes of work that was begun: what was planned, and what of it is on disk."""

import json
from pathlib import Path
from typing import Any, NoReturn, cast

from regrasp.errors import DatasetError


def read_plan(path: Path) -> dict[str, Any]:
    """What was planned, as JSON values by name.

    Raises:
        DatasetError: The file is damaged.
    """
    plan = _read(path)
    return cast("dict[str, Any]", plan) if isinstance(plan, dict) else _damaged(path)


def read_notes(path: Path) -> list[dict[str, Any]]:
    """What was noted of each finished episode, in order; nothing where there is no file.

    Raises:
        DatasetError: The file is damaged.
    """
    if not path.exists():
        return []
    notes = _read(path)
    if not isinstance(notes, list):
        _damaged(path)
    for note in cast("list[object]", notes):
        if not isinstance(note, dict):
            _damaged(path)
    return cast("list[dict[str, Any]]", notes)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        _damaged(path)


def _damaged(path: Path) -> NoReturn:
    raise DatasetError(
        f"Found a damaged {path.name} in {path.parent}; expected what Regrasp noted there; delete the folder and run the "
        "same command again."
    )
