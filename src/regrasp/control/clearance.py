"""How much room an SO-101 has between its hand, the rest of itself, and the table: metres, from joint angles alone.

The links are boxes. A pair that can meet is compared by the points of one against the boxes of the other, so that
a path of fifty poses is looked through in a few milliseconds, without a simulation.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.kinematics import LINKS
from regrasp.arm.so101 import GRIPPER
from regrasp.arm.units import to_radians

JAW = ("jaw", (0.0202, 0.0188, -0.0234), (0.70711, 0.70711, 0.0, 0.0))
"""The moving jaw in the frame of the gripper, as `LINKS` has the others; it turns with the gripper joint."""

CHAIN = (*LINKS, JAW)


@dataclass(frozen=True)
class Box:
    """A box fixed to a link: centre (m) and half sizes (m) in the link's frame, orientation (w, x, y, z)."""

    link: str
    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    orientation: tuple[float, float, float, float]


BODY = (
    Box("shoulder", (-0.0304, 0.0004, -0.0387), (0.0230, 0.0150, 0.0100), (0.5, 0.5, 0.5, -0.5)),
    Box("shoulder", (-0.0250, 0.0000, 0.0000), (0.0380, 0.0250, 0.0200), (0.5, 0.5, -0.5, 0.5)),
    Box("upper_arm", (-0.0600, 0.0000, 0.0200), (0.0100, 0.0700, 0.0300), (0.0, -0.7071, 0.7071, 0.0)),
    Box("upper_arm", (-0.1200, -0.0140, 0.0182), (0.0100, 0.0200, 0.0150), (0.0, 1.0, 0.0, 0.0)),
)
BASE = (Box("base", (0.0, 0.0, 0.03), (0.055, 0.045, 0.07), (1.0, 0.0, 0.0, 0.0)),)
"""Room of the base with the shoulder's motors, in the base frame, inside the bounds of their meshes; Menagerie lets
wrist and hand pass through it."""

FOREARM = (
    Box("lower_arm", (-0.0500, 0.0000, 0.0182), (0.0700, 0.0100, 0.0300), (0.0, 1.0, 0.0, 0.0)),
    Box("lower_arm", (-0.1250, 0.0050, 0.0180), (0.0230, 0.0130, 0.0180), (0.0, -1.0, 0.0, 0.0)),
)
WRIST = (
    Box("wrist", (0.0000, -0.0424, 0.0256), (0.0290, 0.0150, 0.0180), (0.5, 0.5, 0.5, -0.5)),
    Box("wrist", (0.0000, -0.0200, 0.0191), (0.0270, 0.0100, 0.0300), (0.5, -0.5, -0.5, -0.5)),
)
HAND = (
    Box("gripper", (0.0000, -0.0002, 0.0009), (0.0100, 0.0100, 0.0180), (0.0, 1.0, 0.0, 0.0)),
    Box("gripper", (-0.0025, 0.0000, -0.0220), (0.0325, 0.0150, 0.0150), (1.0, 0.0, 0.0, 0.0)),
    Box("gripper", (-0.0240, 0.0000, -0.0400), (0.0100, 0.0150, 0.0050), (1.0, 0.0, 0.0, 0.0)),
    Box("gripper", (-0.0186, -0.0002, -0.0700), (0.0100, 0.0161, 0.0358), (0.0, 0.9927, -0.0004, 0.1209)),
)
OUTER = (
    Box("gripper", (-0.0025, 0.0300, -0.0300), (0.0150, 0.0150, 0.0030), (1.0, 0.0, 0.0, 0.0)),
    Box("gripper", (-0.0010, 0.0600, -0.0400), (0.0210, 0.0210, 0.0030), (0.9624, -0.2715, 0.0, 0.0)),
    Box("jaw", (-0.0016, -0.0423, 0.0189), (0.0081, 0.0122, 0.0202), (0.7112, 0.7023, -0.0217, -0.0246)),
    Box("jaw", (-0.0064, -0.0712, 0.0189), (0.0044, 0.0072, 0.0120), (0.6914, 0.6910, -0.1489, -0.1491)),
    Box("jaw", (0.0000, -0.0130, 0.0190), (0.0100, 0.0100, 0.0150), (1.0, 0.0, 0.0, 0.0)),
)
"""Collision shapes of MuJoCo Menagerie's `robotstudio_so101` in the frames of `CHAIN`; meshes by their boxes. `OUTER`
holds the camera, with its mount, and the moving jaw."""


