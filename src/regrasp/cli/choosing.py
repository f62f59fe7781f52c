"""How `regrasp train` and `regrasp select` choose among the checkpoints of a run, and how they tell it."""

import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from regrasp.data.station import TWIN, Station, TwinOptions

if TYPE_CHECKING:
    from regrasp.data.contract import Contract
    from regrasp.data.selection import Selection

HELD_OUT, NONE = "held-out", "none"
"""Values of `--select-on` besides a station."""


@dataclass(frozen=True)
class Wanted:
    """What a training was told of the choice at its end, as it was typed."""

    select_on: str | None
    area: str | None
    ray: bool

    @property
    def judge(self) -> str | None:
        """Who chooses: a station, `HELD_OUT` or `NONE`; None where it was left open."""
        return self.select_on or (TWIN if self.area is not None or self.ray else None)

    def where(self, run: Path) -> tuple[str, TwinOptions]:
        """The station on which the policy is rolled out next, and its options."""
        from regrasp.cli.twin_options import options_of

        station = TWIN if self.judge in (None, HELD_OUT, NONE) else self.judge
        return station, options_of(run, station, TwinOptions(area=self.area))

    def words(self) -> str:
        """The options, with a space before them."""
        typed = ["--select-on", self.select_on] if self.select_on else []
        typed += ["--area", self.area] if self.area else []
        typed += ["--ray"] if self.ray else []
        return "".join(f" {word}" for word in map(quote, typed))

    def require_possible(self) -> None:
        """Say what is wrong with it before the training.

        Raises:
            UsageError: Options do not go together, or the station is none or is set up as none can be.
            MissingExtra: Ray or the simulation is wanted and not installed.
        """
        from regrasp.errors import UsageError

        if self.judge in (HELD_OUT, NONE):
            if self.area is not None or self.ray:
                option = "--ray" if self.ray else "--area"
                raise UsageError(
                    f"Found {option} with --select-on {self.judge}; expected it with --select-on twin, where checkpoints "
                    "are tried."
                )
        elif self.judge is not None:
            from regrasp.cli.twin_options import require_known_options, station_with
            from regrasp.fan_out import require_ray

            if self.ray:
                require_ray()
            require_known_options(station_with(self.judge, area=self.area))


def choose_at_the_end(run: Path, wanted: Wanted) -> "Selection | None":
    """The checkpoint to keep of a run that was trained; None, with the reason on stderr, where nothing tells them apart.

    A choice in closed loop stays unless another one is asked for: a training that went on has taken it away.
    """
    from regrasp.cli.twin_options import station_of
    from regrasp.data.selection import read_selection
    from regrasp.errors import MissingExtra, RegraspError

    judge = wanted.judge
    if judge == NONE:
        return None
    try:
        before = read_selection(run)
        if judge in (None, HELD_OUT) and before is not None and before.by == "closed-loop":
            return before
        if judge is None:
            try:
                return choose(run, _usual_station(run))
            except MissingExtra as error:
                print(f"not tried on the twin: {error}", file=sys.stderr)
        station = None if judge in (None, HELD_OUT) else station_of(run, judge, TwinOptions(area=wanted.area))
        return choose(run, station, ray=wanted.ray)
    except KeyboardInterrupt:
        print(
            f"trained; go on choosing with: regrasp train --resume {quote(str(run))}{wanted.words()}",
            file=sys.stderr,
        )
        raise
    except RegraspError as error:
        print(f"no checkpoint was chosen: {error}", file=sys.stderr)
        return None


def _usual_station(run: Path) -> Station | None:
    """The twin as it recorded the demonstrations of a run; None, and why on stderr, where it cannot judge them.

    Raises:
        MissingExtra: The simulation is not installed, or has no OpenGL to draw with.
    """
    from regrasp.cli.twin_options import recorded_with, station_with
    from regrasp.data.checkpoint import read_checkpoint

    contract = read_checkpoint(run).contract
    if contract is None or not contract.is_twin:
        return None
    known = recorded_with(run)
    station = station_with(TWIN, **vars(known))
    reason = _unlike(contract, known, station)
    if reason:
        print(
            f"not tried on the twin: {reason}; `regrasp select {quote(str(run))}` does so in its usual set-up",
            file=sys.stderr,
        )
    return None if reason else station


def _unlike(contract: "Contract", known: TwinOptions, station: Station) -> str:
    """Why the twin cannot be set up as it was when it recorded; "" where it can."""
    if known.task is None:
        told = ", ".join(f"'{one}'" for one in contract.instructions)
        return f"{told} is not the instruction of one of its tasks"
    if known.area is None:
        return "the data do not say where the object lay"
    if known.size is None:
        return "its pictures are squares of one size, those of the data are not"
    if contract.fps != station.fps:
        return f"it runs at {station.fps:g} Hz, the data at {contract.fps:g}"
    return ""


