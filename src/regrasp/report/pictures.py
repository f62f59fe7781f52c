"""Pictures and clips as text that a page can hold: PNG and H.264 in data URIs."""

import base64
import io
import struct
import zlib

import av
import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import Episode

CLIP_HEIGHT = 240
"""Pixels; smaller pictures are enlarged to about this height, which a page shows sharp."""

LONGEST_CLIP_S = 15.0


def picture_uri(picture: NDArray[np.uint8]) -> str:
    """A picture, uint8 [h, w, 3], as a PNG data URI."""
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture, uint8 [h, w, 3], as a PNG file (ISO/IEC 15948): header, deflated rows, end.

    Example:
        >>> png(np.zeros((2, 3, 3), np.uint8))[1:4]
        b'PNG'
    """
    height, width, _ = picture.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def clip_uri(frames: NDArray[np.uint8], fps: float) -> str:
    """Frames, uint8 [T, h, w, 3], as an MP4 data URI that browsers play."""
    return f"data:video/mp4;base64,{base64.b64encode(mp4(frames, fps)).decode()}"


def mp4(frames: NDArray[np.uint8], fps: float) -> bytes:
    """Frames, uint8 [T, h, w, 3] of even height and width, as an H.264 file."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(fps), options={"crf": "26", "preset": "veryfast"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"))
            )
        container.mux(stream.encode())
    return sink.getvalue()


def filmstrip(episode: Episode) -> NDArray[np.uint8]:
    """All cameras of an episode side by side, uint8 [T, h, w, 3], for at most `LONGEST_CLIP_S`."""
    shown = range(min(episode.length, round(LONGEST_CLIP_S * episode.fps)))
    views = [enlarged(camera.frames(shown)) for camera in episode.cameras.values()]
    height = min(view.shape[1] for view in views)
    joined = np.concatenate([shrunk(view, height) for view in views], axis=2)
    return joined[:, : joined.shape[1] // 2 * 2, : joined.shape[2] // 2 * 2]


def shrunk(pictures: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Pictures [n, h, w, 3] with rows and columns left out, so that they are no more than `height` high."""
    rows, columns = pictures.shape[1:3]
    if rows <= height:
        return pictures
    width = max(1, round(columns * height / rows))
    kept_rows, kept_columns = np.arange(height) * rows // height, np.arange(width) * columns // width
    return pictures[:, kept_rows][:, :, kept_columns]


def enlarged(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures [n, h, w, 3] with each pixel repeated until they are about `CLIP_HEIGHT` high, or thinned."""
    height = pictures.shape[1]
    if height > 2 * CLIP_HEIGHT:
        step = height // CLIP_HEIGHT
        return pictures[:, ::step, ::step]
    times = max(1, round(CLIP_HEIGHT / height))
    return pictures.repeat(times, axis=1).repeat(times, axis=2)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
