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
    import pyarrow.parquet as pq
    from av.container import InputContainer
    from av.error import FFmpegError
    from av.video.stream import VideoStream

SEEK_COST_FRAMES = 2
"""Jumping to a key frame takes as long as decoding about so many frames: 0.23 ms against 0.10 at 128 x 128
pixels of AV1, 1.5 against 0.8 at 640 x 480."""

FAR_KEY_FRAMES = 300
"""Packets that are looked through for the second key frame: more apart than in any usual recording."""


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

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        """The pictures at rising `indices`."""
        av_error = _av_error()
        try:
            with _open_video(self.path) as container:
                yield from self._pick_from(container, indices)
        except av_error as error:
            raise VideoError(
                f"Found no readable video in {self.path} ({_reason(self.path, error)}); "
                "expected an mp4 file; try to copy or download it again."
            ) from error

    def _pick_from(
        self, container: "InputContainer", indices: NDArray[np.int64]
    ) -> Iterator["av.VideoFrame"]:
        stream = _video_stream(container, self.path)
        worth_a_jump = _key_frame_distance(container, stream) + SEEK_COST_FRAMES
        numbered, at = self._numbered(container, stream, 0), 0
        for wanted in indices:
            if wanted - at > worth_a_jump:
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

    def frames(self, indices: NDArray[np.int64]) -> Iterator["av.VideoFrame"]:
        """The pictures at rising `indices`."""
        wanted = iter(indices.tolist())
        next_wanted = next(wanted, None)
        for place, encoded in enumerate(self._encoded()):
            if place == next_wanted:
                yield _decode_image(encoded, self.path)
                next_wanted = next(wanted, None)
            if next_wanted is None:
                return
        if next_wanted is not None:
            raise VideoError(
                f"Found the end of {self.path} before picture {next_wanted} of an episode; expected "
                f"{self.length} rows from row {self.first} on; try to copy or download the file again."
            )

    def _encoded(self) -> Iterator[bytes]:
        """Bytes of one picture after the other; holds one row group at a time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path) as file:
                yield from self._cells(file)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise VideoError(
                f"Found no readable pictures in column '{self.column}' of {self.path}; expected encoded images; "
                "try to copy or download the file again."
            ) from error

    def _cells(self, file: "pq.ParquetFile") -> Iterator[bytes]:
        if self.column not in file.schema_arrow.names:
            raise VideoError(
                f"Found no column '{self.column}' in {self.path}; expected it because meta/info.json names it; "
                "try to copy or download the dataset again."
            )
        row = 0
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


@dataclass(frozen=True)
class VideoHeader:
    """What a video file says of itself before any picture is decoded.

    Attributes:
        end_s: Where its last picture ends; 0 where it does not say.
        fps: Pictures per second; 0 where it does not say.
    """

    end_s: float
    fps: float


def read_header(path: Path) -> VideoHeader:
    """Length and rate of a video from its container alone: half a millisecond, however long it is."""
    av_error = _av_error()
    try:
        container = _open_video(path)
    except (av_error, OSError) as error:
        raise VideoError(
            f"Found no readable video in {path} ({_reason(path, error)}); "
            "expected an mp4 file; try to copy or download it again."
        ) from error
    try:
        return _header_of(container, path)
    finally:
        container.close()


def _header_of(container: "InputContainer", path: Path) -> VideoHeader:
    if not container.streams.video:
        raise VideoError(f"Found no picture track in {path}; expected a video; try to copy the file again.")
    stream = container.streams.video[0]
    return VideoHeader(_end_s(container, stream), float(stream.average_rate or 0))


def _end_s(container: "InputContainer", stream: "VideoStream") -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    return (container.duration or 0) / 1_000_000  # FFmpeg's default unit: 1 us


def _reason(path: Path, error: Exception) -> str:
    """Why a file does not open; names the two accidents that happen to downloads."""
    try:
        with path.open("rb") as file:
            beginning = file.read(64)
    except OSError as closed:
        return closed.strerror or str(closed)
    if beginning.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer instead of the file: try 'git lfs pull'"
    if not beginning:
        return "the file is empty"
    return str(getattr(error, "strerror", None) or error)


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
    context.thread_count = 1  # several videos are decoded side by side rather than one by several threads
    return stream


def _key_frame_distance(container: "InputContainer", stream: "VideoStream") -> int:
    """Frames from the first key frame to the second; `FAR_KEY_FRAMES` when there is none so soon."""
    for number, packet in enumerate(container.demux(stream)):
        if (number and packet.is_keyframe) or number == FAR_KEY_FRAMES:
            return number
    return FAR_KEY_FRAMES


def pixels(frame: "av.VideoFrame", layout: str = "rgb24") -> NDArray[np.uint8]:
    """The picture converted to FFmpeg's pixel format `layout`: uint8 [h, w, 3], or [h, w] of `gray`."""
    return np.asarray(frame.to_ndarray(format=layout), dtype=np.uint8)


class Shrinker:
    """Makes thumbnails by FFmpeg's scaler, each pixel the mean of its part of the picture.

    17 us for 128 x 128 pixels, 240 us for 640 x 480. One for each thread: it keeps its tables.
    """

    def __init__(self, rows: int, columns: int) -> None:
        from av.video.reformatter import VideoReformatter

        self._rows, self._columns = rows, columns
        self._scalers = {layout: VideoReformatter() for layout in ("gray", "rgb24")}

    def __call__(self, frame: "av.VideoFrame", layout: str) -> NDArray[np.uint8]:
        """The thumbnail, uint8 [rows, columns] of `gray`, [rows, columns, 3] of `rgb24`."""
        size = {"width": self._columns, "height": self._rows}
        small = self._scalers[layout].reformat(frame, **size, format=layout, interpolation="AREA")
        return np.asarray(small.to_ndarray(), dtype=np.uint8)


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
