"""The twins that are connected in this process, so that an expert finds the arm it drives."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from lerobot.utils.errors import DeviceNotConnectedError

if TYPE_CHECKING:
    from .so101_twin import SO101Twin

_LIVE: WeakValueDictionary[str, SO101Twin] = WeakValueDictionary()


def enter(robot: SO101Twin) -> None:
    """Make a connected twin findable, as the last of all; it takes the place of one with the same id."""
    leave(robot)
    _LIVE.pop(str(robot.id), None)
    _LIVE[str(robot.id)] = robot


def leave(robot: SO101Twin) -> None:
    """Forget a twin that is being disconnected."""
    if _LIVE.get(str(robot.id)) is robot:
        del _LIVE[str(robot.id)]


def find(robot_id: str | None = None) -> SO101Twin:
    """The connected twin with this id, or the one that was connected last."""
    ids = [str(robot_id)] if robot_id is not None else list(_LIVE)[-1:]
    robot = _LIVE.get(ids[0]) if ids else None
    if robot is None:
        wanted = "no twin" if robot_id is None else f"no twin with id '{robot_id}'"
        raise DeviceNotConnectedError(
            f"Found {wanted} connected in this process; expected one, which its expert and its cameras "
            "share; try --robot.type=so101_twin."
        )
    return robot
