"""Which checkpoint of a run was chosen, by what, and how sure that is: `selection.json`, and the link `best`.

```text
RUN/selection.json             the choice, with the counts behind it
RUN/selection/DIGEST.json      how the starts of one setting ended, as far as they were tried
RUN/checkpoints/best -> STEP   what every verb takes that is given RUN
```
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regrasp.data.atomic import write_text
from regrasp.data.checkpoint import BEST, LAST, MODEL_FOLDER, best_of
from regrasp.data.links import point, pointed
from regrasp.errors import CheckpointError

SELECTION_FILE, TRIALS_FOLDER = "selection.json", "selection"


class Tried(BaseModel):
    """One checkpoint that could have been chosen; None where there is no such figure.

    Attributes:
        step: Its step.
        successes: Of the starts that it was tried on.
        starts: How many these were.
        held_out_error: Its mean error on held-out episodes, in the dataset's units.
    """

    model_config = ConfigDict(frozen=True)

    step: int
    successes: int | None = None
    starts: int = 0
    held_out_error: float | None = None


class Against(BaseModel):
    """The chosen checkpoint against another one, on the starts that both were tried on.

    Attributes:
        step: The other one's step.
        only_chosen: Starts in which the chosen one alone succeeded.
        only_other: Starts in which the other one alone succeeded.
        starts: All of them.
        difference95: Interval of the chosen one's success rate minus the other one's.
        chance_better: Chance that the chosen one succeeds more often, both being alike beforehand.
    """

    model_config = ConfigDict(frozen=True)

    step: int
    only_chosen: int
    only_other: int
    starts: int
    difference95: tuple[float, float]
    chance_better: float


class Selection(BaseModel):
    """A choice. `settings` are those of the trials, and empty where held-out figures decided."""

    model_config = ConfigDict(frozen=True)

    version: int = 1
    by: Literal["closed-loop", "held-out"]
    step: int
    headline: str
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tried: tuple[Tried, ...]
    against_last: Against | None = None
    against_runner_up: Against | None = None
    settings: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def chosen(self) -> Tried:
        """The figures of the chosen checkpoint."""
        return next(one for one in self.tried if one.step == self.step)


class Trials(BaseModel):
    """How starts of one setting ended. `outcomes` is weights -> start -> whether it succeeded.

    Weights are named by their SHA-256, so that a checkpoint that was trained anew is tried anew.
    """

    settings: dict[str, Any]
    outcomes: dict[str, dict[int, bool]] = Field(default_factory=dict[str, dict[int, bool]])


def checkpoints_of(run: str | Path) -> dict[int, Path]:
    """Step -> folder of each checkpoint of a run that holds a policy, in their order.

    Raises:
        CheckpointError: There is none.
    """
    folders = [path for path in (Path(run) / "checkpoints").glob("[0-9]*") if path.name.isdigit()]
    whole = {int(path.name): path for path in folders if (path / MODEL_FOLDER / "config.json").is_file()}
    if not whole:
        raise CheckpointError(
            f"Found no checkpoints in {run}; expected a run with checkpoints/STEP/{MODEL_FOLDER}; try the folder that "
            "`regrasp train --out` named."
        )
    return dict(sorted(whole.items()))


def read_selection(run: str | Path) -> Selection | None:
    """The choice that `best` of a run stands for; None where nothing was chosen.

    Raises:
        CheckpointError: It cannot be read.
    """
    path = Path(run) / SELECTION_FILE
    try:
        return Selection.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        raise CheckpointError(
            f"Found a {SELECTION_FILE} in {run} that cannot be read; expected what Regrasp writes; delete it and choose "
            f"again with `regrasp select {quote(str(run))}`."
        ) from error


def keep_selection(run: Path, selection: Selection) -> Path:
    """Write the choice, then let `best` point at it; gives the link. Both change whole or not at all.

    Raises:
        CheckpointError: The run cannot be written.
    """
    checkpoints = run / "checkpoints"
    chosen = checkpoints_of(run)[selection.step]
    try:
        write_text(run / SELECTION_FILE, selection.model_dump_json(indent=1) + "\n")
        point(checkpoints / BEST, chosen)
    except OSError as error:
        raise _unwritable(run, error) from error
    return checkpoints / BEST


def forget_selection(run: Path) -> None:
    """Take `best` away, because the run gets checkpoints that were not compared; trials are kept."""
    (run / "checkpoints" / BEST).unlink(missing_ok=True)
    (run / SELECTION_FILE).unlink(missing_ok=True)


def trials_file(run: Path, settings: Mapping[str, Any]) -> Path:
    """Where the trials of these settings are noted."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    return run / TRIALS_FOLDER / f"{digest[:12]}.json"


def read_trials(run: Path, settings: Mapping[str, Any]) -> Trials:
    """The trials of these settings so far; none when they were never tried, or what was noted is damaged."""
    try:
        return Trials.model_validate_json(trials_file(run, settings).read_bytes())
    except (OSError, ValidationError):
        return Trials(settings=dict(settings))


def write_trials(run: Path, trials: Trials) -> None:
    """Note them, whole or not at all.

    Raises:
        CheckpointError: The run cannot be written.
    """
    try:
        write_text(trials_file(run, trials.settings), trials.model_dump_json() + "\n")
    except OSError as error:
        raise _unwritable(run, error) from error


def which_checkpoint(given: str | Path) -> str:
    """A line that says which checkpoint of a run is taken, and why; "" where one was named itself."""
    run = Path(given)
    run = run.parent if run.name == "checkpoints" else run
    checkpoints = run / "checkpoints"
    if not checkpoints.is_dir() or (run / "config.json").is_file():
        return ""
    best = best_of(checkpoints)
    if best is not None:
        return f"{run}: its best checkpoint is taken, step {_step(best)}{_why(run, _step(best))}"
    step = _step(pointed(checkpoints / LAST).resolve())
    gone = " (what `best` points at is gone)" if pointed(checkpoints / BEST) != checkpoints / BEST else ""
    return f"{run}: its last checkpoint is taken, step {step}; none was chosen{gone}"


def _why(run: Path, step: str) -> str:
    """What chose the step, where that is known."""
    with contextlib.suppress(CheckpointError):
        selection = read_selection(run)
        if selection is not None and str(selection.step) == step:
            return f", {selection.headline}"
    return ""


def _step(folder: Path) -> str:
    return str(int(folder.name)) if folder.name.isdigit() else "unknown"


def _unwritable(run: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"Could not write into {run} ({error.strerror}); expected the folder of a run on a disk with room. Put that "
        "right and run the same command again."
    )