def choose(
    run: Path,
    station: Station | None,
    *,
    task: str | None = None,
    workers: int | None = None,
    ray: bool = False,
    **settings: Any,
) -> "Selection":
    """The choice, made on the station where it is the twin, else by held-out errors; progress on stderr.

    Raises:
        CheckpointError: There is no checkpoint, or nothing tells them apart.
    """
    from regrasp.cli.instruction import the_instruction
    from regrasp.cli.progress import progress
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.selection import checkpoints_of
    from regrasp.fan_out import require_ray
    from regrasp.lerobot_bridge.quiet import prepare_environment

    folders = checkpoints_of(run)
    if ray:
        require_ray()
    instruction = ""
    if station is not None and station.is_twin:
        last = read_checkpoint(folders[max(folders)])
        instruction = the_instruction(last.contract, task or station.task)
    prepare_environment()
    from regrasp.lerobot_bridge.selecting import select, usual_workers

    with progress("trying") as advance:
        return select(
            run,
            station,
            task=instruction,
            workers=workers or usual_workers(),
            ray=ray,
            advance=advance,
            **settings,
        )


def next_rollout(run: Path, chosen: "Selection | None", station: str, options: TwinOptions) -> str:
    """The command that rolls the run out, on starts that have not chosen it; a real arm's policy on its own station."""
    from regrasp.data.checkpoint import read_checkpoint

    contract = read_checkpoint(run).contract
    real = contract is not None and contract.robot_type is not None and not contract.is_twin
    where = "station.yaml" if real and station == TWIN else quote(station) + _typed(station, options)
    seed = 0 if chosen is None or chosen.by != "closed-loop" else int(chosen.settings.get("seed", 0)) + 1
    fresh = f" --seed {seed}" if seed else ""
    return f"regrasp rollout {quote(str(run))} --station {where}{fresh} --episodes 20 --out NEW"


def _typed(station: str, options: TwinOptions) -> str:
    """The options as they are typed, with a space before each; without those that the built-in twin has anyway."""
    given = {"area": options.area, "twin-task": options.task, "size": options.size, "starts": options.starts}
    usual = {"area": "2in", "twin-task": "grab-brain", "size": 96, "starts": "home"}
    return "".join(
        f" --{name} {quote(str(value))}"
        for name, value in given.items()
        if value is not None and (station != TWIN or value != usual[name])
    )


def write_page(run: Path, chosen: "Selection | None") -> Path | None:
    """The page of the training, with the choice on it; None for a run without a journal."""
    from regrasp.data.journal import read_journal
    from regrasp.report.training_page import write_training_page

    journal = read_journal(run)
    return journal and write_training_page(journal, run / "training.html", chosen)


def told_json(run: Path, chosen: "Selection") -> dict[str, Any]:
    """The choice as plain values."""
    from regrasp.data.checkpoint import BEST, MODEL_FOLDER
    from regrasp.data.links import pointed
    from regrasp.stats import Rate

    best = run / "checkpoints" / BEST

    def rate(successes: int | None, starts: int) -> dict[str, object] | None:
        return None if successes is None else Rate(successes, starts).to_json()

    told = chosen.model_dump(mode="json", include={"by", "step", "headline", "lines", "warnings", "settings"})
    pairs = {name: one and one.model_dump(mode="json") for name, one in
             (("against_last", chosen.against_last), ("against_runner_up", chosen.against_runner_up))}  # fmt: skip
    return {
        "run": str(run),
        "checkpoint": str((best if best.is_dir() else pointed(best)) / MODEL_FOLDER),
        **told,
        "success": rate(chosen.chosen.successes, chosen.chosen.starts),
        **pairs,
        "tried": [
            {
                "step": one.step,
                "success": rate(one.successes, one.starts),
                "held_out_error": one.held_out_error,
            }
            for one in chosen.tried
        ],
    }


def print_selection(run: Path, chosen: "Selection") -> None:
    """The choice for a person: which, how sure, against what."""
    from regrasp.data.checkpoint import BEST

    print(f"best: step {chosen.step}, {chosen.headline}")
    for line in (*chosen.lines, *(f"warning: {text}" for text in chosen.warnings)):
        print(f"  {line}")
    for one in chosen.tried:
        print(f"  {one.step:>8}  {_figures(one.successes, one.starts, one.held_out_error)}")
    print(f"{run / 'checkpoints' / BEST} points at it, and {run} stands for it from now on")


def _figures(successes: int | None, starts: int, held_out_error: float | None) -> str:
    from regrasp.stats import Rate

    parts = [] if successes is None else [f"{Rate(successes, starts)}"]
    parts += [] if held_out_error is None else [f"held-out error {held_out_error:.3g}"]
    return ", ".join(parts)
