"""What a real SO-101 does differently from its commands, with constants fitted to recordings of real arms."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER
from regrasp.arm.units import GRIPPER_RANGE_RAD

ENCODER_STEP_DEG = 360.0 / 4096
"""STS3215 magnetic encoder: 4096 counts per turn (data sheet; the finest step in recordings, 0.088)."""

GRIPPER_STEP = 100.0 * np.deg2rad(ENCODER_STEP_DEG) / (GRIPPER_RANGE_RAD[1] - GRIPPER_RANGE_RAD[0])
"""The same step in the gripper's 0-100."""


def _per_joint(*values: float) -> NDArray[np.float64]:
    return np.array(values)


@dataclass(frozen=True)
class Imperfections:
    """Servos and cameras as they are. Arrays have shape [6], joints in the order of `JOINTS`."""

    delay_s: float = 0.035
    """From command to servo: bus, firmware and the leader's reading."""
    stiffness_nm_rad: NDArray[np.float64] = field(
        default_factory=lambda: _per_joint(23.0, 28.0, 17.0, 17.0, 23.0, 23.0)
    )
    """Torque per angle error. Low enough that the arm sags under its own weight (LeRobot sets P to 16)."""
    response_s: NDArray[np.float64] = field(
        default_factory=lambda: _per_joint(0.063, 0.060, 0.066, 0.066, 0.066, 0.064)
    )
    """Time constant with which a joint follows: damping over stiffness."""
    backlash_deg: NDArray[np.float64] = field(
        default_factory=lambda: _per_joint(0.6, 1.0, 1.0, 0.8, 0.6, 0.6)
    )
    """Width of the play between command and motion; gripper 0-100."""
    encoder_step: NDArray[np.float64] = field(
        default_factory=lambda: np.where(np.arange(6) == GRIPPER, GRIPPER_STEP, ENCODER_STEP_DEG)
    )
    """Smallest difference that a reading can show; degrees, gripper 0-100."""
    camera_noise: float = 2.0
    """Standard deviation of a pixel's noise, grey levels of 255."""


def ideal() -> Imperfections:
    """A stiff arm without delay, play, steps or noise: the model as Menagerie ships it."""
    return Imperfections(
        delay_s=0.0,
        stiffness_nm_rad=np.full(6, 998.22),
        response_s=np.full(6, (2.731 + 0.60) / 998.22),
        backlash_deg=np.zeros(6),
        encoder_step=np.zeros(6),
        camera_noise=0.0,
    )


def through_play(
    goal: NDArray[np.float64], held: NDArray[np.float64], width: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where a goal arrives behind a play of `width`: moved only once the play is used up; any one unit.

    Example:
        >>> through_play(np.array([1.0]), np.array([0.0]), np.array([0.5])).tolist()
        [0.75]
        >>> through_play(np.array([0.6]), np.array([0.75]), np.array([0.5])).tolist()
        [0.75]
    """
    return np.clip(held, goal - width / 2, goal + width / 2)


def read_encoder(pose: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest value that the encoder can show; a step of 0 shows everything."""
    whole = np.where(step > 0, step, 1.0)
    return np.where(step > 0, np.round(pose / whole) * whole, pose)


def noise_field(sigma: float, height: int, width: int) -> NDArray[np.int16]:
    """One fixed field of pixel noise, twice in a row, shape [2 * h * w * 3]; grey levels."""
    rng = np.random.default_rng(3)
    once = np.round(rng.normal(0.0, sigma, height * width * 3)).astype(np.int16)
    return np.concatenate([once, once])


def with_noise(picture: NDArray[np.uint8], noise: NDArray[np.int16], key: int) -> NDArray[np.uint8]:
    """`picture` with the stretch of `noise` that begins where `key`, and nothing else, says; same shape."""
    offset = key * 7919 % picture.size
    noisy = picture + noise[offset : offset + picture.size].reshape(picture.shape)
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
