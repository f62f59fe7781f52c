"""A LeRobot 0.6.1 checkpoint folder, read without LeRobot or torch.

```text
outputs/train/.../                                 any of these four
    checkpoints/                                   may be given
        020000/   last -> 020000   best -> 015000  (`best` once one was chosen)
            pretrained_model/                      config.json, train_config.json, model.safetensors,
                                                   policy_preprocessor..._normalizer_processor.safetensors
            training_state/                        training_step.json
```
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import IMAGE_PREFIX
from regrasp.data.links import pointed
from regrasp.data.safetensors import read_safetensors, short_file
from regrasp.errors import CheckpointError

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

MODEL_FOLDER = "pretrained_model"

BEST, LAST = "best", "last"
"""Links beside the checkpoints of a run: to the one that was chosen (`data.selection`), and LeRobot's to the newest."""

PREPROCESSOR = "policy_preprocessor*_normalizer_processor.safetensors"
POSTPROCESSOR = "policy_postprocessor*_unnormalizer_processor.safetensors"
"""Files with the statistics of the way in and of the way out."""

POLICY_FILES = ("config.json", "model.safetensors", "adapter_config.json", "adapter_model.safetensors")
"""What makes a policy act as it does, apart from its normaliser: settings and weights, of an adapter too."""

RENAMING = "rename_observations_processor"
"""LeRobot's name of the step that gives inputs the names under which the policy takes them."""

MOST = 2**31
"""Sizes and counts beyond this are none."""

_CHUNKS = ("chunk_size", "horizon", "action_chunk_size")
"""How LeRobot's policies call the number of actions that they plan at once."""


EMPTY_CAMERA = re.compile(r"observation\.images\.empty_camera_\d+")
"""Inputs of SmolVLA and the pi policies that stand for cameras that there are not (`empty_cameras`)."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint says about itself. `path` is its `pretrained_model` folder.

    `normalizer` holds the statistics the policy normalises with: feature -> statistic -> values; `unnormalizer`
    those that turn its output back into actions. `renamed` are the keys under which the policy takes what was recorded
    under others (LeRobot's `rename_map`): recorded key -> policy's key. `hashes` are those of `file_hashes` where they
    are known already.
    """

    path: Path
    policy_type: str
    config: Mapping[str, Any]
    train_config: Mapping[str, Any] | None = None
    step: int | None = None
    batch_size: int | None = None
    normalizer: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict[str, dict[str, Any]])
    unnormalizer: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict[str, dict[str, Any]])
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    hashes: Mapping[str, str] | None = None

    @cached_property
    def file_hashes(self) -> Mapping[str, str]:
        """SHA-256 of those of `POLICY_FILES` that are there, by name; reads them whole."""
        if self.hashes is not None:
            return self.hashes
        return {name: _hash_of(self.path / name) for name in POLICY_FILES if (self.path / name).is_file()}

    @property
    def input_features(self) -> Mapping[str, Mapping[str, Any]]:
        """Name -> type and shape, in the order in which the policy takes them."""
        return self.config.get("input_features") or {}

    @property
    def output_features(self) -> Mapping[str, Mapping[str, Any]]:
        """Name -> type and shape."""
        return self.config.get("output_features") or {}

    @property
    def policy_camera_keys(self) -> tuple[str, ...]:
        """What the policy itself calls its cameras, in its order; not all of them need to have been there."""
        visual = [
            key
            for key, feature in self.input_features.items()
            if feature.get("type") == "VISUAL" or key.startswith(IMAGE_PREFIX)
        ]
        return tuple(visual)

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """LeRobot's keys of the cameras as they were recorded, in the policy's order."""
        return self.recorded_keys(self.policy_camera_keys)

    def recorded_keys(self, keys: Sequence[str]) -> tuple[str, ...]:
        """The keys under which these inputs of the policy were recorded.

        Where keys were renamed, an input that has neither another name nor statistics was never given to the policy
        in this training (a third camera of a pretrained one) and is left out; so are those that LeRobot adds to be
        empty.
        """
        back = {new: old for old, new in self.renamed.items()}
        real = [key for key in keys if not EMPTY_CAMERA.fullmatch(key)]
        given = [key for key in real if not back or key in back or key in self.normalizer]
        return tuple(back.get(key, key) for key in given)

    @property
    def joint_count(self) -> int | None:
        """Number of values in one action; None when the checkpoint does not say."""
        shape = self.output_features.get("action", {}).get("shape")
        return int(shape[0]) if shape else None

    @property
    def chunk_size(self) -> int | None:
        """Actions the policy plans at once."""
        value = next((self.config[name] for name in _CHUNKS if self.config.get(name) is not None), None)
        return None if value is None else int(value)

    @property
    def n_action_steps(self) -> int | None:
        """Actions of a chunk that are carried out before the policy is asked again."""
        value = self.config.get("n_action_steps", self.config.get("action_chunk_size"))
        return None if value is None else int(value)

    @cached_property
    def contract(self) -> "Contract | None":
        """The contract beside the checkpoint; None when there is none."""
        from regrasp.data.contract import CONTRACT_FILE, read_contract

        return read_contract(self.path) if (self.path / CONTRACT_FILE).exists() else None

    @property
    def normalisation_digest(self) -> str:
        """SHA-256 over the statistics that the policy normalises with; "" without any."""
        if not self.normalizer:
            return ""
        digest = hashlib.sha256()
        for feature, statistics in sorted(self.normalizer.items()):
            for name, values in sorted(statistics.items()):
                digest.update(f"{feature}.{name}{values.shape}".encode())
                digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
        return digest.hexdigest()


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint from its run folder (then the best, else the last), a step's folder, or `pretrained_model`."""
    folder = pretrained_folder(path)
    config = _read_json(folder / "config.json")
    training = _optional_json(folder / "train_config.json")
    state = _optional_json(folder.parent / "training_state" / "training_step.json") or {}
    _require_well_formed(config, training or {}, state, folder)
    return Checkpoint(
        path=folder,
        policy_type=_require_type(config, folder),
        config=config,
        train_config=training,
        step=state.get("step", _step_of(folder)),
        batch_size=_batch_size(state, training),
        normalizer=_read_statistics(folder, PREPROCESSOR),
        unnormalizer=_read_statistics(folder, POSTPROCESSOR),
        renamed=_renamed_in(folder / "policy_preprocessor.json"),
    )


