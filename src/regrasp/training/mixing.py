"""What share of a training each part of a merged dataset gets: `regrasp merge --weights`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from regrasp.data.dataset import Dataset
from regrasp.data.provenance import parts_of


@dataclass(frozen=True)
class PartShare:
    """One part of a merged dataset in a training.

    Attributes:
        name: Of the dataset it came from.
        episodes: Episodes that are trained on.
        frames: Their frames.
        weight: How often a frame is drawn, against one of a part of weight 1.
        share: Of all samples, 0 to 1.
        passes: How often each frame is shown in the whole training.
    """

    name: str
    episodes: int
    frames: int
    weight: float
    share: float
    passes: float

    def to_json(self) -> dict[str, Any]:
        """As plain values, rounded."""
        return {
            "name": self.name,
            "episodes": self.episodes,
            "frames": self.frames,
            "weight": self.weight,
            "share": round(self.share, 4),
            "passes": round(self.passes, 2),
        }


def part_shares(data: Dataset, held_out: Collection[int], samples: int) -> tuple[PartShare, ...]:
    """The parts of a dataset when so many samples are drawn; none for one that was not merged.

    A part of weight w and n frames gets w n of the sum over all parts.
    """
    parts = parts_of(data)
    if parts is None:
        return ()
    trained = [episode for episode in data.episodes if episode.index not in held_out]
    lengths = [
        [e.length for e in trained if 0 <= e.index - part.first_episode < part.episodes]
        for part in parts.parts
    ]
    weighted = [part.weight * sum(frames) for part, frames in zip(parts.parts, lengths, strict=True)]
    return tuple(
        PartShare(
            name=part.name,
            episodes=len(frames),
            frames=sum(frames),
            weight=part.weight,
            share=mass / sum(weighted),
            passes=samples * mass / sum(weighted) / sum(frames),
        )
        for part, frames, mass in zip(parts.parts, lengths, weighted, strict=True)
        if frames
    )
