"""The twin set up wrongly on purpose: a station with one of the faults that the checks know, or with one that none does.

A fault is a function of the station, named after the check that finds it; its keyword-only arguments are the
options that `--fault NAME:OPTION=VALUE` takes, with their usual values.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NewType, get_type_hints

from regrasp.arm.so101 import JOINTS
from regrasp.data.fault_text import fault_text, parse_fault, split_faults
from regrasp.data.station import Station
from regrasp.errors import UsageError
from regrasp.faults.flipped_camera import TURNS
from regrasp.faults.unit_mismatch import FROM_DEGREES

MOVED_M = (0.05, 0.04)
"""How far `moved-camera` shifts the front camera, forwards and to the arm's left: 6.4 cm across the table."""

TURNED_DEG = 15.0
"""How far it turns the wrist camera."""

UNLISTED = "unlisted-"
"""Beginning of the names of faults that no check knows: their cause is not in the catalogue."""

Joint = NewType("Joint", int)
"""Place of a joint in `arm.so101.JOINTS`; given by place or by name."""


def mis_set_station(station: Station, fault: str) -> Station:
    """The twin's station with a fault, or with several: `calibration-offset:joint=1,degrees=12;dark-camera`.

    What the robot's options can express is set there; the rest is left in `faults`, for the driver's wrapper.

    Raises:
        UsageError: No such fault or option, a value that cannot be, or a real station.
    """
    if not station.is_twin:
        raise UsageError(
            f"--fault is for the twin; station '{station.name}' is a {station.robot_type}. Leave it out."
        )
    for one in split_faults(fault):
        name, options = read_fault(one)
        station = FAULTS[name](station, **options)
    return station