def pretrained_folder(path: str | Path) -> Path:
    """The `pretrained_model` folder of a run, of a checkpoint, or itself.

    Of a run it is that of the checkpoint that was chosen (`best`), else of the last one.
    """
    given = Path(path)
    for folder in (given, pointed(given) / MODEL_FOLDER, *_of_run(given), *_of_run(given / "checkpoints")):
        if (folder / "config.json").is_file():
            return folder
    found = "no such folder" if not given.exists() else "no config.json"
    raise CheckpointError(
        f"Found {found} in {given}; expected a LeRobot checkpoint (a run, checkpoints/<step> or "
        f"{MODEL_FOLDER}); try the folder that `regrasp train --out` named."
    )


def _of_run(checkpoints: Path) -> list[Path]:
    """`pretrained_model` folders of a run: the chosen one by its step, the last, then from the last step back."""
    if not checkpoints.is_dir():
        return []
    steps = sorted(
        (step for step in checkpoints.iterdir() if step.name.isdigit()), key=lambda one: -int(one.name)
    )
    best = best_of(checkpoints)
    return [
        step / MODEL_FOLDER
        for step in (*([best] if best else []), checkpoints / LAST, pointed(checkpoints / LAST), *steps)
    ]


def best_of(checkpoints: Path) -> Path | None:
    """The folder of the step that `best` points at; None where nothing was chosen, or what was chosen is gone."""
    step = pointed(checkpoints / BEST)
    return step if (step / MODEL_FOLDER / "config.json").is_file() else None


def _step_of(folder: Path) -> int | None:
    """The step that the name of the checkpoint's folder tells."""
    name = folder.resolve().parent.name
    return int(name) if name.isdigit() else None


def _batch_size(state: Mapping[str, Any], training: Mapping[str, Any] | None) -> int | None:
    """Frames of one step, over all processes."""
    batch = state.get("batch_size") or (training or {}).get("batch_size")
    return None if batch is None else int(batch) * int(state.get("num_processes") or 1)


