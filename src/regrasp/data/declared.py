"""What a dataset's metadata says of its size, to be compared with what is there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from regrasp.data.episode import Episode


@dataclass(frozen=True)
class Declared:
    """Sizes from `meta/`; None or absent where it does not say.

    Attributes:
        episodes: `total_episodes` of info.json.
        frames: `total_frames` of info.json.
        lengths: Frames of each episode, from its own record.
        unlisted: Rows in the tables of episodes that have no record, by their number.
        video_s: Seconds of video that an episode's record gives it, by camera and episode; v3.0 alone says.
    """

    episodes: int | None = None
    frames: int | None = None
    lengths: Mapping[int, int] = field(default_factory=dict[int, int])
    unlisted: Mapping[int, int] = field(default_factory=dict[int, int])
    video_s: Mapping[str, Mapping[int, float]] = field(default_factory=dict[str, dict[int, float]])


def declare(episodes: Iterable[Episode]) -> Declared:
    """What a recorder would write of these episodes."""
    lengths = {episode.index: episode.length for episode in episodes}
    return Declared(len(lengths), sum(lengths.values()), lengths)
