"""What a policy was trained to expect, measured from its data and kept beside it as `regrasp.json`."""

import base64
import re
import zlib
from pathlib import Path
from shlex import quote
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regrasp.arm.so101 import TWIN_ROBOT
from regrasp.data.atomic import write_bytes
from regrasp.data.checkpoint import pretrained_folder
from regrasp.data.episode import GRID
from regrasp.data.jaws import Jaws, Mix
from regrasp.data.sight import THUMBNAIL
from regrasp.errors import ContractError

CONTRACT_FILE = "regrasp.json"

THUMBNAIL_BYTES = THUMBNAIL[0] * THUMBNAIL[1]


class JawsContract(BaseModel):
    """What stays in the picture of a camera on the arm, see `data.jaws`: `plane` and `weight` (0-255) as thumbnails."""

    model_config = ConfigDict(frozen=True)

    mix: Mix
    plane: str
    weight: str
    wander: float
    likeness: float

    @classmethod
    def of(cls, jaws: Jaws) -> Self:
        """As it is kept in the file."""
        return cls(
            mix=jaws.mix,
            plane=deflated(jaws.plane),
            weight=deflated(255 * jaws.weight),
            wander=jaws.wander,
            likeness=jaws.likeness,
        )

    @property
    def unpacked(self) -> Jaws | None:
        """As it is laid upon pictures; None where the file does not hold it whole."""
        plane, weight = _inflated(self.plane), _inflated(self.weight)
        if plane is None or weight is None or not np.isfinite(self.mix).all():
            return None
        return Jaws(self.mix, plane, weight / 255, self.wander, self.likeness)


class CameraContract(BaseModel):
    """What one camera saw at the start of the training episodes.

    `fingerprint` is the median picture on a grid, row by row, red green blue, 0-255; `spread` its standard
    deviation over episodes; `likeness_low` the smallest likeness of a training picture to it. `thumbnail` is the
    median picture in grey, finer: 48 x 64 bytes, deflated, in base 64. `examples` are first pictures of single
    episodes in the same form, where they differ in where they look: the camera rides on the arm. `jaws` is what stays
    in all of these, if anything does. Contracts of older versions lack these three.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    key: str
    height: int
    width: int
    rows: int = GRID[0]
    columns: int = GRID[1]
    fingerprint: list[float] = Field(default_factory=list[float])
    spread: list[float] = Field(default_factory=list[float])
    likeness_low: float | None = None
    thumbnail: str = ""
    examples: list[str] = Field(default_factory=list[str])
    jaws: JawsContract | None = None
    policy_key: str | None = None

    @property
    def greys(self) -> list[NDArray[np.float64]]:
        """The thumbnail and the examples, [48, 64] each, 0-255; none where there is none, or not a whole one."""
        planes = (_inflated(text) for text in (self.thumbnail, *self.examples))
        return [plane for plane in planes if plane is not None]

    @property
    def rides(self) -> bool:
        """Whether the camera rides on the arm, as far as it was measured."""
        return bool(self.examples)

    @property
    def picture(self) -> NDArray[np.float64]:
        """The fingerprint, [rows, columns, 3]."""
        return np.array(self.fingerprint).reshape(self.rows, self.columns, 3)


def deflated(grey: NDArray[np.float64]) -> str:
    """A thumbnail as it is kept in the file; `greys` unpacks it."""
    return base64.b64encode(zlib.compress(grey.round().astype(np.uint8).tobytes(), 9)).decode()


def _inflated(text: str) -> NDArray[np.float64] | None:
    """A thumbnail; None for what is none. No more is unpacked than one has."""
    try:
        pixels = zlib.decompressobj().decompress(base64.b64decode(text), THUMBNAIL_BYTES)
    except (ValueError, zlib.error):
        return None
    if len(pixels) != THUMBNAIL_BYTES:
        return None
    return np.frombuffer(pixels, dtype=np.uint8).reshape(THUMBNAIL).astype(np.float64)


class JointContract(BaseModel):
    """One joint in the training data. `start_*` are first frames, `jump_*` steps between actions in a row.

    `action_*` are commands, `lead_max` the farthest that an episode's first command lay from the joint, and
    `travel_max` the farthest that commands went within `TRAVEL_S` (`contract_measuring`). Contracts of older versions
    lack these four.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str
    low: float
    high: float
    state_mean: float
    state_std: float
    start_mean: float
    start_std: float
    start_low: float
    start_high: float
    jump_p99: float
    jump_max: float
    action_low: float | None = None
    action_high: float | None = None
    lead_max: float | None = None
    travel_max: float | None = None


