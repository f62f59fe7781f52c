"""Measures a contract from the training data and the checkpoint."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS
from regrasp.data.alignment import align
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract import CameraContract, Contract, JawsContract, JointContract, deflated
from regrasp.data.dataset import Dataset, content_hash
from regrasp.data.episode import GRID, called_wrist, camera_name, grid_means
from regrasp.data.jaws import find_jaws
from regrasp.data.joint_units import body_unit
from regrasp.data.journal import read_journal
from regrasp.data.measures import (
    body_joints,
    closed_share,
    first_pictures,
    gripper_threshold,
    instruction_frames,
    likeness,
)
from regrasp.data.metadata import ACTION, STATE
from regrasp.data.sight import THUMBNAIL, grey_thumbnail
from regrasp.errors import CheckpointError, ContractError

NORMALISING = ("mean", "std", "min", "max", "q01", "q99")
"""Statistics that one of LeRobot's modes of normalising uses (MEAN_STD, MIN_MAX, QUANTILES)."""

MOST_RADIANS = 2.1 * np.pi
"""No joint of an arm turns further from its zero."""

EXAMPLES = 6
"""Thumbnails kept of a camera on the arm, besides the median: 14 kB."""

FIXED_WANDER = 0.004
"""First pictures of a camera that stands still lie within 0.0005 of the width of their median on the simulated
arm, those of the wrist camera 0.04 from it."""

TRAVEL_S = 0.2
"""Time over which `travel_max` is measured: six frames at 30 Hz, about what a servo needs to reach its speed."""

STATE_SAMPLE = 400
"""States kept of the training, evenly spread over its frames: 15 kB in the file, and the nearest of them is found in
0.03 ms."""


def measure_contract(
    dataset: Dataset,
    checkpoint: Checkpoint,
    *,
    calibration_id: str | None = None,
    calibration_hash: str | None = None,
) -> Contract:
    """The contract of a policy with the data it was trained on.

    Reads joints of all episodes and the first picture of at most `LONGEST_SAMPLE` of them. Episodes that
    the checkpoint's train_config leaves out are left out here.
    """
    dataset = trained_on(dataset, checkpoint)
    _require_same_features(dataset, checkpoint)
    threshold = gripper_threshold(dataset)
    shares = [] if threshold is None else [closed_share(e, threshold) for e in dataset.episodes]
    return Contract(
        policy_type=checkpoint.policy_type,
        robot_type=dataset.robot_type,
        instructions=instruction_frames(dataset),
        cameras=[
            _measure_camera(dataset, key).model_copy(update={"policy_key": checkpoint.renamed.get(key)})
            for key in checkpoint.camera_keys
        ],
        joints=_measure_joints(dataset),
        gripper_closed_share=_weighted(shares, dataset) if shares else None,
        gripper_closed_threshold=threshold,
        gripper_share_by_episode=[round(share, 4) for share in shares],
        fps=dataset.fps,
        chunk_size=checkpoint.chunk_size,
        n_action_steps=checkpoint.n_action_steps,
        epochs=epochs_of(dataset.frames, checkpoint),
        steps=checkpoint.step,
        batch_size=checkpoint.batch_size,
        episodes=len(dataset.episodes),
        frames=dataset.frames,
        dataset_id=dataset.repo_id or str(dataset.path),
        dataset_hash=content_hash(dataset),
        calibration_id=calibration_id,
        calibration_hash=calibration_hash,
        blind=not checkpoint.camera_keys,
        augmentation=_augmentation(checkpoint),
        state_sample=_state_sample(dataset),
        **of_checkpoint(checkpoint),
    )


def of_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """Those fields of a contract that differ between the checkpoints of one training, but for its length."""
    return {
        "normalisation_digest": checkpoint.normalisation_digest,
        "normalisation": joint_statistics(checkpoint.normalizer),
        "policy_files": dict(checkpoint.file_hashes),
    }


