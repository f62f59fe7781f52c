"""The twin plugged wrongly on purpose: a station with one of the faults that preflight knows."""

from collections.abc import Callable, Mapping

from regrasp.data.station import Station
from regrasp.errors import UsageError

MOVED_M = (0.05, 0.04, 0.0)
"""How far `moved-camera` shifts the front camera: 6.4 cm across the table."""

LIGHT = 0.0
"""Lamp and surroundings of `dark-camera`, 1 in the training room."""


def mis_set_station(station: Station, fault: str) -> Station:
    """The twin's station with a fault, named after the check that finds it.

    What the robot's options can express is set there; the rest is left in `faults`, for the driver's wrapper.

    Raises:
        UsageError: No such fault, or a real station.
    """
    if station.robot_type != "so101_twin":
        raise UsageError(
            f"--fault is for the twin; station '{station.name}' is a {station.robot_type}. Leave it out."
        )
    if fault not in FAULTS:
        raise UsageError(f"No fault named '{fault}'; expected one of {', '.join(FAULTS)}.")
    return FAULTS[fault](station)


def _swapped_cameras(station: Station) -> Station:
    """The last camera's picture under the first's name, and so on round."""
    names = station.camera_names
    return station.with_cameras_permuted(dict(zip(names, (names[-1:] + names[:-1]), strict=True)))


def _missing_camera(station: Station) -> Station:
    return _with_robot(station, cameras=dict(list(station.cameras.items())[:-1]))


def _moved_camera(station: Station) -> Station:
    return _with_appearance(station, front_shift_m=list(MOVED_M))


def _dark_camera(station: Station) -> Station:
    return _with_appearance(station, light=LIGHT)


def _start_pose_shift(station: Station) -> Station:
    return _with_robot(station, starts="scattered")


def _rate_mismatch(station: Station) -> Station:
    """Half the rate; an action then takes twice as long."""
    fps = station.fps // 2
    return _with_robot(station, fps=fps).model_copy(update={"fps": fps})


def _by_wrapper(fault: str) -> Callable[[Station], Station]:
    return lambda station: station.model_copy(update={"faults": (*station.faults, fault)})


FAULTS: Mapping[str, Callable[[Station], Station]] = {
    "swapped-cameras": _swapped_cameras,
    "missing-camera": _missing_camera,
    "flipped-camera": _by_wrapper("flipped-camera"),
    "moved-camera": _moved_camera,
    "dark-camera": _dark_camera,
    "start-pose-shift": _start_pose_shift,
    "unit-mismatch": _by_wrapper("unit-mismatch"),
    "rate-mismatch": _rate_mismatch,
    "changed-joint-order": _by_wrapper("changed-joint-order"),
}
"""Ways to set up the twin wrongly, by the name of the check that finds each."""


def _with_robot(station: Station, **options: object) -> Station:
    return station.model_copy(update={"robot": {**station.robot, **options}})


def _with_appearance(station: Station, **looks: object) -> Station:
    return _with_robot(station, appearance={**(station.robot.get("appearance") or {}), **looks})
