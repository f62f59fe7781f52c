"""Where the episodes of a merged dataset come from, and how much each part weighs: `meta/regrasp_parts.json`."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from regrasp.data.atomic import write_text
from regrasp.errors import DatasetError

if TYPE_CHECKING:
    from regrasp.data.dataset import Dataset

PARTS_FILE = Path("meta") / "regrasp_parts.json"


class Part(BaseModel):
    """Episodes that came from one dataset: the `episodes` that follow on from `first_episode`.

    `source` is the folder or Hub id as it was given, and `content` its `content_hash`. `weight` says how often a
    frame of this part is drawn in training, against a frame of a part of weight 1; with the same weight everywhere
    each frame counts the same, as LeRobot has it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str
    content: str
    first_episode: int = Field(ge=0)
    episodes: int = Field(ge=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Parts(BaseModel):
    """The parts of a dataset, in the order of its episodes, without a gap."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(default=1, ge=1, le=1)
    parts: tuple[Part, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        first = 0
        for part in self.parts:
            if part.first_episode != first:
                raise ValueError(f"part '{part.name}' begins at episode {part.first_episode}, not {first}")
            first += part.episodes
        return self

    @property
    def episodes(self) -> int:
        """Number of episodes in all parts."""
        return sum(part.episodes for part in self.parts)

    @property
    def episode_weights(self) -> list[float]:
        """The weight of each episode's part, in the order of the episodes."""
        return [part.weight for part in self.parts for _ in range(part.episodes)]

    def part_of(self, episode: int) -> Part:
        """The part that an episode came from."""
        return next(part for part in self.parts if episode < part.first_episode + part.episodes)


def read_parts(folder: Path) -> Parts | None:
    """What a dataset was merged from; None for one that was not merged."""
    path = folder / PARTS_FILE
    if not path.is_file():
        return None
    try:
        return Parts.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise DatasetError(
            f"Found {first['msg']} at '{where}' in {path}; expected what regrasp merge wrote; "
            "try to merge the parts again."
        ) from error


def parts_of(dataset: "Dataset") -> Parts | None:
    """What a dataset was merged from; None for one that was not merged.

    Raises:
        DatasetError: The file cannot be read, or there are episodes that it does not know.
    """
    parts = read_parts(Path(dataset.path))
    last = max((episode.index for episode in dataset.episodes), default=-1)
    if parts is not None and last >= parts.episodes:
        raise DatasetError(
            f"Found weights for {parts.episodes} episodes in {Path(dataset.path) / PARTS_FILE}, and an episode {last}; "
            "expected what regrasp merge wrote for these episodes; try to merge the parts again, or delete the file to "
            "draw all frames alike."
        )
    return parts


def write_parts(folder: Path, parts: Sequence[Part]) -> None:
    """Note where the episodes of a dataset come from."""
    write_text(folder / PARTS_FILE, Parts(parts=tuple(parts)).model_dump_json(indent=2))


def keep_episodes(folder: Path, kept: Collection[int]) -> None:
    """Note that only these episodes are left, and are numbered from 0 again; a part without any is gone."""
    before = read_parts(folder)
    if before is None:
        return
    left: list[Part] = []
    for part in before.parts:
        count = sum(part.first_episode <= number < part.first_episode + part.episodes for number in kept)
        first = left[-1].first_episode + left[-1].episodes if left else 0
        if count:
            left.append(part.model_copy(update={"first_episode": first, "episodes": count}))
    write_parts(folder, left)
