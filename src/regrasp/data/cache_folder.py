"""Where Regrasp keeps what it can make again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$REGRASP_CACHE`, else `regrasp` below `$XDG_CACHE_HOME`, else `~/.cache/regrasp`."""
    chosen = os.environ.get("REGRASP_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regrasp"


def frames_folder() -> Path:
    """Decoded frames, which take gigabytes and may lie on another disk: `$REGRASP_FRAME_CACHE`, else `frames` here."""
    chosen = os.environ.get("REGRASP_FRAME_CACHE")
    return Path(chosen) if chosen else cache_folder() / "frames"
