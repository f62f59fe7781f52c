"""A station's robot as LeRobot makes it."""

import contextlib
import importlib
import pkgutil
from collections.abc import Generator
from functools import cache
from typing import Any

import draccus
import draccus.utils
import lerobot.cameras
import lerobot.robots
import lerobot.teleoperators
from lerobot.robots import RobotConfig, make_robot_from_config
from lerobot.utils.errors import DeviceNotConnectedError
from lerobot.utils.import_utils import register_third_party_plugins

from regrasp.data.station import Station
from regrasp.errors import RegraspError, StationError, first_line
from regrasp.lerobot_bridge.quiet import quiet


@cache
def know_drivers() -> None:
    """Make every robot, teleoperator and camera known by its type: LeRobot's own and those of plugins.

    LeRobot knows a driver once its package is imported; its scripts name them one by one.
    """
    for package in (lerobot.robots, lerobot.teleoperators, lerobot.cameras):
        for module in pkgutil.iter_modules(package.__path__):
            with contextlib.suppress(ImportError):  # a driver whose library is not installed
                importlib.import_module(f"{package.__name__}.{module.name}")
    register_third_party_plugins()


def make_robot(station: Station) -> Any:
    """LeRobot's robot of a station, not yet connected.

    Raises:
        StationError: LeRobot knows no such robot, or refuses one of its options.
    """
    know_drivers()
    try:
        return make_robot_from_config(draccus.decode(RobotConfig, dict(station.robot)))
    except (
        draccus.utils.DecodingError,
        draccus.utils.ParsingError,
        ValueError,
        KeyError,
        TypeError,
    ) as error:
        first = first_line(error)
        raise StationError(
            f"LeRobot cannot make the robot of station '{station.name}': {first}. Expected the options that "
            "`lerobot-record --robot.*` takes; `regrasp station show` prints what the file says."
        ) from error


@contextlib.contextmanager
def connected(station: Station) -> Generator[Any]:
    """The station's robot, connected; at the end it is let go of whatever happens.

    A twin with faults shows them. An arm that is not calibrated is not asked to be: LeRobot would wait for somebody's
    Enter, with the motors let go.

    Raises:
        StationError: The robot does not answer, or is not calibrated.
    """
    robot = make_robot(station)
    if station.faults:
        from regrasp.lerobot_bridge.mis_set import MisSetRobot

        robot = MisSetRobot(robot, station.faults)
    try:
        with quiet():
            robot.connect(calibrate=False)
    except RegraspError:
        raise
    except (OSError, RuntimeError, DeviceNotConnectedError) as error:
        first = first_line(error)
        raise StationError(
            f"The robot of station '{station.name}' does not answer: {first}. Check power and cables, then "
            "run the command again."
        ) from error
    try:
        _require_calibrated(robot, station)
        yield robot
    finally:
        with quiet():
            _let_go(robot)


def _require_calibrated(robot: Any, station: Station) -> None:
    """Refuse an arm whose motors do not hold the calibration that its file does, or that has no file."""
    if robot.is_calibrated:
        return
    name = getattr(robot, "id", None)
    told = " ".join(
        f"--robot.{option}={station.robot[option]}"
        for option in ("type", "port", "id")
        if option in station.robot
    )
    raise StationError(
        f"The robot of station '{station.name}' is not calibrated as '{name}': its motors and the calibration file "
        f"differ, or there is no file. Run `lerobot-calibrate {told}` once; nothing has moved."
    )


def _let_go(robot: Any) -> None:
    """Disconnect a robot, its motors released or holding as its options say.

    LeRobot refuses to disconnect an arm one of whose cameras is gone, and leaves its motors as they are; then each part
    that is still there is disconnected by itself.
    """
    try:
        robot.disconnect()
    except DeviceNotConnectedError:
        bus = getattr(robot, "bus", None)
        if bus is not None and bus.is_connected:
            bus.disconnect(robot.config.disable_torque_on_disconnect)
        for camera in getattr(robot, "cameras", {}).values():
            with contextlib.suppress(DeviceNotConnectedError):
                camera.disconnect()
