"""What came of a training, step by step: `training.json` and `training.csv` in the run's folder."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from regrasp.data.atomic import write_text
from regrasp.errors import CheckpointError

JOURNAL_FILE, TABLE_FILE = "training.json", "training.csv"


class Answers(BaseModel):
    """How far a policy's answers lie from demonstrations; None where nothing of the kind was asked.

    Attributes:
        action_error: Mean distance of the actions that would be carried out, over joints, in the dataset's units.
        gripper_error: Share of the steps around a closing or opening on which the gripper is on the wrong side.
        seam: Median over seams of the largest joint's jump from one chunk to the next.
        seam_demonstrated: The same of the demonstrations, at the same places.
        episodes: Number of the episode and its action error.
        queries: Observations that were asked about.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    action_error: float
    gripper_error: float | None = None
    seam: float | None = None
    seam_demonstrated: float | None = None
    episodes: dict[int, float] = Field(default_factory=dict[int, float])
    queries: int = 0


class Evaluation(BaseModel):
    """What a checkpoint answered about episodes it was not trained on, and about those it was.

    `shifted` is about the same frames as `training`, with each picture moved a little.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    step: int
    epoch: float
    held_out: Answers
    training: Answers | None = None
    shifted: Answers | None = None
    seconds: float = 0.0


class Journal(BaseModel):
    """A training as it goes. `arguments` are those that `lerobot-train` was given.

    `steps` are rows of what LeRobot logs (step, epoch, loss, grad_norm, lr and the policy's own). `augmentation` is
    camera -> preset -> strength, and `episode_weights` how often a frame of each episode is drawn, against one of weight
    1; empty where all are drawn alike. `chosen` are the episodes of the dataset that the run was given, those held out
    included; empty for all. `new_statistics` says that those of a checkpoint that is trained further were not kept. What
    is no finite number, as the loss of a training that diverges, is kept as such.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    version: int = 1
    dataset: str
    policy: str
    arguments: list[str]
    total_steps: int
    frames: int = Field(gt=0)
    held_out: list[int] = Field(default_factory=list[int])
    chosen: list[int] = Field(default_factory=list[int])
    new_statistics: bool = False
    plan: dict[str, Any] = Field(default_factory=dict[str, Any])
    augmentation: dict[str, dict[str, float]] = Field(default_factory=dict[str, dict[str, float]])
    episode_weights: list[float] = Field(default_factory=list[float])
    rounds: int | None = None
    steps: list[dict[str, float]] = Field(default_factory=list[dict[str, float]])
    evaluations: list[Evaluation] = Field(default_factory=list[Evaluation])
    resumed_at: list[int] = Field(default_factory=list[int])
    notes: list[str] = Field(default_factory=list[str])
    finished: bool = False

    @field_validator("steps")
    @classmethod
    def _have_a_step(cls, rows: list[dict[str, float]]) -> list[dict[str, float]]:
        if not all("step" in row for row in rows):
            raise ValueError("a row of steps does not tell its step")
        return rows

    def cut_after(self, step: int) -> None:
        """Forget what came after `step`: the run goes on from there."""
        self.steps = [row for row in self.steps if row["step"] <= step]
        self.evaluations = [one for one in self.evaluations if one.step <= step]

    @property
    def losses(self) -> tuple[tuple[int, float], ...]:
        """(step, training loss)."""
        return tuple((int(row["step"]), row["loss"]) for row in self.steps if "loss" in row)


def write_journal(out: Path, journal: Journal) -> None:
    """Write both files, each whole or not at all."""
    write_text(out / JOURNAL_FILE, journal.model_dump_json(indent=1) + "\n")
    write_text(out / TABLE_FILE, table(journal))


def read_journal(out: str | Path) -> Journal | None:
    """The journal of a run; None where there is none.

    Raises:
        CheckpointError: It cannot be read.
    """
    path = Path(out) / JOURNAL_FILE
    try:
        return Journal.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise CheckpointError(
            f"Found a {JOURNAL_FILE} in {out} that cannot be read ({first}); expected what Regrasp writes; delete it to "
            "go on without its curves."
        ) from error


def table(journal: Journal) -> str:
    """One row for each step that was logged or evaluated, as CSV; empty where nothing was measured."""
    rows: dict[int, dict[str, float | int | None]] = {}
    for logged in journal.steps:
        rows.setdefault(int(logged["step"]), {}).update(logged)
    for count, one in enumerate(journal.evaluations, start=1):
        told = figures(one) | overfitting(journal.evaluations[:count])
        rows.setdefault(one.step, {"epoch": one.epoch}).update(told)
    names = list(dict.fromkeys(["step", "epoch", "loss", *(name for row in rows.values() for name in row)]))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({**rows[step], "step": step} for step in sorted(rows))
    return written.getvalue()


def figures(one: Evaluation) -> dict[str, float]:
    """The numbers of one evaluation by name, such as `held_out_action_error`; those that are None left out."""
    named: dict[str, float] = {}
    asked = {"held_out": one.held_out, "training": one.training, "shifted": one.shifted}
    for name, answers in asked.items():
        if answers is not None:
            for key in ("action_error", "gripper_error", "seam", "seam_demonstrated"):
                value = getattr(answers, key)
                if value is not None and math.isfinite(value):
                    named[f"{name}_{key}"] = value
    return named


def overfitting(found: Sequence[Evaluation]) -> dict[str, float]:
    """What the last of these evaluations, in the order of their steps, says about learning by heart.

    `held_out_over_training` is how many times farther off held-out frames are answered than trained ones, and
    `held_out_rise` by what share their error has risen since it was least; whether that is sure, `judge` says.
    """
    *_, last = found
    error, least = last.held_out.action_error, min(one.held_out.action_error for one in found)
    told = {"held_out_rise": error / least - 1} if least > 0 and math.isfinite(error) else {}
    learned = last.training.action_error if last.training is not None else 0.0
    if learned > 0 and math.isfinite(error):
        told["held_out_over_training"] = error / learned
    return told
