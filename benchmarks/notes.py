"""What a long benchmark has finished, so that the same command goes on after a kill."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from regrasp.data.atomic import write_text
from regrasp.data.journal import read_journal
from regrasp.lerobot_bridge.training import resume, train


class Notes:
    """JSON values by the name of the part that gave them, kept in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def once(self, part: str, make: Callable[[], Any]) -> Any:
        """What `make` gave for this part, now or in an earlier run."""
        if part not in self._known:
            self._known[part] = make()
            write_text(self._path, json.dumps(self._known, indent=1) + "\n")
        return self._known[part]


def trained(dataset: Path, run: Path, **settings: Any) -> Path:
    """The run in `run`: trained, gone on with where it was stopped, or left as it is where it is finished."""
    journal = read_journal(run)
    if journal is None:
        train(dataset, run, **settings)
    elif not journal.finished:
        resume(run)
    return run
