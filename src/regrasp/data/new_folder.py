"""A dataset's folder that appears whole or not at all, made from others that stay as they are."""

import errno
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from regrasp.data.atomic import rename_whole
from regrasp.errors import DatasetError, UsageError


def require_new_folder(into: Path, sources: Sequence[Path]) -> None:
    """Raise a UsageError unless `into` is a free name outside each of `sources`, on a disk with room for it."""
    if into.exists() or into.is_symlink():
        raise UsageError(
            f"{into} exists already; expected a new folder. Choose another name or delete it first."
        )
    for source in sources:
        if into.resolve().is_relative_to(source.resolve()):
            raise UsageError(
                f"{into} lies inside the dataset {source}; expected a folder outside it, which stays as it is. "
                f"Try {source.resolve().with_name(source.resolve().name + '_new')}."
            )
    _require_room(into, sum(_size(source) for source in sources))


def recording_folder(out: Path) -> Path:
    """Where a dataset is kept until it is whole, episode by episode."""
    return out.with_name(f"{out.name}.recording")


@contextmanager
def new_folder(into: Path) -> Generator[Path]:
    """Within it, a temporary name beside `into`, which becomes `into` at the end; nothing stays after a mishap.

    Raises:
        DatasetError: The disk is full, or the place cannot be written.
    """
    partial = into.with_name(f".{into.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # left by a process that was killed
        into.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        rename_whole(partial, into)
    except OSError as error:
        raise unwritable(into, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder's files, those behind links too; the copy can be written even if the original cannot."""
    for folder, _, names in source.walk(follow_symlinks=True):
        into = target / folder.relative_to(source)
        into.mkdir(parents=True)
        for name in names:
            if (folder / name).exists():  # not a link that leads nowhere
                shutil.copyfile(folder / name, into / name)


def unwritable(into: Path, error: OSError) -> DatasetError:
    """What to say when the new folder cannot be written; the folder is not there then."""
    reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    what = (
        "the disk is full; expected room for a copy. Free some space"
        if error.errno == errno.ENOSPC
        else f"{reason}; expected a place that can be written. Choose another"
    )
    return DatasetError(f"Could not write {into}: {what} and run the same command again.")


def _size(folder: Path) -> int:
    return sum(
        (path / name).stat().st_size
        for path, _, names in folder.walk(follow_symlinks=True)
        for name in names
        if (path / name).exists()
    )


def _require_room(into: Path, needed: int) -> None:
    parent = next(path for path in into.absolute().parents if path.exists())
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise DatasetError(
            f"Found {free / 1e6:.0f} MB free for {into}; expected {needed / 1e6:.0f} MB for the copy. "
            "Free some space, or choose a folder on another disk."
        )
