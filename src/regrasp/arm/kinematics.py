"""Where the hand is: forward kinematics of the SO-101 in NumPy, for any number of poses at once.

The base frame is that of the arm's model: its origin lies in the middle of the base's underside, x points
forwards, y to the arm's left, z up. Positive shoulder_pan turns the arm towards -y.
"""

import numpy as np
from numpy.typing import NDArray

LINKS = (
    ("shoulder", (0.0388353, 0.0, 0.0624), (0.0, 0.0, -1.0, 0.0)),
    ("upper_arm", (-0.0303992, -0.0182778, -0.0542), (0.5, -0.5, -0.5, -0.5)),
    ("lower_arm", (-0.11257, -0.028, 0.0), (0.7071067811865476, 0.0, 0.0, 0.7071067811865476)),
    ("wrist", (-0.1349, 0.0052, 0.0), (0.7071067811865476, 0.0, 0.0, -0.7071067811865476)),
    (
        "gripper",
        (0.0, -0.0611, 0.0181),
        (0.0172091082, -0.0172091082, 0.7068973381, 0.7068973381),
    ),
)
"""Name, position (m) and orientation (w, x, y, z) of each link in the one before it; each turns about its own z.

MuJoCo Menagerie's `robotstudio_so101`, as so101-nexus carries it; one link for each of the first five joints.
"""

TIP_IN_GRIPPER = (0.0, 0.0, -0.090)
"""Point between the jaws, 14 mm above their ends, in the frame of the last link; the twin's `tcp`."""


def tip_positions(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The point between the jaws in the base frame, metres, shape [..., 3].

    From joint angles in degrees, shape [..., 5] or [..., 6]; the gripper's opening does not matter.
    NaN where a joint is NaN.

    Example:
        >>> x, _, z = tip_positions(np.zeros(5))
        >>> f"{x:.3f} m ahead, {z:.3f} m up"
        '0.383 m ahead, 0.234 m up'
    """
    return _in_base(poses, len(LINKS), np.asarray(TIP_IN_GRIPPER))


def link_positions(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Origin of each link of `LINKS` and then the tip, metres, shape [..., 6, 3]: the arm as a line to draw."""
    origin = np.zeros(3)
    links = [_in_base(poses, count, origin) for count in range(1, len(LINKS) + 1)]
    return np.stack([*links, tip_positions(poses)], axis=-2)


def _in_base(poses: NDArray[np.float64], links: int, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """A point of the frame of link number `links`, in the base frame: outwards in, one joint after the other."""
    angles = np.deg2rad(np.asarray(poses, dtype=np.float64))
    moved = np.broadcast_to(point, (*angles.shape[:-1], 3))
    for joint in reversed(range(links)):
        _, offset, orientation = LINKS[joint]
        moved = offset + _about_z(moved, angles[..., joint]) @ _rotation(orientation).T
    return moved


def _about_z(points: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each point, shape [..., 3], turned by its angle, shape [...], radians."""
    cosine, sine = np.cos(angles), np.sin(angles)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1)


def _rotation(quaternion: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Matrix of a quaternion (w, x, y, z) of any length; shape [3, 3]."""
    w, x, y, z = np.asarray(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