class Contract(BaseModel):
    """What a policy was trained to expect. Fields that nobody could tell are None.

    `epochs` are passes over the frames that it learned from, held-out episodes not counted; `episodes` and `frames` are
    those too. `normalisation` holds the statistics of joints and actions that the policy normalises with: feature ->
    statistic -> values; `policy_files` the SHA-256 of its files, by name. `recovered` marks a contract that was put
    together from the checkpoint alone (`data.recovery`): what only the training data tell is NaN or empty there.
    `augmentation` is how pictures were changed in training, camera -> preset -> strength; empty for not at all, None
    where nobody noted it.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 1
    policy_type: str
    robot_type: str | None
    instructions: dict[str, int]
    cameras: list[CameraContract]
    joints: list[JointContract]
    gripper_closed_share: float | None
    gripper_closed_threshold: float | None
    gripper_share_by_episode: list[float] = Field(default_factory=list[float])
    fps: float
    chunk_size: int | None
    n_action_steps: int | None
    epochs: float | None
    steps: int | None
    batch_size: int | None
    episodes: int
    frames: int
    normalisation_digest: str
    dataset_id: str
    dataset_hash: str
    calibration_id: str | None = None
    calibration_hash: str | None = None
    blind: bool = False
    normalisation: dict[str, dict[str, list[float]]] = Field(
        default_factory=dict[str, dict[str, list[float]]]
    )
    policy_files: dict[str, str] = Field(default_factory=dict[str, str])
    recovered: bool = False
    augmentation: dict[str, dict[str, float]] | None = None
    state_sample: list[list[float]] = Field(default_factory=list[list[float]])

    @property
    def is_twin(self) -> bool:
        """Whether the training data come from the simulated arm."""
        return self.robot_type == TWIN_ROBOT

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints in the order of states and actions."""
        return tuple(joint.name for joint in self.joints)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Names of the cameras in the policy's order."""
        return tuple(camera.name for camera in self.cameras)

    def camera(self, name: str) -> CameraContract:
        """The camera of this name."""
        return next(camera for camera in self.cameras if camera.name == name)


def write_contract(checkpoint_path: str | Path, contract: Contract) -> Path:
    """Write the contract beside a checkpoint, whole or not at all; gives the file."""
    path = pretrained_folder(checkpoint_path) / CONTRACT_FILE
    write_bytes(path, (_compact(contract.model_dump_json(indent=1)) + "\n").encode())
    return path


def _compact(text: str) -> str:
    """JSON with each list of numbers in one line: smaller, and still to be read by a person."""
    return re.sub(r"\[[\s\d.,eE+-]+\]", lambda numbers: re.sub(r"\s", "", numbers[0]), text)


def read_contract(checkpoint_path: str | Path) -> Contract:
    """The contract beside a checkpoint."""
    path = pretrained_folder(checkpoint_path) / CONTRACT_FILE
    try:
        return Contract.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ContractError(
            f"Found no contract at {path}; expected one beside the checkpoint; try `regrasp contract make "
            f"{checkpoint_path} --dataset DATASET`."
        ) from error
    except (OSError, ValidationError) as error:
        raise ContractError(
            f"Found a contract at {path} that cannot be read ({_reason(error)}); expected what Regrasp "
            "writes; try "
            f"`regrasp contract make {quote(str(checkpoint_path))} --dataset DATASET`."
        ) from error


def _reason(error: OSError | ValidationError) -> str:
    """The first thing that is wrong, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}" if place else first["msg"]
    return error.strerror or type(error).__name__
