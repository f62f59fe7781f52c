"""Options of the twin that can be given on the command line instead of in a station file."""

from typing import Any

from regrasp.data.fault_text import fault_name
from regrasp.data.station import Station, load_station, parse_permutation
from regrasp.errors import UsageError


def station_with(
    name_or_path: str,
    *,
    area: str | None = None,
    task: str | None = None,
    size: int | None = None,
    starts: str | None = None,
    cameras: str | None = None,
    fault: str | None = None,
) -> Station:
    """The station, with the twin's options changed, and its cameras permuted as `front=wrist,wrist=front`.

    A `fault`, or several (see `faults.mis_set_station`), is put in first, so that the other options can put it
    right: where `starts` is given, no start pose is shifted.

    Raises:
        UsageError: An option of the twin is given for a real station, or a fault that does not exist.
    """
    station = _with_faults(load_station(name_or_path), fault)
    given = {"area": area, "task": task, "starts": starts}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if size is not None:
        changes["cameras"] = {
            name: {**camera, "width": size, "height": size} for name, camera in station.cameras.items()
        }
    if changes and station.robot_type != "so101_twin":
        raise UsageError(
            f"--{next(iter(changes))} is for the twin; station '{station.name}' is a {station.robot_type}. Leave it out."
        )
    if changes:
        station = station.model_copy(update={"robot": {**station.robot, **changes}})
    if starts is not None:
        kept = tuple(one for one in station.faults if fault_name(one) != "start-pose-shift")
        station = station.model_copy(update={"faults": kept})
    return station.with_cameras_permuted(parse_permutation(cameras)) if cameras else station


def _with_faults(station: Station, faults: str | None) -> Station:
    if faults is None:
        return station
    from regrasp.faults.mis_set_station import mis_set_station

    return mis_set_station(station, faults)
