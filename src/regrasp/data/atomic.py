"""Files and folders that appear whole or not at all."""

import os
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write `text` to a temporary name beside `path`, then rename it."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to a temporary name beside `path`, then rename it; the folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def rename_whole(partial: Path, path: Path) -> None:
    """Give a finished folder its name; `path` must not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(path)