def read_fault(text: str) -> tuple[str, dict[str, Any]]:
    """Name and options of one fault, the options with their types and those left out with their usual values.

    Example:
        >>> read_fault("calibration-offset:joint=elbow_flex")
        ('calibration-offset', {'joint': 2, 'degrees': 12.0})

    Raises:
        UsageError: No such fault or option, or a value of another type.
    """
    name, given = parse_fault(text)
    if name not in FAULTS:
        raise UsageError(f"No fault named '{name}'; expected one of {', '.join(FAULTS)}.")
    usual = {
        option: parameter.default
        for option, parameter in inspect.signature(FAULTS[name]).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    for option in given:
        if option not in usual:
            known = f"expected one of {', '.join(usual)}" if usual else "expected none"
            raise UsageError(f"Found option '{option}' of fault '{name}'; {known}.")
    kinds = get_type_hints(FAULTS[name])
    return name, usual | {
        option: _converted(name, option, kinds[option], value) for option, value in given.items()
    }


def _converted(fault: str, option: str, kind: Any, value: str) -> object:
    """A value of the option's type."""
    if kind in (Joint, Joint | None):
        if value in JOINTS:
            return JOINTS.index(value)
        if value.isdigit() and int(value) < len(JOINTS):
            return int(value)
        raise _unusable(fault, option, value, f"0 to {len(JOINTS) - 1}, or one of {', '.join(JOINTS)}")
    if kind is str:
        return value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _unusable(fault, option, value, "a number")
    return number


def _swapped_cameras(station: Station) -> Station:
    """The last camera's picture under the first's name, and so on round."""
    names = station.camera_names
    return station.with_cameras_permuted(dict(zip(names, (names[-1:] + names[:-1]), strict=True)))


def _missing_camera(station: Station, *, camera: str = "wrist") -> Station:
    _require_camera(station, "missing-camera", camera)
    cameras = {name: options for name, options in station.cameras.items() if name != camera}
    return _with_robot(station, cameras=cameras)


def _flipped_camera(station: Station, *, camera: str = "front", turn: str = "half-turn") -> Station:
    """As one that is mounted on its head, or whose driver mirrors."""
    _require_camera(station, "flipped-camera", camera)
    _require(turn in TURNS, "flipped-camera", "turn", turn, f"one of {', '.join(TURNS)}")
    return _by_wrapper(station, "flipped-camera", camera=camera, turn=turn)


def _moved_camera(
    station: Station, *, camera: str = "front", x: float = 0.0, y: float = 0.0, z: float = 0.0,
    turn: float = 0.0,
) -> Station:  # fmt: skip
    """Shifted by x, y, z metres (front only) and turned to its side by `turn` degrees; usually by `MOVED_M`."""
    _require(camera in ("front", "wrist"), "moved-camera", "camera", camera, "front or wrist")
    if not any((x, y, z, turn)):
        (x, y), turn = (MOVED_M, 0.0) if camera == "front" else ((0.0, 0.0), TURNED_DEG)
    if camera == "front":
        return _with_appearance(station, front_shift_m=[x, y, z], front_turn_deg=[0.0, turn, 0.0])
    for option, value in (("x", x), ("y", y), ("z", z)):
        _require(not value, "moved-camera", option, value, "0 for the wrist camera, which can only be turned")
    return _with_appearance(station, wrist_turn_deg=[0.0, turn, 0.0])


def _dark_camera(station: Station, *, light: float = 0.0, camera: str = "") -> Station:
    """The lamp and its surroundings at `light`, 1 in the training room; with a `camera`, its lens covered as much."""
    _require(0 <= light < 1, "dark-camera", "light", light, "0 to 1")
    if not camera:
        return _with_appearance(station, light=light)
    _require_camera(station, "dark-camera", camera)
    return _by_wrapper(station, "dark-camera", light=light, camera=camera)


def _changed_light(station: Station, *, light: float = 0.45, warmth: float = 1.0) -> Station:
    """The lamp at `light`, 1 in the training room, and its red over its blue at `warmth`."""
    _require(0 <= light <= 10, "changed-light", "light", light, "0 to 10")
    _require(0.01 <= warmth <= 100, "changed-light", "warmth", warmth, "0.01 to 100")
    return _with_appearance(station, light=light, light_rgb=[warmth**0.5, 1.0, warmth**-0.5])


def _frozen_camera(station: Station, *, camera: str = "front", after: float = 0.0) -> Station:
    """A camera that repeats one picture of each episode, that of second `after`, to its end."""
    _require_camera(station, "frozen-camera", camera)
    _require(after >= 0, "frozen-camera", "after", after, "0 seconds or more")
    return _by_wrapper(station, "frozen-camera", camera=camera, after=after)


def _exchanged_colours(station: Station, *, camera: str = "front") -> Station:
    _require_camera(station, "exchanged-colours", camera)
    return _by_wrapper(station, "exchanged-colours", camera=camera)


def _start_pose_shift(station: Station, *, joint: Joint | None = None, degrees: float = -30.0) -> Station:
    """Starts scattered anywhere; with a `joint`, that one alone off by `degrees` (gripper 0-100)."""
    if joint is None:
        return _with_robot(station, starts="scattered")
    return _by_wrapper(station, "start-pose-shift", joint=joint, degrees=degrees)


def _unit_mismatch(station: Station, *, unit: str = "-100..100") -> Station:
    _require(unit in FROM_DEGREES, "unit-mismatch", "unit", unit, f"one of {', '.join(FROM_DEGREES)}")
    return _by_wrapper(station, "unit-mismatch", unit=unit)


def _inverted_gripper(station: Station) -> Station:
    """Commanded and measured as 100 minus itself."""
    return _by_wrapper(station, "inverted-gripper")


def _calibration_offset(station: Station, *, joint: Joint = Joint(1), degrees: float = 12.0) -> Station:
    """A joint calibrated anew: its encoder reads `degrees` more than before, and a command arrives that much lower."""
    return _by_wrapper(station, "calibration-offset", joint=joint, degrees=degrees)


def _rate_mismatch(station: Station, *, times: float = 0.5) -> Station:
    """So many times the rate; an action then takes as many times less long."""
    fps = round(station.fps * times)
    _require(1 <= fps <= 200, "rate-mismatch", "times", times, "a rate of 1 to 200 Hz")
    return _with_robot(station, fps=fps).model_copy(update={"fps": fps})


def _changed_joint_order(station: Station, *, joint: Joint = Joint(1), other: Joint = Joint(2)) -> Station:
    """Two joints in each other's places."""
    return _by_wrapper(station, "changed-joint-order", joint=joint, other=other)


def _late_inference(station: Station, *, seconds: float = 0.5) -> Station:
    """A query of the policy takes so long, and the arm holds its last command meanwhile, as in LeRobot's loop."""
    _require(0 < seconds <= 60, "late-inference", "seconds", seconds, "above 0 and up to 60")
    return _by_wrapper(station, "late-inference", seconds=seconds)


def _weak_grasp(station: Station, *, gripper: float = 35.0) -> Station:
    """No command closes the gripper further than to this value, 0-100."""
    _require(0 <= gripper <= 100, "weak-grasp", "gripper", gripper, "0 to 100")
    return _by_wrapper(station, "weak-grasp", gripper=gripper)


def _heavy_object(station: Station, *, mass: float = 1.0) -> Station:
    """A toy of so many kilograms."""
    _require(mass > 0, f"{UNLISTED}heavy-object", "mass", mass, "more than 0 kg")
    return _with_conditions(station, toy_mass_kg=mass)


def _raised_table(station: Station, *, metres: float = 0.03) -> Station:
    """The toy and the marks around it so much higher, before an arm that stays where it is."""
    _require(0 <= metres <= 0.1, f"{UNLISTED}raised-table", "metres", metres, "0 to 0.1")
    return _with_conditions(station, board_m=metres)


def _slippery_jaws(station: Station, *, friction: float = 0.1) -> Station:
    """Sliding friction between jaws and toy, 1.2 in training."""
    _require(friction >= 0, f"{UNLISTED}slippery-jaws", "friction", friction, "0 or more")
    return _with_conditions(station, toy_friction=friction)


FAULTS: Mapping[str, Callable[..., Station]] = {
    "swapped-cameras": _swapped_cameras,
    "missing-camera": _missing_camera,
    "flipped-camera": _flipped_camera,
    "moved-camera": _moved_camera,
    "dark-camera": _dark_camera,
    "changed-light": _changed_light,
    "frozen-camera": _frozen_camera,
    "exchanged-colours": _exchanged_colours,
    "start-pose-shift": _start_pose_shift,
    "unit-mismatch": _unit_mismatch,
    "inverted-gripper": _inverted_gripper,
    "calibration-offset": _calibration_offset,
    "rate-mismatch": _rate_mismatch,
    "changed-joint-order": _changed_joint_order,
    "late-inference": _late_inference,
    "weak-grasp": _weak_grasp,
    f"{UNLISTED}heavy-object": _heavy_object,
    f"{UNLISTED}raised-table": _raised_table,
    f"{UNLISTED}slippery-jaws": _slippery_jaws,
}
"""Ways to set up the twin wrongly, by the name of the check that finds each; no check finds the `unlisted-` ones."""


def _by_wrapper(station: Station, name: str, **options: object) -> Station:
    return station.model_copy(update={"faults": (*station.faults, fault_text(name, options))})


def _with_robot(station: Station, **options: object) -> Station:
    return station.model_copy(update={"robot": {**station.robot, **options}})


def _with_appearance(station: Station, **looks: object) -> Station:
    return _with_robot(station, appearance={**(station.robot.get("appearance") or {}), **looks})


def _with_conditions(station: Station, **conditions: float) -> Station:
    return _with_robot(station, conditions={**(station.robot.get("conditions") or {}), **conditions})


def _require_camera(station: Station, fault: str, camera: str) -> None:
    names = station.camera_names
    _require(camera in names, fault, "camera", camera, f"one of {', '.join(names)}")


def _require(holds: bool, fault: str, option: str, value: object, expected: str) -> None:
    if not holds:
        raise _unusable(fault, option, value, expected)


def _unusable(fault: str, option: str, value: object, expected: str) -> UsageError:
    return UsageError(f"Found {option} '{value}' for fault '{fault}'; expected {expected}.")
