"""Rollouts or a station whose joints are in another unit than degrees."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER, LIMITS
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView

type Pose = NDArray[np.float64]


def unit_mismatch[Measured: (LiveView, Rollouts)](artefact: Measured, *, unit: str = "-100..100") -> Measured:
    """The same in `-100..100`, `rad` or `counts`; poses must be those of an SO-101 in degrees."""
    convert = FROM_DEGREES[unit]
    if isinstance(artefact, LiveView):
        option = {"use_degrees": False} if unit == "-100..100" else {}
        return replace(artefact, joints=convert(artefact.joints), robot={**artefact.robot, **option})
    data = artefact.dataset
    episodes = tuple(
        replace(one, states=convert(one.states), actions=convert(one.actions)) for one in data.episodes
    )
    return replace(artefact, dataset=replace(data, episodes=episodes))


def scaled(pose: Pose) -> Pose:
    """Body joints from degrees to -100..100 of their range, as LeRobot's driver has it with `use_degrees=false`.

    Example:
        >>> scaled(np.array([55.0, 100, 0, 0, 0, 40])).round(6).tolist()
        [50.0, 100.0, 0.0, 0.0, -1.75, 40.0]
    """
    low, high = LIMITS.T
    return np.where(_is_body(), 200 * (pose - low) / (high - low) - 100, pose)


def unscaled(pose: Pose) -> Pose:
    """Undoes `scaled`."""
    low, high = LIMITS.T
    return np.where(_is_body(), low + (pose + 100) / 200 * (high - low), pose)


def in_radians(pose: Pose) -> Pose:
    """Body joints from degrees to radians; the gripper stays."""
    return np.where(_is_body(), np.radians(pose), pose)


def out_of_radians(pose: Pose) -> Pose:
    """Undoes `in_radians`."""
    return np.where(_is_body(), np.degrees(pose), pose)


def in_counts(pose: Pose) -> Pose:
    """Body joints from degrees to counts of the encoder, 2048 in the middle; the gripper stays."""
    return np.where(_is_body(), 2048 + pose * 4096 / 360, pose)


def out_of_counts(pose: Pose) -> Pose:
    """Undoes `in_counts`."""
    return np.where(_is_body(), (pose - 2048) * 360 / 4096, pose)


def _is_body() -> NDArray[np.bool_]:
    return np.arange(len(LIMITS)) != GRIPPER


FROM_DEGREES: Mapping[str, Callable[[Pose], Pose]] = {
    "-100..100": scaled,
    "rad": in_radians,
    "counts": in_counts,
}
TO_DEGREES: Mapping[str, Callable[[Pose], Pose]] = {
    "-100..100": unscaled,
    "rad": out_of_radians,
    "counts": out_of_counts,
}
"""Conversions of poses, shape [..., 6], by the unit's name."""