def _renamed_in(file: Path) -> Mapping[str, str]:
    """The `rename_map` of the saved preprocessor, which is the one that is applied; empty without one."""
    try:
        steps: list[dict[str, Any]] = (_optional_json(file) or {}).get("steps") or []
        maps = [step["config"]["rename_map"] for step in steps if step.get("registry_name") == RENAMING]
        return {str(old): str(new) for one in maps for old, new in one.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"Found a rename_map in {file} that is not names for names; expected what LeRobot writes; try another "
            "checkpoint."
        ) from error


def _require_type(config: Mapping[str, Any], folder: Path) -> str:
    kind = config.get("type")
    if not isinstance(kind, str):
        raise CheckpointError(
            f"Found a config.json without a policy type in {folder}; expected 'type', such as \"act\"; "
            "try a folder "
            "that LeRobot saved."
        )
    return kind


def _require_well_formed(
    config: Mapping[str, Any], training: Mapping[str, Any], state: Mapping[str, Any], folder: Path
) -> None:
    """Refuse values that are not of the kind that LeRobot writes, before anything reckons with them."""
    for name in ("input_features", "output_features"):
        features = config.get(name) or {}
        if not isinstance(features, dict) or not all(_is_feature(one) for one in features.values()):
            raise _of_wrong_kind(name, "features with a type and a shape each", folder / "config.json")
    for name in (*_CHUNKS, "n_action_steps"):
        _require_count(config, name, folder / "config.json")
    for name in ("batch_size", "steps"):
        _require_count(training, name, folder / "train_config.json")
    for name in ("step", "batch_size", "num_processes"):
        _require_count(state, name, folder.parent / "training_state" / "training_step.json")
    _require_dataset(training.get("dataset"), folder / "train_config.json")


def _require_dataset(told: object, path: Path) -> None:
    """Refuse what does not name a dataset and its episodes as LeRobot does."""
    if not isinstance(told or {}, dict):
        raise _of_wrong_kind("dataset", "the options of a dataset", path)
    options: dict[str, Any] = told if isinstance(told, dict) else {}
    for name in ("root", "repo_id"):
        if not isinstance(options.get(name) or "", str):
            raise _of_wrong_kind(f"dataset.{name}", "a text", path)
    episodes = options.get("episodes") or []
    if not isinstance(episodes, list) or not all(type(one) is int and one >= 0 for one in episodes):
        raise _of_wrong_kind("dataset.episodes", "numbers of episodes", path)
    share = options.get("eval_split") or 0.0
    if not (isinstance(share, int | float) and 0 <= share < 1):
        raise _of_wrong_kind("dataset.eval_split", "a share from 0 to below 1", path)


def _is_feature(value: object) -> bool:
    shape = value.get("shape", []) if isinstance(value, dict) else None
    return isinstance(shape, list) and all(type(size) is int and 0 <= size < MOST for size in shape)


def _require_count(content: Mapping[str, Any], name: str, path: Path) -> None:
    value = content.get(name)
    if value is not None and not (type(value) is int and 0 <= value < MOST):
        raise _of_wrong_kind(name, "a whole number", path)


def _of_wrong_kind(name: str, expected: str, path: Path) -> CheckpointError:
    return CheckpointError(
        f"Found a '{name}' in {path} that LeRobot does not write; expected {expected}; try another checkpoint."
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(short_file(path))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"Found no readable JSON in {path}; expected what LeRobot saves; try another checkpoint."
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f"Found {type(content).__name__} in {path}; expected a JSON object; try another checkpoint."
        )
    return content


def _optional_json(path: Path) -> dict[str, Any] | None:
    return _read_json(path) if path.is_file() else None


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(
            f"Found {path}, which cannot be read ({error.strerror}); expected a checkpoint's file; try another copy."
        ) from error


def _read_statistics(folder: Path, files: str) -> dict[str, dict[str, NDArray[Any]]]:
    """Statistics of a normaliser: feature -> statistic -> values."""
    statistics: dict[str, dict[str, NDArray[Any]]] = {}
    for path in sorted(folder.glob(files)):
        for key, values in read_safetensors(path).items():
            feature, _, name = key.rpartition(".")
            statistics.setdefault(feature, {})[name] = values
    return statistics
