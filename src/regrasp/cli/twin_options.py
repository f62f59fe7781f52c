"""Options of the twin that can be given on the command line instead of in a station file."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regrasp.data.fault_text import fault_name
from regrasp.data.station import TWIN, Station, TwinOptions, load_station, parse_permutation
from regrasp.errors import DatasetError, UsageError


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


def station_of(
    run: Path,
    name_or_path: str,
    *,
    area: str | None = None,
    task: str | None = None,
    size: int | None = None,
    starts: str | None = None,
) -> Station:
    """As `station_with`; what is not given of the built-in twin is as when the demonstrations of a run were recorded.

    Raises:
        UsageError: An option of the twin is given for a real station.
        CheckpointError: There is no checkpoint in `run`.
    """
    known = recorded_with(run) if name_or_path == TWIN else TwinOptions()
    return station_with(
        name_or_path,
        area=area or known.area,
        task=task or known.task,
        size=size or known.size,
        starts=starts or known.starts,
    )


def recorded_with(run: Path) -> TwinOptions:
    """The twin's options when the demonstrations of this run were recorded.

    None are known of demonstrations of another arm, and where the simulation is not installed.

    Raises:
        CheckpointError: There is no checkpoint in `run`.
    """
    from regrasp.data.checkpoint import read_checkpoint

    contract = read_checkpoint(run).contract
    if contract is None or not contract.is_twin or find_spec("mujoco") is None:
        return TwinOptions()
    from regrasp.data.journal import read_journal
    from regrasp.data.rollouts import read_outcomes
    from regrasp.sim.as_recorded import as_recorded

    journal = read_journal(run)
    try:
        noted = None if journal is None else read_outcomes(journal.dataset)
    except DatasetError:
        noted = None
    return as_recorded(contract, () if noted is None else noted[0])


def typed(options: TwinOptions) -> str:
    """These options as they are typed, those that are the usual ones left out; with a space before each."""
    given = {"area": options.area, "twin-task": options.task, "size": options.size, "starts": options.starts}
    usual = {"area": "2in", "twin-task": "grab-brain", "size": 96, "starts": "home"}
    return "".join(f" --{name} {value}" for name, value in given.items() if value not in (None, usual[name]))
