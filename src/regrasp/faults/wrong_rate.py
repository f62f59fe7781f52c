"""Frames came at another rate than the metadata say."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Dataset


def wrong_rate(
    dataset: Dataset, *, rate_hz: float | None = None, episodes: Collection[int] | None = None
) -> Dataset:
    """Timestamps of these episodes (all) go at `rate_hz`: half of what the metadata say, unless given."""
    slower = dataset.fps / (rate_hz or dataset.fps / 2)
    return dataset.map_episodes(lambda e: replace(e, timestamps=e.timestamps * slower), episodes)
