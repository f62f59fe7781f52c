"""One physical or simulated set-up, in one file: the robot as LeRobot's `--robot.*` options, leader, rate."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from regrasp.arm.so101 import JOINTS, TWIN_ROBOT
from regrasp.data.atomic import write_bytes
from regrasp.errors import StationError, UsageError

TWIN = "twin"
"""Name of the built-in simulated station."""

SO101_LIKE = frozenset(
    {"so101_follower", "so100_follower", "so_follower", TWIN_ROBOT, "so101", "so100", "so101_leader"}
)
"""Robot types whose joints are `arm.so101.JOINTS`: LeRobot 0.6.1's names for the SO-100 and the SO-101, and
the twin's."""


LONGEST_FILE = 1_000_000
"""Bytes. A station of five cameras takes 2,000."""

MOST_VALUES, DEEPEST = 10_000, 20
"""Values in a station file, with those that an alias repeats, and how deep they may lie in each other."""


type Region = tuple[float, float, float, float]
"""Left, top, right and bottom edge, as shares of a picture's width and height."""


class GoalRegion(BaseModel):
    """Where a fixed camera shows whether the task is done, and a recording whose successful ends show it.

    `camera` is its name, `region` the part of its picture, `reference` a LeRobot dataset or rollouts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera: str
    region: Region = (0.0, 0.0, 1.0, 1.0)
    reference: str | None = None

    @field_validator("region")
    @classmethod
    def _inside(cls, region: Region) -> Region:
        left, top, right, bottom = region
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError("expected left,top,right,bottom between 0 and 1, such as 0.2,0.1,0.8,0.9")
        return region


class Station(BaseModel):
    """A station as its file lays it down. `robot` and `teleop` go to LeRobot unchanged.

    `goal` says what `regrasp rollout --score goal-region` looks at.
    `faults` are put into what the twin's robot shows, on purpose; see `faults.mis_set_station`.
    `policy_names` is what a policy that was trained elsewhere calls these cameras, such as front: camera1; training
    notes it in the contract, and nobody needs to say it again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    robot: dict[str, Any]
    teleop: dict[str, Any] | None = None
    fps: int = Field(default=30, gt=0, le=200)
    task: str | None = None
    goal: GoalRegion | None = None
    faults: tuple[str, ...] = ()
    policy_names: dict[str, str] = Field(default_factory=dict[str, str])

    @model_validator(mode="after")
    def _robot_has_a_type(self) -> Self:
        if not isinstance(self.robot.get("type"), str):
            raise ValueError("robot needs a 'type', such as so101_follower")
        if self.faults and not self.is_twin:
            raise ValueError("faults are for the twin")
        if self.is_twin and self.robot.get("fps", 30) != self.fps:
            raise ValueError(
                f"fps is {self.fps}, and the twin runs at robot.fps {self.robot.get('fps', 30)}: give both the same"
            )
        cameras: object = self.robot.get("cameras") or {}
        if not isinstance(cameras, dict) or not all(isinstance(one, dict) for one in cameras.values()):
            raise ValueError("cameras need a name and options each, such as front: {type: opencv, ...}")
        strange = sorted(set(self.policy_names) - set(cameras))
        if strange:
            raise ValueError(f"policy_names has a camera '{strange[0]}' that the robot has not")
        if len(set(self.policy_names.values())) < len(self.policy_names):
            raise ValueError("policy_names gives two cameras one name")
        return self

    @property
    def robot_type(self) -> str:
        """LeRobot's name of the robot."""
        return str(self.robot["type"])

    @property
    def is_twin(self) -> bool:
        """Whether this is the simulated arm, which can be reset and judged by itself."""
        return self.robot_type == TWIN_ROBOT

    @property
    def cameras(self) -> dict[str, dict[str, Any]]:
        """LeRobot's options of each camera, by name, in the order of the file."""
        return dict(self.robot.get("cameras") or {})

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Names of the cameras, in the order of the file."""
        return tuple(self.cameras)

    @property
    def joint_names(self) -> tuple[str, ...] | None:
        """Names of the joints; None for a robot that we do not know."""
        return JOINTS if self.robot_type in SO101_LIKE else None

    def with_cameras_permuted(self, sources: Mapping[str, str]) -> "Station":
        """The station with other pictures under its names: `name` gets the picture of `sources[name]`.

        Example:
            >>> swapped = twin().with_cameras_permuted({"front": "wrist", "wrist": "front"})
            >>> swapped.cameras["front"]["view"]
            'wrist'
        """
        cameras = self.cameras
        _require_permutation(self, sources)
        permuted = {name: cameras[sources.get(name, name)] for name in cameras}
        return self.model_copy(update={"robot": self.robot | {"cameras": permuted}})


@dataclass(frozen=True)
class TwinOptions:
    """What the options of `twin` are known to be; None for those that are not known."""

    area: str | None = None
    task: str | None = None
    size: int | None = None
    starts: str | None = None


def twin(*, area: str = "2in", task: str = "grab-brain", starts: str = "home", size: int = 96) -> Station:
    """The built-in simulated station.

    Args:
        area: Where the object may lie, `2in` or `6in`.
        task: `grab-brain` or `brain-to-bin`.
        starts: `home`, or `scattered` for start poses anywhere.
        size: Width and height of both pictures, in pixels.
    """
    cameras = {
        view: {"type": TWIN_ROBOT, "view": view, "width": size, "height": size, "fps": 30}
        for view in ("front", "wrist")
    }
    robot = {"type": TWIN_ROBOT, "area": area, "task": task, "starts": starts, "cameras": cameras}
    return Station(name=TWIN, robot=robot, teleop={"type": "so101_twin_expert"}, fps=30)


def load_station(name_or_path: str | Path) -> Station:
    """The station in a YAML file, or the built-in one called `twin`."""
    if str(name_or_path) == TWIN:
        return twin()
    path = Path(name_or_path)
    try:
        if path.stat().st_size > LONGEST_FILE:
            raise ValueError("too long")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StationError(
            f"Found no readable station file at {path}; expected YAML written by `regrasp station init`, "
            "or the "
            f"name 'twin'; try `regrasp station init --out {quote(str(path))}`."
        ) from error
    return _parse(text, path)


def save_station(station: Station, path: Path) -> None:
    """Write a station file. Reading it back gives the same station."""
    write_bytes(path, station_text(station).encode())


def station_text(station: Station) -> str:
    """A station as its file lays it down."""
    fields = station.model_dump(mode="json", exclude_none=True)
    given = {name: value for name, value in fields.items() if value not in ([], {})}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True)


def parse_permutation(text: str) -> dict[str, str]:
    """Read `front=wrist,wrist=front`: under each name, the picture of the camera after the sign.

    Example:
        >>> parse_permutation("front=wrist, wrist=front")
        {'front': 'wrist', 'wrist': 'front'}
    """
    pairs = [pair.partition("=") for pair in text.split(",")]
    if any(not name.strip() or not source.strip() for name, _, source in pairs):
        raise UsageError(
            f"Found cameras '{text}'; expected NAME=SOURCE pairs; try 'front=wrist,wrist=front'."
        )
    return {name.strip(): source.strip() for name, _, source in pairs}


def parse_goal(text: str) -> GoalRegion:
    """Read `front:0.2,0.1,0.8,0.9`: a camera, and a region of its picture; the whole picture without one.

    Example:
        >>> parse_goal("front:0.2,0.1,0.8,0.9").region
        (0.2, 0.1, 0.8, 0.9)
    """
    camera, _, edges = text.partition(":")
    try:
        numbers = [float(edge) for edge in edges.split(",")] if edges else [0.0, 0.0, 1.0, 1.0]
        return GoalRegion.model_validate({"camera": camera, "region": numbers})
    except ValueError as error:
        raise UsageError(
            f"Found goal '{text}'; expected a camera and left,top,right,bottom as shares of its picture; try "
            "'front:0.2,0.1,0.8,0.9'."
        ) from error


def _require_permutation(station: Station, sources: Mapping[str, str]) -> None:
    """Each camera's picture must be used once."""
    used = [sources.get(name, name) for name in station.camera_names]
    if set(sources) - set(station.camera_names) or sorted(used) != sorted(station.camera_names):
        given = ",".join(f"{name}={source}" for name, source in sources.items())
        names = ", ".join(station.camera_names) or "none"
        raise StationError(
            f"Found cameras '{given}' for station '{station.name}'; expected each of its cameras "
            f"({names}) once on "
            "either side; try 'front=wrist,wrist=front'."
        )


def _parse(text: str, path: Path) -> Station:
    try:
        content = yaml.safe_load(text)
        _require_small(content)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise StationError(
            f"Found text that is not YAML in {path}, line {line}; expected a station; try `regrasp "
            "station init`."
        ) from error
    if not isinstance(content, dict):
        raise StationError(
            f"Found no fields in {path}; expected at least 'robot' with a 'type'; try `regrasp station init`."
        )
    try:
        return Station.model_validate({"name": path.stem} | content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "robot"
        reason = first["msg"].removeprefix("Value error, ")
        raise StationError(
            f"Found a station in {path} whose '{place}' is wrong ({reason}); expected the fields that "
            "`regrasp station init` writes; try `regrasp station show`."
        ) from error


def _require_small(content: object) -> None:
    """Refuse what would grow beyond measure when it is written out: aliases of aliases, a value within itself."""
    left = MOST_VALUES
    waiting: list[tuple[object, int]] = [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > DEEPEST:
            raise ValueError("more values than a station has")
        if isinstance(value, dict):
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)
