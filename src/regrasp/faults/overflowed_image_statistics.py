"""The deviation of a camera's pixels was computed in eight bits."""

from dataclasses import replace

from regrasp.data import Dataset
from regrasp.data.episode import IMAGE_PREFIX


def overflowed_image_statistics(
    dataset: Dataset, *, camera: str | None = None, std: float = 0.005
) -> Dataset:
    """`std` for every channel of a camera (the last) in the statistics."""
    key = IMAGE_PREFIX + (camera or dataset.camera_names[-1])
    stats = dataset.stats[key]
    return replace(dataset, stats={**dataset.stats, key: {**stats, "std": 0 * stats["std"] + std}})
