"""What `regrasp fix` can put right without judgement: plain data that a finding carries.

Episodes and frames are numbered as in the dataset that was judged. Each repair says in its `str` what it does,
for the plan that is shown before anything is written; `regrasp.lerobot_bridge.editing` carries it out on a copy.
Statistics are computed anew after any of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regrasp.diagnosis.finding import count, number_ranges

if TYPE_CHECKING:  # the catalogue is printed without NumPy
    from regrasp.data import Dataset


@dataclass(frozen=True)
class DropEpisodes:
    """Leave these episodes out; what remains is numbered from 0 again."""

    episodes: tuple[int, ...]

    def __str__(self) -> str:
        """What is done."""
        return f"leave out {_episodes(self.episodes)}"


def dropping(dataset: "Dataset", episodes: Iterable[int]) -> DropEpisodes | None:
    """The repair that leaves these episodes out; None when nothing would be left."""
    dropped = tuple(sorted(set(episodes)))
    return DropEpisodes(dropped) if len(dropped) < len(dataset.episodes) else None


@dataclass(frozen=True)
class TrimEpisodes:
    """Keep of each episode the frames from the first to the last of the pair, both included."""

    keep: Mapping[int, tuple[int, int]]

    @property
    def episodes(self) -> tuple[int, ...]:
        """Numbers of the episodes that are cut."""
        return tuple(sorted(self.keep))

    def __str__(self) -> str:
        """What is done."""
        one = ""
        if len(self.keep) == 1:
            ((first, last),) = self.keep.values()
            one = f" to frames {first}-{last}"
        return f"cut {_episodes(self.episodes)}{one or ' to the frames in which something happens'}"


@dataclass(frozen=True)
class ReplaceInstructions:
    """Write the second wording wherever the first stands. What is not `sure` to be the same may be meant to differ."""

    wordings: Mapping[str, str]
    sure: bool = True

    def __str__(self) -> str:
        """What is done."""
        return "; ".join(f"write {new!r} instead of {old!r}" for old, new in self.wordings.items())


@dataclass(frozen=True)
class SwapCameras:
    """Give each of two cameras the pictures of the other in these episodes; names are without a prefix."""

    episodes: tuple[int, ...]
    cameras: tuple[str, str]

    def __str__(self) -> str:
        """What is done."""
        one, other = self.cameras
        return f"exchange the pictures of '{one}' and '{other}' in {_episodes(self.episodes)}"


@dataclass(frozen=True)
class Line:
    """A new value for an old one: `scale * value + offset`.

    Example:
        >>> Line(-1, 100)(30.0)  # a gripper that was measured the other way round
        70.0
    """

    scale: float
    offset: float = 0.0

    def __call__(self, value: float) -> float:
        """The new value."""
        return self.scale * value + self.offset


@dataclass(frozen=True)
class ConvertUnits:
    """Write these joints, measured and commanded, in another unit; joints are named without `.pos`."""

    episodes: tuple[int, ...]
    lines: Mapping[str, Line]
    columns: tuple[str, ...] = ("observation.state", "action")

    def __str__(self) -> str:
        """What is done."""
        joints = ", ".join(f"{joint} = {_formula(line)}" for joint, line in self.lines.items())
        return f"convert {_episodes(self.episodes)}: {joints}"


@dataclass(frozen=True)
class RepairCounts:
    """Count episodes, frames and instructions in the tables, and write the numbers where they stand wrong."""

    def __str__(self) -> str:
        """What is done."""
        return "write the counts that the tables have"


@dataclass(frozen=True)
class RecomputeStatistics:
    """Compute minimum, maximum, mean, deviation and quantiles over all frames.

    With `pictures`, those of the cameras too, from pictures sampled as LeRobot samples them.
    """

    pictures: bool = False

    def __str__(self) -> str:
        """What is done."""
        cameras = ", those of the cameras too" if self.pictures else ""
        return f"compute the statistics anew, with quantiles over all frames{cameras}"


type Repair = (
    DropEpisodes
    | TrimEpisodes
    | ReplaceInstructions
    | SwapCameras
    | ConvertUnits
    | RepairCounts
    | RecomputeStatistics
)
"""Whatever a finding's fix may carry."""


def _episodes(numbers: tuple[int, ...]) -> str:
    return f"{count(len(numbers), 'episode')} ({number_ranges(numbers)})"


def _formula(line: Line) -> str:
    sign = "" if not line.offset else f" {'+' if line.offset > 0 else '-'} {abs(line.offset):g}"
    return f"{line.scale:g} x{sign}"
