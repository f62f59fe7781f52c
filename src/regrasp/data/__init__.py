"""Files to plain arrays: episodes, datasets, rollouts, checkpoints, contracts, stations."""

from regrasp.data.dataset import Dataset, content_hash, read_dataset
from regrasp.data.episode import Camera, Episode

__all__ = ["Camera", "Dataset", "Episode", "content_hash", "read_dataset"]
