"""A LeRobot dataset with its frames decoded once into memory.

LeRobot decodes video for every sample: 7 to 12 ms each on one core, several times what the small policy's training
step costs. The samples served here are LeRobot's own, bit for bit; a test compares them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.video_utils import decode_video_frames

BYTES_FREE = 2_000_000_000
"""Memory that must stay free beside the decoded frames."""


def frames_bytes(dataset: LeRobotDataset) -> int:
    """Memory that the decoded frames of all cameras would take."""
    return sum(
        dataset.num_frames * int(np.prod(dataset.meta.features[key]["shape"]))
        for key in dataset.meta.video_keys
    )


def can_be_cached(dataset: LeRobotDataset) -> bool:
    """True for plain columns and colour video whose decoded frames leave `BYTES_FREE` of the available memory."""
    plain = set(dataset.meta.camera_keys) == set(dataset.meta.video_keys) and not dataset.meta.depth_keys
    return (
        plain
        and not dataset.meta.has_language_columns
        and frames_bytes(dataset) + BYTES_FREE < psutil.virtual_memory().available
    )


class CachedDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Serves LeRobot's samples from memory; everything else is the wrapped dataset's.

    Args:
        dataset: LeRobot's dataset, with its delta timestamps; image transforms are applied to each sample.
        on_decode: Called with (episodes decoded, episodes in all) while decoding.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        on_decode: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._dataset = dataset
        columns = dataset.hf_dataset.with_format("numpy")[:]
        self._columns = {name: torch.from_numpy(np.array(column)) for name, column in columns.items()}
        self._tasks = [str(name) for name in dataset.meta.tasks.index]
        self._first, self._last = self._episode_bounds()
        self._frames = self._decode(on_decode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_dataset"], name)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item: dict[str, Any] = {name: column[index] for name, column in self._columns.items()}
        for key, deltas in (self._dataset.reader.delta_indices or {}).items():
            rows = torch.as_tensor(deltas) + index
            inside = rows.clamp(int(self._first[index]), int(self._last[index]))
            item[f"{key}_is_pad"] = rows != inside
            item[key] = self._frames[key][inside] if key in self._frames else self._columns[key][inside]
        for key, frames in self._frames.items():
            item.setdefault(key, frames[index])
        if self._dataset.image_transforms is not None:
            for key in self._dataset.meta.camera_keys:
                item[key] = self._dataset.image_transforms(item[key])
        item["task"] = self._tasks[int(item["task_index"])]
        return item

    def _episode_bounds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """First and last row of the episode that each row belongs to."""
        episode = self._columns["episode_index"].numpy()
        starts = np.flatnonzero(np.diff(episode, prepend=episode[0] - 1))
        lengths = np.diff(np.append(starts, len(episode)))
        return (
            torch.from_numpy(np.repeat(starts, lengths)),
            torch.from_numpy(np.repeat(starts + lengths - 1, lengths)),
        )

    def _decode(self, on_decode: Callable[[int, int], None]) -> dict[str, torch.Tensor]:
        """All frames of each camera, uint8 [frames, 3, height, width], by LeRobot's own decoder."""
        meta, root = self._dataset.meta, self._dataset.root
        starts = torch.unique_consecutive(self._first).tolist()
        frames: dict[str, list[torch.Tensor]] = {key: [] for key in meta.video_keys}
        for done, start in enumerate(starts if frames else []):
            last = int(self._last[start])
            episode = int(self._columns["episode_index"][start])
            for key, parts in frames.items():
                offset = float(meta.episodes[episode][f"videos/{key}/from_timestamp"])
                times = (self._columns["timestamp"][start : last + 1].double() + offset).tolist()
                path = root / meta.get_video_file_path(episode, key)
                parts.append(
                    decode_video_frames(path, times, self._dataset.tolerance_s, "pyav", return_uint8=True)
                )
            on_decode(done + 1, len(starts))
        return {key: torch.cat(parts) for key, parts in frames.items()}
