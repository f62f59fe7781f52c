"""Rollouts on the twin that a diagnosis asks for, by the options that a person would give."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from regrasp.cli.twin_options import station_with
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.station import Station
from regrasp.diagnosis.confirm import Trial
from regrasp.errors import UsageError

FLAGS = frozenset({"no-handover", "handover", "no-home", "home"})
VALUES = frozenset(
    {"task", "area", "twin-task", "size", "starts", "cameras", "fault", "n-action-steps", "seconds", "seed"}
)
"""Options of `regrasp rollout` that change what happens from a given start."""


def trial_on_twin(checkpoint: str | Path, station: str) -> Trial:
    """Runs the checkpoint on the twin; pictures are drawn only when the policy looks, and nothing is recorded.

    Raises:
        UsageError: The station is a real one, which a person must run.
    """
    _require_twin(station_with(station))
    found = read_checkpoint(checkpoint)
    from regrasp.cli.instruction import the_instruction
    from regrasp.lerobot_bridge.scoring import score

    def run(options: Mapping[str, str], starts: Sequence[int]) -> Sequence[bool]:
        chosen = station_of(station, options)
        outcomes = score(
            found.path,
            chosen,
            task=the_instruction(found.contract, options.get("task") or chosen.task),
            starts=starts,
            seed=int(options.get("seed", 0)),
            n_action_steps=int(options["n-action-steps"]) if options.get("n-action-steps") else None,
            seconds=float(options["seconds"]) if options.get("seconds") else None,
            handover="no-handover" not in options or "handover" in options,
            home="home" in options,
            workers=1,  # another process takes longer to load LeRobot than to run sixty starts
        )
        return [bool(outcome.success) for outcome in outcomes]

    return run


def station_of(name: str, options: Mapping[str, str]) -> Station:
    """The station as `regrasp rollout` would set it up under these options.

    Raises:
        UsageError: An option is none of those that can be repeated.
    """
    for option in options:
        if option not in FLAGS | VALUES:
            raise UsageError(
                f"Found --{option} among what puts the run right; expected one of "
                f"{', '.join(sorted(FLAGS | VALUES))}. Run the printed command by hand."
            )
    return station_with(
        name,
        area=options.get("area") or None,
        task=options.get("twin-task") or None,
        size=int(options["size"]) if options.get("size") else None,
        starts=options.get("starts") or None,
        cameras=options.get("cameras") or None,
        fault=options.get("fault") or None,
    )


def _require_twin(station: Station) -> None:
    if not station.is_twin:
        raise UsageError(
            f"--confirm runs the twin by itself; station '{station.name}' is a {station.robot_type}. Run the printed "
            "command, then `regrasp compare` both rollouts."
        )