def clearance(poses: NDArray[np.float64], table_m: float) -> NDArray[np.float64]:
    """Least room of each pose, shape [n]; metres, negative where something overlaps.

    Args:
        poses: Degrees, gripper 0-100; shape [n, 6].
        table_m: Height of the table in the base frame.

    Shoulder against forearm, wrist and gripper is not looked at: folded, these lie together.
    """
    frames = _frames(np.atleast_2d(np.asarray(poses, dtype=np.float64)))
    upper = tuple(box for box in BODY if box.link == "upper_arm")
    rooms = (
        _height(FOREARM + WRIST + HAND + OUTER, frames) - table_m,
        _room(OUTER, BODY, frames),
        _room(WRIST + HAND, upper, frames),
        _room(WRIST + HAND + OUTER, BASE, frames),
    )
    return np.min(rooms, axis=0)


def lowest_m(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height of the lowest point of the moving arm in the base frame, shape [n]; metres."""
    frames = _frames(np.atleast_2d(np.asarray(poses, dtype=np.float64)))
    return _height(FOREARM + WRIST + HAND + OUTER, frames)


type Frames = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Rotation [n, 3, 3] and origin [n, 3] of each link in the base frame."""


def _frames(poses: NDArray[np.float64]) -> Frames:
    angles = to_radians(poses)
    rotation = np.broadcast_to(np.eye(3), (len(poses), 3, 3))
    origin = np.zeros((len(poses), 3))
    frames: Frames = {"base": (rotation, origin)}
    for joint, (name, offset, quaternion) in enumerate(CHAIN):
        origin = origin + rotation @ np.asarray(offset)
        rotation = rotation @ _matrix(quaternion) @ _about_z(angles[:, joint])
        frames[name] = (rotation, origin)
    assert len(CHAIN) == GRIPPER + 1
    return frames


def _height(boxes: tuple[Box, ...], frames: Frames) -> NDArray[np.float64]:
    """Height of the lowest corner, shape [n]."""
    lowest = [
        (_points(box) @ rotation[:, 2, :, None])[..., 0].min(axis=1) + origin[:, 2]
        for box in boxes
        for rotation, origin in (frames[box.link],)
    ]
    return np.min(lowest, axis=0)


def _room(those: tuple[Box, ...], these: tuple[Box, ...], frames: Frames) -> NDArray[np.float64]:
    """Least distance of points of `those` from the boxes `these`, and the other way round; shape [n]."""
    rooms = [
        room
        for one in those
        for other in these
        for room in (_points_to_box(one, other, frames), _points_to_box(other, one, frames))
    ]
    return np.min(rooms, axis=0)


def _points_to_box(one: Box, other: Box, frames: Frames) -> NDArray[np.float64]:
    """Signed distance of the nearest point of `one` from the box `other`, shape [n]."""
    rotation, origin = frames[one.link]
    points = _points(one) @ rotation.transpose(0, 2, 1) + origin[:, None]
    rotation, origin = frames[other.link]
    turned = rotation @ _matrix(other.orientation)
    centre = origin + rotation @ np.asarray(other.centre)
    beyond = np.abs((points - centre[:, None]) @ turned) - np.asarray(other.half)
    outside = np.sqrt((np.maximum(beyond, 0.0) ** 2).sum(axis=-1))
    return (outside + np.minimum(beyond.max(axis=-1), 0.0)).min(axis=-1)


@cache
def _points(box: Box) -> NDArray[np.float64]:
    """Corners, middles of edges and of faces of a box in its link's frame, shape [26, 3]."""
    grid = np.array([place for place in product((-1.0, 0.0, 1.0), repeat=3) if any(place)])
    return grid * np.asarray(box.half) @ _matrix(box.orientation).T + np.asarray(box.centre)


@cache
def _matrix(quaternion: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Matrix of a quaternion (w, x, y, z) of any length; shape [3, 3]."""
    w, x, y, z = np.asarray(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _about_z(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations about z, shape [n, 3, 3]."""
    turned = np.zeros((len(angles), 3, 3))
    turned[:, 0, 0] = turned[:, 1, 1] = np.cos(angles)
    turned[:, 1, 0] = np.sin(angles)
    turned[:, 0, 1] = -turned[:, 1, 0]
    turned[:, 2, 2] = 1.0
    return turned
