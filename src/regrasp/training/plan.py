"""How long to train, with which chunks, and why: every number of a plan with its reason.

An epoch is the dataset's frames once: steps x batch x processes / frames.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from regrasp.data.dataset import Dataset, read_dataset
from regrasp.errors import UsageError
from regrasp.training.chunks import Chunks, choose_chunks
from regrasp.training.command import train_command
from regrasp.training.held_out import NEEDED, choose_held_out, held_out_count
from regrasp.training.knobs import knobs_of
from regrasp.training.learning_rate import LearningRate, choose_learning_rate
from regrasp.training.length import MOST_EPOCHS, length_warnings, usual_epochs
from regrasp.training.mixing import PartShare, part_shares
from regrasp.training.policies import BASES, Kind
from regrasp.training.reasons import Reason
from regrasp.training.target import Target
from regrasp.training.vqbet import CODE_BOOK, code_book_steps, one_camera

FEWEST_CHECKPOINTS = 3
"""Success differs by tens of points from one checkpoint to the next (ACT: 20, 72, 62 % at 6, 8 and 10 thousand steps)."""


@dataclass(frozen=True)
class Trial:
    """What a short training on this machine took. `memory_gb` is that of the GPU where there is one.

    `latency_ms` is the time of one query of the policy.
    """

    seconds_per_step: float
    memory_gb: float | None
    checkpoint_gb: float
    latency_ms: float
    device: str
    steps: int


@dataclass(frozen=True)
class Plan:
    """A training in numbers.

    `options` are those of `lerobot-train` that say what its presets do not, and `command` carries the plan out: RUN, and
    with several nodes RANK and ADDRESS, are to be filled in. It holds no episodes out by number; `regrasp.train` can.
    """

    dataset: str
    policy: str
    frames: int
    episodes: int
    fps: float
    batch: int
    gpus: int
    nodes: int
    steps: int
    steps_per_epoch: float
    epochs: float
    passes: float
    held_out: tuple[int, ...]
    save_every: int
    rate: float | None
    warmup: int | None
    decay: int | None
    chunk_size: int | None
    n_action_steps: int | None
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]
    knobs: tuple[tuple[str, str], ...]
    options: tuple[str, ...] = ()
    trial: Trial | None = None
    parts: tuple[PartShare, ...] = ()
    command: str = ""

    @property
    def effective_batch(self) -> int:
        """Samples a step of all GPUs together."""
        return self.batch * self.gpus * self.nodes

    @property
    def hours(self) -> float | None:
        """Expected time of the training; None where nothing was measured."""
        return None if self.trial is None else self.steps * self.trial.seconds_per_step / 3600

    def to_json(self) -> dict[str, Any]:
        """As the design lays it down, and what else is known."""
        return {
            "dataset": self.dataset,
            "policy": self.policy,
            "frames": self.frames,
            "episodes": self.episodes,
            "steps": self.steps,
            "batch": self.batch,
            "gpus": self.gpus,
            "nodes": self.nodes,
            "effective_batch": self.effective_batch,
            "steps_per_epoch": round(self.steps_per_epoch, 2),
            "epochs": round(self.epochs, 2),
            "passes": round(self.passes, 2),
            "held_out": list(self.held_out),
            "learning_rate": self.rate,
            "warmup_steps": self.warmup,
            "decay_steps": self.decay,
            "chunk_size": self.chunk_size,
            "n_action_steps": self.n_action_steps,
            "save_every": self.save_every,
            "hours": None if self.hours is None else round(self.hours, 3),
            "memory_gb": self.trial and self.trial.memory_gb,
            "reasons": [
                {"what": one.what, "value": one.value, "unit": one.unit, "why": one.why}
                for one in self.reasons
            ],
            "warnings": list(self.warnings),
            "knobs": [{"knob": knob, "changes": text} for knob, text in self.knobs],
            "options": list(self.options),
            "command": self.command,
            "parts": [one.to_json() for one in self.parts],
        }


def plan(
    dataset: Dataset | str | Path,
    *,
    policy: str = "act",
    batch: int | None = None,
    gpus: int = 1,
    nodes: int = 1,
    epochs: float | None = None,
    steps: int | None = None,
    latency_ms: float | None = None,
    hold_out: int | Sequence[int] | None = None,
    trial: Trial | None = None,
) -> Plan:
    """The plan of a training on `dataset`.

    Args:
        dataset: Demonstrations.
        policy: A type that LeRobot knows, or a checkpoint to go on from.
        batch: Samples per step on each GPU.
        gpus: GPUs of each node; a process for each trains together with the others.
        nodes: Machines that train together.
        epochs: Times that all frames are shown; or give `steps`.
        steps: Steps to take.
        latency_ms: From a picture to the policy's answer; that of `trial` where it is not given.
        hold_out: How many episodes not to train on, or which.
        trial: A measured trial.

    Raises:
        UsageError: A number makes no sense, or both steps and epochs are given.
    """
    data = dataset if isinstance(dataset, Dataset) else read_dataset(dataset, video=False)
    given = {"batch": batch, "gpus": gpus, "nodes": nodes, "epochs": epochs, "steps": steps}
    _require_sense(data, given, latency_ms)
    if latency_ms is None and trial is not None:
        latency_ms = round(trial.latency_ms, 1)
    asked = {"batch": batch, "epochs": epochs, "steps": steps, "latency_ms": latency_ms}
    named = (
        dataset if isinstance(dataset, str) and not Path(dataset).exists() else data.path
    )  # an id on the Hub
    command = train_command(
        named,
        policy,
        gpus=gpus,
        nodes=nodes,
        **asked,
        hold_out=hold_out if isinstance(hold_out, int) else None,
    )
    target = Target.of(policy)
    draft = _Draft(data, target, trial=trial)
    draft.say_data(hold_out)
    draft.say_length(batch or 0, gpus, nodes, epochs, steps)
    draft.say_beginning()
    draft.say_parts()
    draft.say_learning_rate()
    draft.say_checkpoints()
    draft.say_chunks(latency_ms)
    draft.say_vqbet()
    draft.say_cost()
    return draft.plan(latency_ms, command)


def epochs_of(steps: int, batch: int, frames: int, *, gpus: int = 1) -> float:
    """How often each frame is shown; `gpus` are all that train together.

    Example:
        >>> f"{epochs_of(50_000, 32, 100_832):.2f} {epochs_of(20_000, 32, 100_832):.2f}"
        '15.87 6.35'
    """
    return steps * batch * gpus / frames


def _require_sense(data: Dataset, given: dict[str, float | None], latency_ms: float | None) -> None:
    """Refuse numbers that no training can have."""
    if not data.frames:
        raise UsageError(f"Found no frames in {data.path}; expected demonstrations. Record some first.")
    for name, value in given.items():
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise UsageError(f"--{name} is {value:g}; expected more than 0.")
    if given["steps"] and given["epochs"]:
        raise UsageError("Found both --steps and --epochs; expected one of them: the other follows from it.")
    if latency_ms is not None and not (latency_ms >= 0 and math.isfinite(latency_ms)):
        raise UsageError(f"--latency-ms is {latency_ms:g}; expected 0 or more.")


@dataclass
class _Draft:
    """A plan in the making."""

    data: Dataset
    target: Target
    trial: Trial | None = None
    reasons: list[Reason] = field(default_factory=list[Reason])
    warnings: list[str] = field(default_factory=list[str])
    options: list[str] = field(default_factory=list[str])
    held_out: tuple[int, ...] = ()
    batch: int = 0
    gpus: int = 1
    nodes: int = 1
    steps: int = 0
    save_every: int = 0
    rate: LearningRate = field(default_factory=LearningRate)
    chunks: Chunks = field(default_factory=Chunks)
    parts: tuple[PartShare, ...] = ()

    @property
    def kind(self) -> Kind:
        """The type of the policy."""
        return self.target.kind

    @property
    def frames(self) -> int:
        """Frames of all episodes."""
        return self.data.frames

    @property
    def processes(self) -> int:
        """GPUs of all nodes."""
        return self.gpus * self.nodes

    @property
    def samples(self) -> int:
        """Samples a step of all of them."""
        return self.batch * self.processes

    @property
    def per_epoch(self) -> float:
        """Steps in which all frames are shown once."""
        return self.frames / self.samples

    @property
    def epochs(self) -> float:
        """Epochs of the whole training."""
        return epochs_of(self.steps, self.batch, self.frames, gpus=self.processes)

    @property
    def trained_frames(self) -> int:
        """Frames of the episodes that are trained on."""
        return sum(e.length for e in self.data.episodes if e.index not in set(self.held_out))

    def say(self, what: str, value: float | str | None, why: str, unit: str = "") -> None:
        """Note one number and its reason."""
        self.reasons.append(Reason(what, value, why, unit))

    def say_data(self, hold_out: int | Sequence[int] | None) -> None:
        """Frames, and the episodes that are held out."""
        lengths = [episode.length for episode in self.data.episodes]
        middle = float(np.median(lengths))
        self.say(
            "frames",
            self.frames,
            f"{len(lengths)} episodes at {self.data.fps:g} fps, usually {middle / self.data.fps:.1f} s long",
        )
        self.held_out = self._held_out(hold_out)
        count = len(self.held_out)
        if count:
            why = (
                "spread over where the arm starts and grasps; no statistics and no gradients come from them: "
                + ", ".join(map(str, self.held_out))
            )
        elif hold_out is None:
            why = f"of {len(lengths)} episodes every one is needed; {NEEDED} are enough to spare some"
        else:
            why = "none, as asked: whether the policy learns by heart will not be known"
        self.say("held out", count, why, "episodes")

    def _held_out(self, wanted: int | Sequence[int] | None) -> tuple[int, ...]:
        numbers = {episode.index for episode in self.data.episodes}
        if wanted is None:
            wanted = held_out_count(len(numbers))
        if not isinstance(wanted, int):
            strange = sorted(set(wanted) - numbers)
            if strange:
                raise UsageError(f"--hold-out names episode {strange[0]}; {self.data.name} has no such one.")
            wanted_count, chosen = len(set(wanted)), tuple(sorted(set(wanted)))
        else:
            wanted_count, chosen = wanted, None
        if not 0 <= wanted_count < len(numbers):
            raise UsageError(
                f"--hold-out is {wanted_count} of {len(numbers)} episodes; expected 0 to {len(numbers) - 1}, so that "
                "some are left to learn from."
            )
        return choose_held_out(self.data, wanted_count) if chosen is None else chosen

    def say_length(self, batch: int, gpus: int, nodes: int, epochs: float | None, steps: int | None) -> None:
        """Batch, steps per epoch, steps, epochs."""
        kind = self.kind
        self.batch, self.gpus, self.nodes = batch or kind.batch, gpus, nodes
        self.say("batch", self.batch, "as asked" if batch else kind.batch_why, "samples a step")
        if self.processes > 1:
            who = (
                f"{gpus} GPUs"
                if nodes == 1
                else f"{nodes} nodes with {gpus} GPU{'s' if gpus > 1 else ''} each"
            )
            self.say(
                "effective batch",
                self.samples,
                f"{who} show {self.batch} samples per GPU; LeRobot scales neither steps nor learning rate, so both are "
                "planned for it here",
                "samples a step",
            )
        self.say(
            "steps per epoch",
            round(self.per_epoch, 1),
            f"{self.frames} frames / {self.samples} samples a step",
        )
        usual, usual_why = usual_epochs(kind, self.frames, scratch=self.target.scratch)
        target, why = (epochs, "as asked") if epochs else (usual, usual_why)
        whole = round if epochs or usual == kind.epochs else math.ceil
        self.steps = steps or max(1, whole(target * self.per_epoch))
        times = f"{self.batch} x {self.processes}" if self.processes > 1 else f"{self.batch}"
        self.say(
            "steps",
            self.steps,
            "as asked" if steps else f"{target:g} epochs x {self.per_epoch:.1f} steps per epoch",
        )
        sums = f"{self.steps} x {times} / {self.frames}"
        self.say("epochs", round(self.epochs, 2), sums if steps else f"{why}; {sums}")
        self._say_passes()
        self.warnings += length_warnings(
            kind, self.frames, self.steps, self.samples, scratch=self.target.scratch
        )

    def _say_passes(self) -> None:
        if self.held_out:
            self.say(
                "passes",
                round(self.epochs * self.frames / self.trained_frames, 2),
                f"how often each of the {self.trained_frames} frames that are trained on is shown",
            )

    def say_parts(self) -> None:
        """What share of the samples each part of a merged dataset gets, and how often its frames are shown."""
        self.parts = part_shares(self.data, self.held_out, self.steps * self.samples)
        for part in self.parts:
            self.say(
                f"from {part.name}",
                f"{part.share:.1%}",
                f"weight {part.weight:g}: {part.frames} frames of {part.episodes} episodes, each shown {part.passes:.2f} "
                "times",
            )
        often = [part for part in self.parts if part.passes > MOST_EPOCHS >= self.epochs]
        for part in often:
            self.warnings.append(
                f"Each frame of {part.name} will be shown {part.passes:.1f} times, which is many. Merge with less weight "
                "for it, give fewer --epochs, or record more of it."
            )

    def say_beginning(self) -> None:
        """Warn of a policy that is meant to be fine-tuned and would begin with random weights."""
        base = BASES.get(self.kind.name)
        if self.target.scratch and base:
            self.warnings.append(
                f"--policy {self.kind.name} alone begins with random weights, and demonstrations of one task are too few "
                f"for a model of that size. --policy {base} fine-tunes what was pretrained."
            )

    def say_learning_rate(self) -> None:
        """Its peak, warm-up and decay."""
        self.rate = choose_learning_rate(self.kind, self.steps, self.processes)
        self.reasons += self.rate.reasons
        self.options += self.rate.options

    def say_chunks(self, latency_ms: float | None) -> None:
        """How many actions are predicted and carried out at once."""
        self.chunks = choose_chunks(self.data, self.kind, self.target.checkpoint, latency_ms)
        self.reasons += self.chunks.reasons
        self.warnings += self.chunks.warnings

    def say_checkpoints(self) -> None:
        """At least one per epoch, and some to choose from; as far apart as the last one is from the one before it."""
        most = max(1, min(math.floor(self.per_epoch), self.steps // FEWEST_CHECKPOINTS))
        self.save_every = math.ceil(self.steps / math.ceil(self.steps / most))
        count = math.ceil(self.steps / self.save_every)
        short = self.steps // FEWEST_CHECKPOINTS < math.floor(self.per_epoch)
        why = f"{FEWEST_CHECKPOINTS} at least, to choose from" if short else "one per epoch"
        self.say("checkpoints", count, f"{why}: every {self.save_every} steps")

    def say_vqbet(self) -> None:
        """The steps in which VQ-BeT learns its code book, and the one camera that it looks through."""
        if self.kind.name != "vqbet":
            return
        first = code_book_steps(self.steps)
        if first < CODE_BOOK:
            self.options.append(f"--policy.n_vqvae_training_steps={first}")
            why = f"a fifth of the run; LeRobot's preset of {CODE_BOOK} would leave the policy itself few or none"
            self.say("code book", first, why, "steps")
        if len(self.data.camera_names) > 1 and self.target.checkpoint is None:
            camera = self.data.camera_names[0]
            self.options.append(f"--policy.input_features={json.dumps(one_camera(self.data, camera))}")
            self.say("camera", camera, "vqbet looks through one; this is the first")

    def say_cost(self) -> None:
        """Time and memory, measured or unknown."""
        trial = self.trial
        if trial is None:
            for what in ("time", "memory"):
                self.say(what, None, "unknown until a short trial has measured it: --measure")
            return
        hours = self.steps * trial.seconds_per_step / 3600
        measured = f"{trial.seconds_per_step * 1000:.0f} ms a step, measured over {trial.steps} steps on {trial.device}"
        self.say("time", round(hours, 2), f"{measured}; without decoding and evaluation", "hours")
        self.say("memory", trial.memory_gb, "most at once in that trial", "GB")
        self.say(
            "latency", round(trial.latency_ms), f"one query with one observation on {trial.device}", "ms"
        )
        count = math.ceil(self.steps / self.save_every)
        self.say(
            "disk",
            round(count * trial.checkpoint_gb, 2),
            f"{count} checkpoints of {1000 * trial.checkpoint_gb:.0f} MB",
            "GB",
        )

    def plan(self, latency_ms: float | None, command: str) -> Plan:
        """The finished plan, once everything has been said."""
        made = Plan(
            dataset=self.data.name,
            policy=self.kind.name,
            frames=self.frames,
            episodes=len(self.data.episodes),
            fps=self.data.fps,
            batch=self.batch,
            gpus=self.gpus,
            nodes=self.nodes,
            steps=self.steps,
            steps_per_epoch=self.per_epoch,
            epochs=self.epochs,
            passes=self.epochs * self.frames / self.trained_frames,
            held_out=self.held_out,
            save_every=self.save_every,
            rate=self.rate.peak,
            warmup=self.rate.warmup,
            decay=self.rate.decay,
            chunk_size=self.chunks.size,
            n_action_steps=self.chunks.execute,
            reasons=tuple(self.reasons),
            warnings=tuple(self.warnings),
            knobs=(),
            options=(*self.options, *self.chunks.options),
            trial=self.trial,
            parts=self.parts,
            command=command,
        )
        return replace(made, knobs=knobs_of(made, latency_ms, looks=bool(self.data.camera_names)))
