"""Pictures out of files: a stretch of a video, or images stored in a table. The only place that decodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from regrasp.errors import DatasetError, MissingExtra

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.error import FFmpegError
    from av.video.stream import VideoStream

SEEK_AHEAD_FRAMES = 24
"""A gap longer than this is jumped over rather than decoded: LeRobot writes a key frame every 2."""


class VideoError(DatasetError):
    """A video or stored image does not give the pictures that the table promises."""


class MissingDecoder(VideoError, MissingExtra):  # noqa: N818 - a state, like MissingExtra
    """This installation cannot decode the video; the dataset may be perfectly sound."""


@dataclass(frozen=True)
class VideoSegment:
    """The `length` frames of a video file that begin at `start_s`."""

    path: Path
    start_s: float
    length: int
    fps: float

    def rgb(self, indices: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        """The pictures at rising `indices`, each [h, w, 3]."""
        for frame in self._pick(indices):
            yield _pixels(frame, "rgb24")

    def grey(self) -> Iterator[NDArray[np.uint8]]:
        """Every picture of the stretch, each [h, w]."""
        for frame in self._pick(np.arange(self.length)):
            yield _grey_plane(frame)

    def _pick(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        av_error = _av_error()
        try:
            with _open_video(self.path) as container:
                yield from self._pick_from(container, indices)
        except av_error as error:
            raise VideoError(
                f"Found no readable video in {self.path} ({error.strerror or error}); "
                "expected an mp4 file; try to copy or download it again."
            ) from error

    def _pick_from(
        self, container: "InputContainer", indices: NDArray[np.int64]
    ) -> Iterator["av.VideoFrame"]:
        stream = _video_stream(container, self.path)
        numbered = self._numbered(container, stream, 0)
        at = 0
        for wanted in indices:
            if wanted - at > SEEK_AHEAD_FRAMES:
                numbered = self._numbered(container, stream, int(wanted))
            for at, frame in numbered:  # noqa: B007 - the place is needed to decide about seeking
                if at >= wanted:
                    break
            else:
                raise self._too_short(at)
            yield frame

    def _numbered(
        self, container: "InputContainer", stream: "VideoStream", first: int
    ) -> Iterator[tuple[int, "av.VideoFrame"]]:
        """Frames from `first` on, each with its place in the stretch."""
        container.seek(int((self.start_s + first / self.fps) * 1_000_000))  # FFmpeg's default unit: 1 us
        for frame in container.decode(stream):
            time_s = cast("float | None", frame.time)  # None without a time stamp, whatever the stub says
            place = -1 if time_s is None else round((time_s - self.start_s) * self.fps)
            if place >= first:
                yield place, frame

    def _too_short(self, last: int) -> VideoError:
        return VideoError(
            f"Found the end of {self.path} near frame {last} of a stretch that begins at "
            f"{self.start_s:.2f} s; expected {self.length} frames; try to copy or download the file again."
        )


@dataclass(frozen=True)
class ImageColumn:
    """Encoded pictures in rows `first` to `first + length` of a parquet file's column."""

    path: Path
    column: str
    first: int
    length: int

    def rgb(self, indices: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        """The pictures at rising `indices`, each [h, w, 3]."""
        wanted = iter(indices.tolist())
        next_wanted = next(wanted, None)
        for place, encoded in enumerate(self._encoded()):
            if place == next_wanted:
                yield _pixels(_decode_image(encoded, self.path), "rgb24")
                next_wanted = next(wanted, None)
            if next_wanted is None:
                return

    def grey(self) -> Iterator[NDArray[np.uint8]]:
        """Every picture, each [h, w]."""
        for encoded in self._encoded():
            yield _pixels(_decode_image(encoded, self.path), "gray")

    def _encoded(self) -> Iterator[bytes]:
        """Bytes of one picture after the other; holds one row group at a time."""
        import pyarrow.parquet as pq

        row = 0
        with pq.ParquetFile(self.path) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                begin, end = max(self.first - row, 0), min(self.first + self.length - row, rows)
                if begin < end:
                    column = file.read_row_group(group, columns=[self.column]).column(0)
                    for cell in column.slice(begin, end - begin):
                        yield self._bytes_of(cell.as_py())
                row += rows

    def _bytes_of(self, cell: object) -> bytes:
        encoded = cell.get("bytes") if isinstance(cell, dict) else cell  # pyright: ignore[reportUnknownMemberType]
        if isinstance(encoded, bytes):
            return encoded
        raise VideoError(
            f"Found no picture in a row of column '{self.column}' of {self.path}; expected an encoded image; "
            "try to record the dataset with use_videos=True."
        )


def _av_error() -> "type[FFmpegError]":
    try:
        from av.error import FFmpegError
    except ImportError as error:
        raise MissingDecoder(
            "Found no PyAV on this computer, so videos cannot be decoded (the dataset may be sound); "
            "expected the package 'av'; try 'pip install av'."
        ) from error
    return FFmpegError


def _open_video(path: Path) -> "InputContainer":
    import av

    return av.open(str(path), mode="r", metadata_errors="replace")


def _video_stream(container: "InputContainer", path: Path) -> "VideoStream":
    import av

    if not container.streams.video:
        raise VideoError(f"Found no picture track in {path}; expected a video; try to copy the file again.")
    stream = container.streams.video[0]
    # Without a decoder for the codec PyAV makes a stream that has no codec context.
    context = getattr(stream, "codec_context", None)
    if context is None:
        raise MissingDecoder(
            f"Found a codec in {path} that this computer cannot decode (the dataset may be sound); "
            f"expected one of PyAV {av.__version__}'s decoders; try 'pip install --upgrade av'."
        )
    stream.thread_type = "AUTO"
    return stream


def _pixels(frame: "av.VideoFrame", layout: str) -> NDArray[np.uint8]:
    """The picture converted to FFmpeg's pixel format `layout`."""
    return np.asarray(frame.to_ndarray(format=layout), dtype=np.uint8)


def _grey_plane(frame: "av.VideoFrame") -> NDArray[np.uint8]:
    """The grey plane that planar video holds already, else a conversion; [h, w]."""
    if not frame.format.name.startswith("yuv4") or frame.format.components[0].bits != 8:
        return _pixels(frame, "gray")
    plane = frame.planes[0]
    rows = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)  # pyright: ignore[reportArgumentType] - has the buffer protocol
    return rows[: frame.height, : frame.width]


def _decode_image(encoded: bytes, path: Path) -> "av.VideoFrame":
    """One PNG or JPEG. A decoder is told which by its signature: letting FFmpeg guess takes a millisecond."""
    import av
    from av.error import FFmpegError

    codec = "png" if encoded.startswith(b"\x89PNG") else "mjpeg"
    try:
        decoder = cast("av.VideoCodecContext", av.CodecContext.create(codec, "r"))
        frames = [*decoder.decode(av.Packet(encoded)), *decoder.decode(None)]
        return frames[0]
    except (FFmpegError, IndexError) as error:
        raise VideoError(
            f"Found a picture in {path} that cannot be decoded; expected PNG or JPEG; "
            "try to copy or download the file again."
        ) from error
