"""What can be known of a checkpoint without a contract, from LeRobot's own files alone."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract import CameraContract, Contract, JointContract
from regrasp.data.contract_measuring import MOST_RADIANS, joint_statistics, measure_contract
from regrasp.data.dataset import Dataset, read_dataset
from regrasp.data.episode import camera_name
from regrasp.data.joint_units import FULL_SCALE
from regrasp.data.metadata import ACTION, STATE
from regrasp.errors import RegraspError

UNKNOWN = float("nan")

SAME_STATISTIC = 0.01
"""Share of a joint's deviation by which a dataset's mean may differ from the normaliser's: LeRobot computes both
from the same numbers, and float32 leaves less than a thousandth."""


def known_contract(checkpoint: Checkpoint) -> Contract:
    """The contract beside a checkpoint, else the one that its files give: see `recover_contract`."""
    return checkpoint.contract or recover_contract(checkpoint)


def recover_contract(checkpoint: Checkpoint) -> Contract:
    """A contract for a checkpoint that has none.

    Measured from the dataset that its train_config names, where that lies on this machine and is the one that
    the normaliser's statistics are of. Else from those statistics, config.json and training_step.json; what
    they cannot tell (instructions, rate, names of the joints, start poses, pictures) is left out, and
    `recovered` is set.
    """
    dataset = training_data(checkpoint)
    if dataset is not None:
        try:
            return measure_contract(dataset, checkpoint)
        except RegraspError:
            pass
    return _from_statistics(checkpoint)


def training_data(checkpoint: Checkpoint) -> Dataset | None:
    """The dataset that train_config.json names, if it is on this machine and has not changed since."""
    for folder in _candidates(checkpoint):
        try:
            dataset = read_dataset(folder)
        except RegraspError:
            continue
        if _is_that_of(dataset, checkpoint):
            return dataset
    return None


def _candidates(checkpoint: Checkpoint) -> Iterator[Path]:
    """Folders in which it may lie: as it was given, and LeRobot's own cache. Nothing is fetched."""
    named = (checkpoint.train_config or {}).get("dataset")
    if not isinstance(named, dict):
        return
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "lerobot"
    places = {"root": Path(), "repo_id": Path(os.environ.get("HF_LEROBOT_HOME", home))}
    for field, base in places.items():
        name = named.get(field)
        if (
            isinstance(name, str)
            and name
            and "\0" not in name
            and (base / name / "meta" / "info.json").is_file()
        ):
            yield base / name


def _is_that_of(dataset: Dataset, checkpoint: Checkpoint) -> bool:
    """Whether the policy normalises with this dataset's statistics."""
    trained = checkpoint.normalizer.get(ACTION, {})
    if "mean" not in trained or "std" not in trained or not dataset.episodes:
        return False
    mean = dataset.actions.mean(axis=0)
    return mean.shape == trained["mean"].shape and bool(
        np.all(np.abs(mean - trained["mean"]) <= SAME_STATISTIC * trained["std"] + 1e-6)
    )


def _from_statistics(checkpoint: Checkpoint) -> Contract:
    frames = _count(checkpoint, ACTION, "count")
    steps, batch = checkpoint.step, checkpoint.batch_size
    named: dict[str, Any] = (checkpoint.train_config or {}).get("dataset") or {}
    return Contract(
        policy_type=checkpoint.policy_type,
        robot_type=None,
        instructions={},
        cameras=[_camera(checkpoint, key) for key in checkpoint.camera_keys],
        joints=_joints(checkpoint),
        gripper_closed_share=None,
        gripper_closed_threshold=None,
        fps=UNKNOWN,
        chunk_size=checkpoint.chunk_size,
        n_action_steps=checkpoint.n_action_steps,
        epochs=round(steps * batch / frames, 3) if steps and batch and frames else None,
        steps=steps,
        batch_size=batch,
        episodes=_count(checkpoint, "episode_index", "max", add=1),
        frames=frames,
        normalisation_digest="",
        dataset_id=str(named.get("repo_id") or ""),
        dataset_hash="",
        blind=not checkpoint.camera_keys,
        recovered=True,
    )


def _camera(checkpoint: Checkpoint, key: str) -> CameraContract:
    """Its name and size; shape [channels, height, width] in config.json."""
    renamed = checkpoint.renamed.get(key)
    shape = checkpoint.input_features[renamed or key].get("shape")
    height, width = shape[1:] if isinstance(shape, list) and len(shape) == 3 else (0, 0)
    return CameraContract(name=camera_name(key), key=key, height=height, width=width, policy_key=renamed)


def _joints(checkpoint: Checkpoint) -> list[JointContract]:
    """Ranges from the normaliser; which is the gripper is not known."""
    states = joint_statistics(checkpoint.normalizer).get(STATE, {})
    actions = joint_statistics(checkpoint.normalizer).get(ACTION, {})
    count = checkpoint.joint_count or len(states.get("mean", ()))
    unit = _unit(checkpoint.normalizer.get(STATE, {}))
    return [
        JointContract(
            name=f"joint_{place + 1}",
            unit=unit,
            low=_at(states, "min", place),
            high=_at(states, "max", place),
            state_mean=_at(states, "mean", place),
            state_std=_at(states, "std", place),
            start_mean=UNKNOWN,
            start_std=UNKNOWN,
            start_low=UNKNOWN,
            start_high=UNKNOWN,
            jump_p99=UNKNOWN,
            jump_max=UNKNOWN,
            action_low=_at(actions, "min", place),
            action_high=_at(actions, "max", place),
        )
        for place in range(count)
    ]


def _unit(states: Mapping[str, NDArray[Any]]) -> str:
    """As far as the size of the numbers tells."""
    if "min" not in states or "max" not in states:
        return "unknown"
    largest = float(np.abs([states["min"], states["max"]]).max(initial=0.0))
    return "deg" if FULL_SCALE < largest < 500 else "rad" if largest <= MOST_RADIANS else "unknown"


def _at(statistics: Mapping[str, list[float]], name: str, place: int) -> float:
    values = statistics.get(name, ())
    return values[place] if place < len(values) else UNKNOWN


def _count(checkpoint: Checkpoint, feature: str, statistic: str, *, add: int = 0) -> int:
    """A whole number that LeRobot keeps among the statistics; 0 where it does not."""
    values = checkpoint.normalizer.get(feature, {}).get(statistic)
    return int(values.max()) + add if values is not None and values.size and np.isfinite(values).all() else 0
