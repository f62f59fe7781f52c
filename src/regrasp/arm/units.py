"""The only place where joint values change their unit.

At every border of Regrasp a body joint is in degrees and the gripper is 0 (closed) to 100 (open).
The simulation works in radians.
"""

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER

GRIPPER_RANGE_RAD = (-0.17453, 1.74533)
"""Closed and open angle of the gripper joint, MuJoCo Menagerie's `robotstudio_so101`."""


def to_radians(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Joint angles of the simulation; shape [..., 6], from degrees and gripper 0-100.

    Example:
        >>> to_radians(np.array([180.0, 0, 0, 0, 0, 0])).round(4).tolist()
        [3.1416, 0.0, 0.0, 0.0, 0.0, -0.1745]
    """
    radians = np.deg2rad(pose)
    closed, opened = GRIPPER_RANGE_RAD
    radians[..., GRIPPER] = closed + pose[..., GRIPPER] / 100.0 * (opened - closed)
    return radians


def to_degrees(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Joint values as LeRobot reports them; shape [..., 6], from radians. Undoes `to_radians`."""
    degrees = np.rad2deg(angles)
    closed, opened = GRIPPER_RANGE_RAD
    degrees[..., GRIPPER] = (angles[..., GRIPPER] - closed) / (opened - closed) * 100.0
    return degrees
