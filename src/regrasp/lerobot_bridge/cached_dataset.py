"""A LeRobot dataset whose frames were decoded once, into files that are mapped into memory.

LeRobot decodes video for every sample: 7 to 25 ms each, several times what the small policy's training step costs. The
samples served here are LeRobot's own, bit for bit; tests compare every one, and a few are compared at each start.

Frames are kept as they were recorded, in uint8. Where the image transforms begin with a resize to a fixed size
(`first_resize`), they are kept at that size, because a resize of what has its size already changes nothing: the sample
stays the same. A policy that resizes within its model does so in floating point, of frames that may have been
transformed before (SmolVLA, pi0, diffusion, keypoint); for it frames are kept as recorded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import lerobot
import numpy as np
import PIL
import torch
import torchvision
from lerobot.datasets.video_utils import decode_video_frames
from lerobot.transforms.transforms import ImageTransforms, RandomSubsetApply
from torchvision.transforms import v2

from regrasp.data.cache_folder import frames_folder
from regrasp.lerobot_bridge.frame_cache import (
    Segment,
    Uncached,
    content_digest,
    in_processes,
    make_room,
    make_whole,
    mapped,
)

VERSION = 1
"""Raise when frames are kept in another way."""

BLOCK_BYTES = 64_000_000
"""Frames that a process decodes at once: a long episode must not fill the memory."""

_KINDS: dict[str, torch.dtype] = {
    "i": torch.int64,
    "u": torch.int64,
    "f": torch.float32,
    "b": torch.bool,
}
"""What LeRobot makes of a column, by the kind of its numbers: `torch.tensor` of Python's own."""


class CachedDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Serves LeRobot's samples from decoded frames; everything else is the wrapped dataset's.

    It may be handed to worker processes, forked or spawned; they share the frames.

    Args:
        dataset: LeRobot's dataset, with its delta timestamps; image transforms are applied to each sample.
        video_backend: The decoder that `dataset` was made with.
        on_decode: Called with (files checked or written, files in all); there is one for each camera and episode.

    Raises:
        Uncached: These frames cannot be cached, or not here; LeRobot's own loading works as it did.
        DatasetError: A frame cannot be decoded.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        video_backend: str = "pyav",
        on_decode: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._dataset = dataset
        self._resize = first_resize(dataset)
        self._columns = _columns(dataset)
        self._tasks = [str(name) for name in dataset.meta.tasks.index]
        self._first, self._last = _episode_bounds(dataset, self._columns)
        starts = torch.unique_consecutive(self._first)
        self._episode = torch.searchsorted(starts, torch.arange(len(self._first)), right=True) - 1
        folder = frames_folder() / f"{Path(dataset.root).name}-{self._digest(video_backend)[:16]}"
        self._segments = self._all_segments(folder)
        make_room(folder, self._segments)
        make_whole(self._segments, _Decoder(dataset, video_backend, self._resize), on_done=on_decode)
        self._map()
        self._compare()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_dataset" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._dataset, name)

    def __getstate__(self) -> dict[str, Any]:
        """Without the frames: a spawned process maps them itself."""
        return {name: value for name, value in self.__dict__.items() if name != "_frames"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._map()

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        item = self._untransformed(range(len(self))[index])
        transforms = self._dataset.image_transforms
        if transforms is not None:
            for key in self._dataset.meta.camera_keys:
                item[key] = transforms(item[key])
        return item

    def set_image_transforms(self, transforms: Callable[[Any], Any] | None) -> None:
        """Replace the image transforms, by ones that begin with the same resize if the frames were kept resized."""
        before = self._dataset.image_transforms
        self._dataset.set_image_transforms(transforms)
        if repr(first_resize(self._dataset)) != repr(self._resize):
            self._dataset.set_image_transforms(before)
            raise ValueError(
                f"The cached frames are those of {self._resize or 'no resize'}; make the dataset anew."
            )

    def clear_image_transforms(self) -> None:
        """Remove the image transforms."""
        self.set_image_transforms(None)

    def _untransformed(self, row: int) -> dict[str, Any]:
        """LeRobot's sample before image transforms, as tensors that nothing else holds."""
        item: dict[str, Any] = {name: column[row].clone() for name, column in self._columns.items()}
        for key, deltas in (self._dataset.reader.delta_indices or {}).items():
            rows = torch.as_tensor(deltas) + row
            inside = rows.clamp(int(self._first[row]), int(self._last[row]))
            item[f"{key}_is_pad"] = rows != inside
            if key in self._columns:
                item[key] = self._columns[key][inside]
            elif key in self._frames:
                seen = self._pictures(key, row, inside)
                # LeRobot takes the time away from a single frame of a video, not from a single picture.
                item[key] = seen if key in self._dataset.meta.image_keys else seen.squeeze(0)
        for key in self._frames:
            if key not in item:
                item[key] = self._pictures(key, row, row)
        item["task"] = self._tasks[int(item["task_index"])]
        return item

    def _pictures(self, key: str, row: int, rows: "int | torch.Tensor") -> torch.Tensor:
        """Frames of the episode of `row`, copied."""
        seen = self._frames[key][int(self._episode[row])][rows - int(self._first[row])]
        if key in self._float:
            return seen.to(torch.float32).div(255)
        return seen.clone() if isinstance(rows, int) else seen

    def _all_segments(self, folder: Path) -> list[Segment]:
        """One for each episode and camera."""
        starts = torch.unique_consecutive(self._first).tolist()
        return [
            Segment(
                folder / key / f"episode-{int(self._columns['episode_index'][start]):06d}",
                key,
                start,
                (int(self._last[start]) - start + 1, 3, *self._size(key)),
            )
            for start in starts
            for key in self._dataset.meta.camera_keys
        ]

    def _size(self, key: str) -> tuple[int, int]:
        """Height and width of the frames that are kept."""
        if self._resize is not None and self._resize.size is not None:
            height, width = self._resize.size
            return int(height), int(width)
        feature = self._dataset.meta.features[key]
        by_name: dict[str, Any] = dict(zip(feature["names"] or (), feature["shape"], strict=False))
        height, width = (by_name.get(name, feature["shape"][i]) for i, name in enumerate(("height", "width")))
        return int(height), int(width)

    def _digest(self, video_backend: str) -> str:
        """What decides how the frames look."""
        meta = self._dataset.meta
        settings = [
            VERSION,
            lerobot.__version__,
            PIL.__version__,
            av.__version__,
            sorted(av.library_versions.items()),
        ]
        settings += [
            video_backend,
            self._dataset.tolerance_s,
            [(key, self._size(key)) for key in meta.camera_keys],
        ]
        if self._resize is not None:  # its rounding may depend on the processor's instructions
            settings += [self._resize, torchvision.__version__, torch.backends.cpu.get_cpu_capability()]
        return content_digest(Path(self._dataset.root), settings)

    def _map(self) -> None:
        """Map all files: camera -> the frames of each episode."""
        frames: dict[str, list[torch.Tensor]] = {key: [] for key in self._dataset.meta.camera_keys}
        try:
            for segment in self._segments:
                frames[segment.camera].append(mapped(segment))
        except (OSError, RuntimeError) as error:
            raise Uncached(f"the cached frames cannot be mapped ({error})") from error
        self._frames = frames

    def _compare(self) -> None:
        """Note which cameras LeRobot gives in floating point, and compare the first and last sample with its own."""
        rows = [0, len(self) - 1]
        samples = list(in_processes(_Theirs(self._dataset, rows)))
        self._float = frozenset(key for key in self._frames if samples[0][key].is_floating_point())
        for row, theirs in zip(rows, samples, strict=True):
            ours = self._untransformed(row)
            if self._resize is not None:
                theirs |= {key: self._resize(theirs[key]) for key in self._frames}
            different = sorted(key for key in {*ours, *theirs} if not _same(ours.get(key), theirs.get(key)))
            if different:
                raise Uncached(f"{different[0]} would not be LeRobot's own to the last bit")


def first_resize(dataset: Any) -> v2.Resize | None:
    """The resize to a fixed size that a dataset's image transforms begin with, whatever they draw by chance.

    Only of frames in uint8: resized in floating point they would take more room than as recorded.
    """
    first = dataset.image_transforms
    while not isinstance(first, v2.Resize):
        if isinstance(first, ImageTransforms):
            first = first.tf
        elif isinstance(first, RandomSubsetApply):
            chosen = not first.random_order and first.n_subset == len(first.transforms)
            first = first.transforms[0] if chosen else None
        elif isinstance(first, v2.Compose):
            first = first.transforms[0]
        else:
            return None
    in_uint8 = (
        dataset.meta.video_keys and not dataset.meta.image_keys and getattr(dataset, "_return_uint8", False)
    )
    return first if in_uint8 and len(first.size or ()) == 2 else None


@dataclass(frozen=True)
class _Decoder:
    """Gives a segment's frames by LeRobot's own decoder.

    Attributes:
        dataset: LeRobot's dataset.
        video_backend: LeRobot's name of the decoder.
        resize: What is done to the frames before they are kept.
    """

    dataset: Any
    video_backend: str
    resize: v2.Resize | None

    def __call__(self, segment: Segment) -> Iterator[torch.Tensor]:
        """Frames in order, in blocks, uint8 [k, 3, h, w]."""
        video = segment.camera in self.dataset.meta.video_keys
        for block in self._video(segment) if video else self._images(segment):
            yield block if self.resize is None else self.resize(block)

    def _video(self, segment: Segment) -> Iterator[torch.Tensor]:
        meta, rows = self.dataset.meta, range(segment.first, segment.first + segment.shape[0])
        table = self.dataset.hf_dataset.select_columns(["episode_index", "timestamp"]).with_format("numpy")[
            rows.start : rows.stop
        ]
        episode = int(table["episode_index"][0])
        offset = float(meta.episodes[episode][f"videos/{segment.camera}/from_timestamp"])
        times = (np.asarray(table["timestamp"], dtype=np.float32).astype(np.float64) + offset).tolist()
        path = self.dataset.root / meta.get_video_file_path(episode, segment.camera)
        step = max(1, BLOCK_BYTES // int(np.prod(meta.features[segment.camera]["shape"])))
        for start in range(0, len(times), step):
            yield decode_video_frames(
                path,
                times[start : start + step],
                self.dataset.tolerance_s,
                self.video_backend,
                return_uint8=True,
            )

    def _images(self, segment: Segment) -> Iterator[torch.Tensor]:
        pictures = self.dataset.hf_dataset.select_columns([segment.camera]).with_format(None)
        for row in range(segment.first, segment.first + segment.shape[0]):
            picture = pictures[row][segment.camera]
            if picture.mode != "RGB":
                raise Uncached(f"{segment.camera} has pictures of mode {picture.mode}")
            yield torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]


class _Theirs(torch.utils.data.Dataset[dict[str, Any]]):
    """LeRobot's own samples of some rows, without image transforms."""

    def __init__(self, dataset: Any, rows: list[int]) -> None:
        self._dataset, self._rows = dataset, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        transforms = self._dataset.image_transforms
        self._dataset.clear_image_transforms()
        try:
            return self._dataset[self._rows[index]]
        finally:
            self._dataset.set_image_transforms(transforms)


def _columns(dataset: Any) -> dict[str, torch.Tensor]:
    """The tables without pictures, as LeRobot turns their numbers into tensors; the row first."""
    meta = dataset.meta
    if meta.depth_keys:
        raise Uncached(f"{meta.depth_keys[0]} is a depth camera")
    if meta.has_language_columns:
        raise Uncached("the dataset has columns of language")
    names = [name for name in dataset.hf_dataset.column_names if name not in meta.camera_keys]
    table = dataset.hf_dataset.select_columns(names).with_format("numpy")[:]
    return {name: _column(name, np.array(values)) for name, values in table.items()}


def _column(name: str, values: Any) -> torch.Tensor:
    kind = _KINDS.get(values.dtype.kind)
    if kind is None:
        raise Uncached(f"the column {name} holds no plain numbers")
    return torch.from_numpy(values).to(kind)


def _episode_bounds(dataset: Any, columns: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """First and last row of the episode that each row belongs to.

    LeRobot takes them from the metadata, by the number that each row has in the whole dataset; they must be those of
    the tables, in which an episode stands in one piece.
    """
    episode, index = columns["episode_index"].numpy(), columns["index"].numpy()
    starts = np.flatnonzero(np.diff(episode, prepend=episode[0] - 1))
    lengths = np.diff(np.append(starts, len(episode)))
    declared = {name: np.asarray(dataset.meta.episodes[f"dataset_{name}_index"]) for name in ("from", "to")}
    chosen = episode[starts]
    rows = (
        np.arange(len(index))
        if dataset.episodes is None
        else np.repeat(index[starts], lengths) + _within(lengths)
    )
    if (
        len(np.unique(chosen)) != len(chosen)
        or chosen.max() >= len(declared["from"])
        or not np.array_equal(index, rows)
        or not np.array_equal(declared["from"][chosen], index[starts])
        or not np.array_equal(declared["to"][chosen], index[starts] + lengths)
    ):
        raise Uncached(
            "meta/episodes and the tables place the episodes differently (`regrasp fix` counts them anew)"
        )
    return (
        torch.from_numpy(np.repeat(starts, lengths)),
        torch.from_numpy(np.repeat(starts + lengths - 1, lengths)),
    )


def _within(lengths: Any) -> Any:
    """0, 1, 2 ... within each episode."""
    return np.concatenate([np.arange(length) for length in lengths])


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two entries of a sample are the same to the last bit."""
    if not isinstance(ours, torch.Tensor) or not isinstance(theirs, torch.Tensor):
        return type(ours) is type(theirs) and ours == theirs
    alike = ours.dtype == theirs.dtype and ours.shape == theirs.shape
    return alike and ours.contiguous().numpy().tobytes() == theirs.contiguous().numpy().tobytes()
