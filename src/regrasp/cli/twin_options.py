"""Options of the twin that can be given on the command line instead of in a station file."""

from pathlib import Path
from typing import Any

from regrasp.data.fault_text import fault_name
from regrasp.data.station import TWIN, Station, TwinOptions, load_station, parse_permutation
from regrasp.errors import DatasetError, MissingExtra, UsageError


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
    if changes and not station.is_twin:
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


def station_of(run: Path, name_or_path: str, given: TwinOptions) -> Station:
    """The station on which the policy of a run is tried, set up as `options_of` says.

    Raises:
        UsageError: An option of the twin is given for a real station.
    """
    return station_with(name_or_path, **vars(options_of(run, name_or_path, given)))


def options_of(run: Path, name_or_path: str, given: TwinOptions) -> TwinOptions:
    """The options that are given; those of the built-in twin that are not, as when it recorded the data of the run.

    Where there is no simulation those that are given are all.
    """
    try:
        known = recorded_with(run) if name_or_path == TWIN else TwinOptions()
    except MissingExtra:
        return given
    return TwinOptions(
        area=given.area or known.area,
        task=given.task or known.task,
        size=given.size or known.size,
        starts=given.starts or known.starts,
    )


def recorded_with(run: Path) -> TwinOptions:
    """The twin's options when the demonstrations of this run were recorded; none of those of another arm.

    Raises:
        MissingExtra: The simulation is not installed, or has no OpenGL to draw with.
    """
    from regrasp.data.checkpoint import read_checkpoint

    contract = read_checkpoint(run).contract
    if contract is None or not contract.is_twin:
        return TwinOptions()
    from regrasp.data.journal import read_journal
    from regrasp.data.rollouts import read_outcomes
    from regrasp.sim.as_recorded import as_recorded

    journal = read_journal(run)
    if journal is None:
        return as_recorded(contract, ())
    try:
        outcomes, _ = read_outcomes(journal.dataset) or ((), None)
    except DatasetError:
        outcomes = ()
    learned = [one for one in outcomes if not journal.chosen or one.episode in journal.chosen]
    return as_recorded(contract, learned)


def require_known_options(station: Station) -> None:
    """Raise a UsageError where the twin has no such area, task or starts; for a verb that tries it only in the end.

    Raises:
        MissingExtra: The simulation is not installed, or has no OpenGL to draw with.
    """
    if not station.is_twin:
        return
    from regrasp.sim.environment import TwinConfig

    TwinConfig(**{name: station.robot[name] for name in ("task", "area", "starts") if name in station.robot})
