"""What the video files of a dataset say of themselves; each is opened once, and nothing is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regrasp.data import Dataset
from regrasp.data.video import MissingDecoder, VideoError, VideoHeader, VideoSegment, read_header
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.signals import once_per_dataset


@dataclass(frozen=True)
class Stretch:
    """The part of a video file that belongs to one camera in one episode."""

    camera: str
    episode: int
    segment: VideoSegment
    header: VideoHeader | VideoError


def stretches(dataset: Dataset) -> tuple[Stretch, ...]:
    """Every stretch of video, with its file's header or the reason why it cannot be read.

    Undecided where videos were not to be read. Pictures in memory or in tables have none.
    """
    unread = [name for name in dataset.unavailable if name not in dataset.without_video]
    if unread:
        raise Undecided(dataset.unavailable[unread[0]])
    return _stretches(dataset)


@once_per_dataset
def _stretches(dataset: Dataset) -> tuple[Stretch, ...]:
    known: dict[Path, VideoHeader | VideoError] = {}
    return tuple(
        Stretch(camera, episode, segment, _header(segment.path, known))
        for camera, episode, segment in _segments(dataset)
    )


def _segments(dataset: Dataset) -> Iterator[tuple[str, int, VideoSegment]]:
    for episode in dataset.episodes:
        for name, camera in episode.cameras.items():
            if isinstance(camera.source, VideoSegment):
                yield name, episode.index, camera.source


def _header(path: Path, known: dict[Path, VideoHeader | VideoError]) -> VideoHeader | VideoError:
    if path not in known:
        try:
            known[path] = read_header(path)
        except MissingDecoder:
            raise
        except VideoError as error:
            known[path] = error
    return known[path]
