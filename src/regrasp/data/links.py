"""Links between neighbouring folders, as `checkpoints/last` and `checkpoints/best` are."""

import os
from pathlib import Path


def point(link: Path, target: Path) -> None:
    """Make `link` point at the folder `target` beside it; at no moment is there no link.

    Where the file system has no links (Google Drive's, exFAT), a file with the folder's name takes its place.

    Raises:
        OSError: The folder cannot be written.
    """
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        fresh.symlink_to(target.name)
    except OSError:
        fresh.write_text(target.name + "\n", encoding="utf-8")
    fresh.replace(link)


def pointed(link: Path) -> Path:
    """The folder that `link` points at, which may be gone; `link` itself where a copy has followed it, or there is none.

    Example:
        >>> pointed(Path("checkpoints/last"))
        PosixPath('checkpoints/last')
    """
    if link.is_symlink():
        return link.parent / link.readlink()
    if link.is_file():
        return link.parent / link.read_text(encoding="utf-8").strip()
    return link
