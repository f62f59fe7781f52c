"""What a real SO-101 does differently from its commands, with constants fitted to recordings of real arms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER
from regrasp.arm.units import GRIPPER_RANGE_RAD

ENCODER_STEP_DEG = 360.0 / 4096
"""STS3215 magnetic encoder: 4096 counts per turn (data sheet; the finest step in recordings, 0.088)."""

GRIPPER_STEP = float(100.0 * np.deg2rad(ENCODER_STEP_DEG) / (GRIPPER_RANGE_RAD[1] - GRIPPER_RANGE_RAD[0]))
"""The same step in the gripper's 0-100."""


type PerJoint = tuple[float, ...]
"""One value for each joint, in the order of `JOINTS`."""


@dataclass(frozen=True)
class Imperfections:
    """Servos and cameras as they are.

    The defaults are fitted: the commands of four public recordings of real arms, replayed in free space,
    lead to the recorded states (`benchmarks/twin_truth.py`: 0.1 to 0.9 degrees off in the median of all
    but one joint, 3.5 to 4.2 frames late).
    """

    delay_s: float = 0.035
    """From command to servo: bus and firmware."""
    stiffness_nm_rad: PerJoint = (23.0, 28.0, 17.0, 17.0, 23.0, 23.0)
    """Torque per angle error. Low enough that the arm sags under its own weight (LeRobot sets P to 16)."""
    response_s: PerJoint = (0.063, 0.060, 0.066, 0.066, 0.066, 0.064)
    """Time constant with which a joint follows: damping over stiffness."""
    backlash_deg: PerJoint = (0.6, 1.0, 1.0, 0.8, 0.6, 0.6)
    """Width of the play between command and motion; gripper 0-100."""
    encoder_step: PerJoint = (*[ENCODER_STEP_DEG] * GRIPPER, GRIPPER_STEP)
    """Smallest difference that a reading can show; degrees, gripper 0-100."""
    camera_noise: float = 2.0
    """Standard deviation of a pixel's noise, grey levels of 255."""


REAL = Imperfections()
"""A real arm."""

IDEAL = Imperfections(
    delay_s=0.0,
    stiffness_nm_rad=(998.22,) * 6,
    response_s=((2.731 + 0.60) / 998.22,) * 6,
    backlash_deg=(0.0,) * 6,
    encoder_step=(0.0,) * 6,
    camera_noise=0.0,
)
"""A stiff arm without delay, play, steps or noise: the model as Menagerie ships it."""


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


def read_encoder(pose: NDArray[np.float64], step: PerJoint) -> NDArray[np.float64]:
    """The nearest value that the encoder can show; a step of 0 shows everything."""
    steps = np.asarray(step)
    whole = np.where(steps > 0, steps, 1.0)
    return np.where(steps > 0, np.round(pose / whole) * whole, pose)


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
