"""Says which checkpoint of a run a verb takes."""

import sys
from pathlib import Path


def say_which(given: str | Path | None) -> None:
    """A line on stderr where a run was given: its best checkpoint, or its last, and why."""
    from regrasp.data.selection import which_checkpoint

    line = which_checkpoint(given) if given else ""
    if line:
        print(f"checkpoint: {line}", file=sys.stderr)
