"""Decoded frames in files: one for each camera and episode, written once, checked at each use, mapped into memory.

```text
FRAMES/NAME-DIGEST/used                                      touched whenever the frames are used
FRAMES/NAME-DIGEST/observation.images.front/episode-000012   its frames, uint8 [n, 3, h, w], then their checksum
```

`DIGEST` stands for everything that decides what a frame looks like: the dataset's tables and videos byte by byte, the
decoder and its version. A file gets its name when it is whole. One that is being written is locked, so that two
trainings that start at once share the work; a process that is killed loses its lock, and another writes the file anew.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
import xxhash

from regrasp.data.cache_folder import frames_folder
from regrasp.errors import DatasetError, first_line

BYTES_FREE = 5_000_000_000
"""Disk that must stay free beside the frames: checkpoints go there too (SmolVLA's take 2.2 GB each)."""

MOST_PROCESSES = 16
"""Each holds a few hundred megabytes of frames while it decodes."""

LET_LIE_S = 24 * 3600.0
"""Frames of another dataset that were used within this time are not deleted to make room."""

_CHECKSUM_BYTES = 16
_READ_BYTES = 1 << 24


class Uncached(Exception):  # noqa: N818 - a state in which training goes on, not a mishap
    """Why frames cannot be cached, as the end of a sentence."""


@dataclass(frozen=True)
class Segment:
    """The frames of one camera in one episode.

    Attributes:
        path: Their file.
        camera: Key of the camera.
        first: Row of the first frame in the dataset.
        shape: Frames, channels, height, width.
    """

    path: Path
    camera: str
    first: int
    shape: tuple[int, int, int, int]

    @property
    def bytes(self) -> int:
        """Size of the frames alone."""
        frames, channels, height, width = self.shape
        return frames * channels * height * width


type Frames = Callable[[Segment], Iterator[torch.Tensor]]
"""Gives the frames of a segment piece by piece, uint8 [k, 3, h, w]."""


def content_digest(root: Path, settings: Iterable[object]) -> str:
    """Digest of a dataset's tables and videos and of the settings that they are decoded with; 32 hex digits."""
    digest = xxhash.xxh3_128(repr([str(setting) for setting in settings]).encode())
    for pattern in ("meta/episodes/*/*.parquet", "data/*/*.parquet", "videos/*/*/*.mp4"):
        for path in sorted(root.glob(pattern)):
            digest.update(f"{path.relative_to(root).as_posix()} {path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                _add(digest, file, path.stat().st_size)
    return digest.hexdigest()


def is_whole(segment: Segment) -> bool:
    """Whether the segment's file has its size and its checksum."""
    try:
        with segment.path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != segment.bytes + _CHECKSUM_BYTES:
                return False
            digest = xxhash.xxh3_128()
            _add(digest, file, segment.bytes)
            return file.read() == digest.digest()
    except OSError:
        return False


def write(segment: Segment, frames: Frames) -> None:
    """Write the segment's file, unless another process has done so meanwhile."""
    segment.path.parent.mkdir(parents=True, exist_ok=True)
    partial = segment.path.with_name(f".{segment.path.name}.partial")
    with _alone(partial) as file:
        if is_whole(segment):
            partial.unlink()
            return
        file.truncate(0)
        digest, written = xxhash.xxh3_128(), 0
        for block in _decoded(segment, frames):
            content = memoryview(block.contiguous().numpy()).cast("B")
            digest.update(content)
            written += file.write(content)
        if written != segment.bytes:
            raise Uncached(
                f"{segment.camera} gave {written} bytes of frames where {segment.bytes} were expected"
            )
        file.write(digest.digest())
        file.flush()
        partial.replace(segment.path)


def mapped(segment: Segment) -> torch.Tensor:
    """The frames of a whole file, uint8 [n, 3, h, w]: read from the disk when they are looked at.

    Processes that map the same file share its memory. What is written into the tensor stays in this process.
    """
    flat = torch.from_file(str(segment.path), shared=False, size=segment.bytes, dtype=torch.uint8)
    return flat.view(segment.shape)


def make_whole(
    segments: Sequence[Segment],
    frames: Frames,
    *,
    on_done: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:
    """Check every segment's file, and write those that are missing or damaged, over all processors.

    Raises:
        Uncached: The disk will not take them.
        DatasetError: A frame cannot be decoded, which would stop a training when it comes to it.
    """
    total = len(segments)
    for done, error in enumerate(in_processes(_Whole(segments, frames))):
        if error is not None:
            raise error
        on_done(done + 1, total)


def in_processes(tasks: "torch.utils.data.Dataset[Any]") -> Iterator[Any]:
    """The items of `tasks`, computed in processes of their own.

    torch's loader starts and ends them. It draws its seed from a generator of its own here, so that a training meets
    the same random numbers whether its frames were in the cache or not.
    """
    count = len(tasks)  # pyright: ignore[reportArgumentType]
    fork = hasattr(os, "fork") and hasattr(
        os, "sched_getaffinity"
    )  # Linux; a spawned process imports for ten seconds
    processes = min(len(os.sched_getaffinity(0)), MOST_PROCESSES, count) if fork else 0
    return iter(
        torch.utils.data.DataLoader(
            tasks,
            batch_size=None,
            num_workers=processes,
            prefetch_factor=1 if processes else None,
            multiprocessing_context="fork" if processes else None,
            generator=torch.Generator(),
            collate_fn=_as_it_is,
        )
    )


def make_room(folder: Path, segments: Sequence[Segment]) -> None:
    """Leave `BYTES_FREE` of the disk free beside the segments that are missing; note that `folder` is used.

    Frames of other datasets go first, those that were not used for longest before others.

    Raises:
        Uncached: They do not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "used").touch()
    missing = sum(segment.bytes for segment in segments if not segment.path.exists())
    others = [path.parent for path in folder.parent.glob("*/used") if path.parent != folder]
    for other in sorted(others, key=_last_used):
        if fits(missing, folder) or time.time() - _last_used(other) < LET_LIE_S:
            break
        shutil.rmtree(other, ignore_errors=True)
    if missing and not fits(missing, folder):
        free = shutil.disk_usage(folder).free
        raise Uncached(
            f"the decoded frames would take {missing / 1e9:.1f} GB of the {free / 1e9:.1f} GB that are free in "
            f"{folder.parent}, where {BYTES_FREE / 1e9:.0f} GB must stay free (REGRASP_FRAME_CACHE names another folder)"
        )


def fits(size: int, folder: Path | None = None) -> bool:
    """Whether so many bytes leave `BYTES_FREE` of the disk free."""
    folder = folder or frames_folder()
    while not folder.exists():
        folder = folder.parent
    return size + BYTES_FREE < shutil.disk_usage(folder).free


class _Whole(torch.utils.data.Dataset[Uncached | DatasetError | None]):
    """Item i makes segment i whole; it is what went wrong, or None."""

    def __init__(self, segments: Sequence[Segment], frames: Frames) -> None:
        self._segments, self._frames = segments, frames

    def __len__(self) -> int:
        return len(self._segments)

    def __getitem__(self, index: int) -> Uncached | DatasetError | None:
        segment = self._segments[index]
        try:
            if not is_whole(segment):
                write(segment, self._frames)
        except (Uncached, DatasetError) as error:
            return error
        except OSError as error:
            return Uncached(f"{segment.path} cannot be written ({error.strerror or error})")
        return None


def _decoded(segment: Segment, frames: Frames) -> Iterator[torch.Tensor]:
    """The frames, or a sentence about why there are none."""
    try:
        yield from frames(segment)
    except (OSError, ValueError, RuntimeError) as error:
        reason = first_line(error)
        raise DatasetError(
            f"Cannot decode {segment.camera} of {segment.path.name.replace('-', ' ')}: {reason}. Expected a frame for "
            "each row of the tables; try `regrasp audit`, or train without this episode."
        ) from error


@contextmanager
def _alone(partial: Path) -> Generator[BinaryIO]:
    """The file `partial`, locked; what a killed process has left in it is still there."""
    while True:
        with partial.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_named(file, partial):
                yield file
                return
            # Whoever held the lock has finished the file and given it its name.


def _is_named(file: BinaryIO, path: Path) -> bool:
    """Whether the open file is the one that `path` names now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _add(digest: Any, file: BinaryIO, size: int) -> None:
    """Add the next `size` bytes of the file to the digest."""
    buffer = memoryview(bytearray(min(size, _READ_BYTES)))
    while size > 0:
        read = file.readinto(buffer[: min(size, len(buffer))])  # pyright: ignore[reportAttributeAccessIssue]
        if not read:
            return
        digest.update(buffer[:read])
        size -= read


def _last_used(folder: Path) -> float:
    """Seconds since 1970; 0 where the folder is just being deleted."""
    try:
        return (folder / "used").stat().st_mtime
    except OSError:
        return 0.0


def _as_it_is(item: Any) -> Any:
    return item