def _measure_camera(dataset: Dataset, key: str) -> CameraContract:
    name = camera_name(key)
    pictures = first_pictures(dataset, name)
    if pictures is None:
        return CameraContract(name=name, key=key, height=0, width=0)
    thumbnails = np.stack([grid_means(picture, GRID) for picture in pictures])
    median = np.median(thumbnails, axis=0)
    greys = np.stack([grey_thumbnail(picture) for picture in pictures])
    grey = np.median(greys, axis=0).round()
    some = greys[np.unique(np.linspace(0, len(greys) - 1, EXAMPLES).round().astype(int))]
    rides = _wander(some, grey, pictures.shape[1] / pictures.shape[2]) > FIXED_WANDER
    jaws = find_jaws(pictures) if rides else None
    return CameraContract(
        name=name,
        key=key,
        height=pictures.shape[1],
        width=pictures.shape[2],
        fingerprint=_rounded(median),
        spread=_rounded(thumbnails.std(axis=0)),
        likeness_low=round(min(likeness(one, median) for one in thumbnails), 4),
        thumbnail=deflated(grey),
        examples=[deflated(one) for one in some] if rides else [],
        jaws=JawsContract.of(jaws) if jaws else None,
    )


def rides_on_arm(dataset: Dataset, name: str) -> bool:
    """Whether a camera rides on the arm: by its name, or because it looks elsewhere at the start of each episode."""
    pictures = None if called_wrist(name) else first_pictures(dataset, name)
    if pictures is None:
        return called_wrist(name)
    greys = np.stack([grey_thumbnail(picture) for picture in pictures[:: max(1, len(pictures) // EXAMPLES)]])
    middle = np.median(greys, axis=0).round()
    return _wander(greys, middle, pictures.shape[1] / pictures.shape[2]) > FIXED_WANDER


def _augmentation(checkpoint: Checkpoint) -> dict[str, dict[str, float]] | None:
    """As the journal of its run tells; None where there is none."""
    above = checkpoint.path.resolve().parents
    with contextlib.suppress(CheckpointError):
        journal = read_journal(above[2]) if len(above) > 2 else None
        return None if journal is None else journal.augmentation
    return None


def _wander(greys: NDArray[np.float64], median: NDArray[np.float64], aspect: float) -> float:
    """How far these thumbnails lie from their median: the middle one, as a share of the width."""
    everywhere = np.ones(THUMBNAIL)
    places = [align(median, grey, everywhere, everywhere, aspect=aspect) for grey in greys]
    return float(np.median([place.away(aspect) for place in places]))


def _measure_joints(dataset: Dataset) -> list[JointContract]:
    states, actions = dataset.states, dataset.actions
    starts = np.stack([episode.states[0] for episode in dataset.episodes])
    steps = np.concatenate([np.abs(np.diff(episode.actions, axis=0)) for episode in dataset.episodes])
    steps = steps if len(steps) else np.zeros((1, actions.shape[1]))
    travel = np.max([_travel(episode.actions, dataset.fps) for episode in dataset.episodes], axis=0)
    units = _units(dataset)
    commanded = {name: place for place, name in enumerate(dataset.names_of_actions)}
    joints: list[JointContract] = []
    for place, name in enumerate(dataset.joint_names):
        own, begins = states[:, place], starts[:, place]
        told = commanded.get(name)
        orders = {"jump_p99": 0.0, "jump_max": 0.0}  # of a joint that is measured and never commanded
        if told is not None:
            leads = [abs(one.actions[0, told] - one.states[0, place]) for one in dataset.episodes]
            orders = {
                "jump_p99": _number(np.nanquantile(steps[:, told], 0.99)),
                "jump_max": _number(np.nanmax(steps[:, told])),
                "action_low": _number(np.nanmin(actions[:, told])),
                "action_high": _number(np.nanmax(actions[:, told])),
                "lead_max": _number(np.nanmax(leads)),
                "travel_max": _number(travel[told]),
            }
        joint = JointContract(
            name=name,
            unit=units[place],
            low=_number(np.nanmin(own)),
            high=_number(np.nanmax(own)),
            state_mean=_number(np.nanmean(own)),
            state_std=_number(np.nanstd(own)),
            start_mean=_number(np.nanmean(begins)),
            start_std=_number(np.nanstd(begins)),
            start_low=_number(np.nanmin(begins)),
            start_high=_number(np.nanmax(begins)),
            **orders,
        )
        joints.append(joint)
    return joints


def travel_ticks(fps: float) -> int:
    """Commands in a stretch of `TRAVEL_S`, the first included; at least 3."""
    return max(round(TRAVEL_S * fps), 2) + 1


def _travel(actions: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Widest range of each joint's commands in any stretch of `TRAVEL_S`; shape [J]."""
    length = min(travel_ticks(fps), len(actions))
    windows = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(actions), length, axis=0)
    return (windows.max(axis=-1) - windows.min(axis=-1)).max(axis=0)


def _state_sample(dataset: Dataset) -> list[list[float]]:
    """At most `STATE_SAMPLE` finite states, evenly spread over all frames."""
    states = dataset.states[np.isfinite(dataset.states).all(axis=1)]
    chosen = np.unique(np.linspace(0, len(states) - 1, min(STATE_SAMPLE, len(states))).round().astype(int))
    return [[round(float(value), 1) for value in state] for state in states[chosen]]


def joint_statistics(
    statistics: Mapping[str, Mapping[str, NDArray[Any]]],
) -> dict[str, dict[str, list[float]]]:
    """Those of joints and actions that are one number for each joint, as plain numbers."""
    return {
        feature: {
            name: [float(value) for value in values]
            for name, values in statistics[feature].items()
            if values.ndim == 1 and name in NORMALISING
        }
        for feature in (STATE, ACTION)
        if feature in statistics
    }


def _units(dataset: Dataset) -> list[str]:
    """The unit of each joint: "deg", "-100..100", "rad" or "unknown"; the gripper's is "0-100"."""
    places = body_joints(dataset.joint_names)
    body = _body_unit(dataset, places)
    return [body if place in places else "0-100" for place in range(len(dataset.joint_names))]


def _body_unit(dataset: Dataset, body: list[int]) -> str:
    if dataset.is_twin or not body:
        return "deg"
    told = body_unit(dataset)
    if told == "unknown" and len(dataset.joint_names) == len(JOINTS):
        return "rad" if _largest(dataset.states[:, body]) <= MOST_RADIANS else told
    return told


def _largest(values: NDArray[np.float64]) -> float:
    return float(np.nan_to_num(np.abs(values)).max(initial=0.0))


def trained_on(dataset: Dataset, checkpoint: Checkpoint) -> Dataset:
    """The dataset with only those episodes that the training took."""
    wanted = ((checkpoint.train_config or {}).get("dataset") or {}).get("episodes")
    if not isinstance(wanted, list) or not wanted:
        return dataset
    return replace(dataset, episodes=tuple(e for e in dataset.episodes if e.index in set(wanted)))


def _require_same_features(dataset: Dataset, checkpoint: Checkpoint) -> None:
    """Refuse data of another robot, and an empty dataset."""
    if not dataset.episodes:
        raise ContractError(
            f"Found no episode in {dataset.path} that the checkpoint was trained on; expected at least "
            "one; try the "
            "dataset named in its train_config.json."
        )
    joints = checkpoint.joint_count
    if joints is not None and joints != len(dataset.names_of_actions):
        raise ContractError(
            f"Found {len(dataset.names_of_actions)} joints in {dataset.path} and {joints} in the policy at "
            f"{checkpoint.path}; expected the data it was trained on; try the dataset named in its "
            "train_config.json."
        )
    missing = [
        camera_name(key) for key in checkpoint.camera_keys if camera_name(key) not in dataset.camera_names
    ]
    if missing:
        has = ", ".join(dataset.camera_names) or "none"
        raise ContractError(
            f"Found no camera '{missing[0]}' in {dataset.path} (it has {has}); expected the cameras of "
            "the policy at "
            f"{checkpoint.path}; try the dataset named in its train_config.json."
        )


def epochs_of(frames: int, checkpoint: Checkpoint) -> float | None:
    """Steps times batch over frames: how often each frame was shown; None where the checkpoint does not tell."""
    if checkpoint.step is None or checkpoint.batch_size is None:
        return None
    held_out = ((checkpoint.train_config or {}).get("dataset") or {}).get("eval_split")
    held_out = held_out if isinstance(held_out, int | float) and 0 <= held_out < 1 else 0.0
    return round(checkpoint.step * checkpoint.batch_size / (frames * (1 - held_out)), 3)


def _weighted(shares: list[float], dataset: Dataset) -> float:
    lengths = [episode.length for episode in dataset.episodes]
    return round(float(np.average(shares, weights=lengths)), 4)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 1) for value in values.ravel()]


def _number(value: Any) -> float:
    return round(float(value), 4)
