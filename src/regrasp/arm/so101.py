"""Joints, limits and home pose of the SO-101 as LeRobot reports them.

Body joints are in degrees with the zero in the middle of their range (`use_degrees=True`);
the gripper is 0 (closed) to 100 (open).
"""

import numpy as np
from numpy.typing import NDArray

TWIN_ROBOT = "so101_twin"
"""LeRobot's name of the simulated arm (`packages/lerobot_robot_so101_twin`)."""

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
"""LeRobot's motor order, `lerobot/robots/so_follower`; the same in the arm's MuJoCo model."""

GRIPPER = 5
"""Index of the gripper in `JOINTS`."""

LIMITS = np.array(
    [(-110.0, 110.0), (-100.0, 100.0), (-101.0, 101.0), (-95.0, 95.0), (-157.2, 162.8), (0.0, 100.0)]
)
"""Lowest and highest angle of each joint, shape [6, 2]; degrees, gripper 0-100.

Control ranges of MuJoCo Menagerie's `robotstudio_so101`, but for the elbow: Menagerie takes 5 degrees off its
range for calibration and ends at 96.8, while real arms rest folded at 97 to 100 (the home pose below; 99.6 and
97.1 in public recordings). A calibrated arm can report a few degrees more still, because LeRobot measures the
range by hand.
"""

HOME = np.array([-8.0, -98.0, 100.0, 75.0, -52.0, 0.5])
"""The folded pose in which demonstrations start, shape [6]; degrees, gripper 0-100.

The pose of the project that Regrasp comes from. The hand hangs close before the base, its jaws shut.
"""

HOME_SPREAD = np.array([3.0, 1.0, 0.5, 1.5, 2.0, 0.3])
"""Spread of the start pose between sound demonstrations, shape [6]; standard deviation, degrees.

Pan and gripper as recorded in that project (-8 +- 3, 0.5 +- 0.3); the others are of the same order.
"""


def within_limits(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest pose inside `LIMITS`; shape [..., 6].

    Example:
        >>> within_limits(np.array([0.0, -140.0, 0.0, 0.0, 0.0, 120.0])).tolist()
        [0.0, -100.0, 0.0, 0.0, 0.0, 100.0]
    """
    return np.clip(pose, LIMITS[:, 0], LIMITS[:, 1])
