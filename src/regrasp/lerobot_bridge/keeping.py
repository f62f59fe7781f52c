"""What is kept of a training while LeRobot runs it: losses, contracts, answers about held-out episodes."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lerobot.utils.logging_utils import MetricsTracker

from regrasp.data.checkpoint import MODEL_FOLDER, Checkpoint, read_checkpoint
from regrasp.data.contract import Contract, read_contract, write_contract
from regrasp.data.contract_measuring import epochs_of, measure_contract, of_checkpoint
from regrasp.data.dataset import Dataset
from regrasp.data.journal import Journal, figures, overfitting, write_journal
from regrasp.diagnosis.judgement import judge
from regrasp.errors import RegraspError, first_line
from regrasp.lerobot_bridge.augmenting import AugmentedDataset, idle_transforms
from regrasp.lerobot_bridge.cached_dataset import CachedDataset
from regrasp.lerobot_bridge.frame_cache import Uncached
from regrasp.lerobot_bridge.normalising import (
    checkpoint_statistics,
    renamed_statistics,
    training_statistics,
)
from regrasp.lerobot_bridge.processes import is_first, keep_group
from regrasp.lerobot_bridge.questions import Examiner, asker
from regrasp.lerobot_bridge.resuming import ResumableSampler
from regrasp.lerobot_bridge.weighting import WeightedSampler
from regrasp.training.augmentation import described
from regrasp.training.renaming import described as described_names

EVERY_S = 10.0
"""The journal is written at each checkpoint, and in between this often."""


LEROBOT_LOADERS = 4
"""Processes that load samples, by LeRobot's default."""


def loaders() -> int:
    """Processes to load samples that are decoded one by one: none where they would take the training's own cores.

    Frames that are decoded already are read faster than another process can hand them over (docs/results.md).
    """
    return LEROBOT_LOADERS if torch.cuda.is_available() else 0


@dataclass
class Progress:
    """What training tells while it runs; each is called with (done, of all).

    Attributes:
        on_decode: Files of decoded frames that are whole: one for each camera and episode.
        on_step: Steps taken.
        on_note: What the user should know at once; called with one line.
    """

    on_decode: Callable[[int, int], None] = lambda _done, _all: None
    on_step: Callable[[int, int], None] = lambda _done, _all: None
    on_note: Callable[[str], None] = lambda _line: None


class _Rows(logging.Handler):
    """Takes the numbers from LeRobot's log: it logs its tracker itself, and keeps them nowhere else."""

    def __init__(self, on_row: Callable[[dict[str, float]], None]) -> None:
        super().__init__(logging.INFO)
        self._on_row = on_row

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, MetricsTracker):
            numbers = {name: float(value) for name, value in record.msg.to_dict().items()}
            step, epoch = numbers.pop("steps"), numbers.pop("epochs")
            self._on_row({"step": step, "epoch": epoch, **numbers})


@dataclass
class Keeper:
    """Stands beside one training.

    Attributes:
        run: The folder of the run.
        data: All episodes, those held out included.
        journal: What is noted.
        start: The checkpoint whose statistics are kept, when it is trained further.
        progress: Is told of decoding and of each step.
        taken: Steps that were taken before.
        cached: Whether frames are decoded once, into a cache, rather than for each sample.
        loaders_given: Whether the user has said how many processes load samples.
        on_begin: Called once, when LeRobot has taken all options and has the data.
    """

    run: Path
    data: Dataset
    journal: Journal
    start: Checkpoint | None = None
    progress: Progress = field(default_factory=Progress)
    taken: int = 0
    cached: bool = True
    loaders_given: bool = False
    on_begin: Callable[[], None] = lambda: None
    _augmented: AugmentedDataset | None = None
    _contract: Contract | None = None
    _examiner: Examiner | None = None
    _written: float = 0.0
    _saved: float = 0.0

    @property
    def began(self) -> bool:
        """Whether LeRobot has taken all options and has the data."""
        return self._saved > 0

    def make_datasets(self, make: Callable[[Any], tuple[Any, Any]], config: Any) -> tuple[Any, Any]:
        """LeRobot's datasets: their frames decoded once where they fit, with the right statistics."""
        keep_group()
        logging.getLogger().addHandler(_Rows(self._on_row))
        training, held_out = make(config)
        self.on_begin()
        if not config.resume:
            self._set_statistics(training, config)
        theirs = training
        if self.cached and not config.dataset.streaming:
            training = self._cached(training, config)
            held_out = None if held_out is None else self._cached(held_out, config)
        if not self.loaders_given:
            config.num_workers = loaders() if training is theirs else 0
        training = self._augment(training, config)
        self._saved = time.monotonic()
        self._write()
        return training, held_out

    def _cached(self, dataset: Any, config: Any) -> Any:
        """The dataset with its frames decoded once; as it is, with a note, where that cannot be."""
        try:
            return CachedDataset(
                dataset, video_backend=config.dataset.video_backend, on_decode=self.progress.on_decode
            )
        except Uncached as error:
            line = f"LeRobot decodes the frames of each sample: {error}."
            if (config.num_workers if self.loaders_given else loaders()) == 0:
                line += " Add `-- --num_workers=4` to do so in other processes."
            self.note(line)
            self.progress.on_note(line)
            return dataset

    def make_sampler(self, *arguments: Any, **options: Any) -> ResumableSampler:
        """LeRobot's sampler, by the weights of the parts where there are any; it tells the pictures where it is."""
        weights = self.journal.episode_weights
        sampler = (
            WeightedSampler(*arguments, episode_weights=weights, **options)
            if weights
            else ResumableSampler(*arguments, **options)
        )
        if self._augmented is not None:
            sampler.on_begin = self._augmented.begin
        return sampler

    def _augment(self, training: Any, config: Any) -> Any:
        """The same dataset, its pictures changed as they are handed out."""
        idle = idle_transforms(config.dataset.image_transforms)
        if idle:
            self.note(
                f"LeRobot's image transforms {', '.join(idle)} do nothing on the frames of videos; give --augment light, "
                "colour, blur or noise in their place."
            )
        if not self.journal.augmentation:
            return training
        self.note(f"Pictures were changed while training: {described(self.journal.augmentation)}.")
        self._augmented = AugmentedDataset(training, self.journal.augmentation, seed=config.seed or 0)
        return self._augmented

    def on_saved(self, folder: Path, parts: Mapping[str, Any]) -> None:
        """Add the contract to a checkpoint, and ask its policy about held-out episodes."""
        model = folder / MODEL_FOLDER
        try:
            contract = self._contract_of(read_checkpoint(model))
        except RegraspError as error:  # hours of training are worth more than their contract
            self.note(f"No contract was written beside the checkpoints: {error}")
            contract = None
        if contract is not None:
            write_contract(model, contract)
        if contract is not None and self.journal.held_out:
            self._examine(contract, parts)
        self._saved = time.monotonic()
        self._write()

    def finish(self) -> None:
        """All steps are taken."""
        self.journal.finished = True
        self._write()

    def _on_row(self, row: dict[str, float]) -> None:
        """Note one row; LeRobot counts epochs over the frames that are trained on, and the plan over all frames."""
        self.journal.steps.append({**row, "epoch": row["samples"] / self.journal.frames})
        if time.monotonic() - self._written > EVERY_S:
            self._write()

    def _write(self) -> None:
        """Both files; the first of several processes alone, which is the one that LeRobot logs and saves in."""
        if is_first():
            write_journal(self.run, self.journal)
        self._written = time.monotonic()

    def note(self, line: str) -> None:
        """Keep a sentence for whoever reads the journal; once."""
        if line not in self.journal.notes:
            self.journal.notes.append(line)

    def _set_statistics(self, training: Any, config: Any) -> None:
        """Those of the checkpoint that is trained further, else those of the episodes that are trained on."""
        meta, names = training.meta, config.rename_map or {}
        if any(old != new for old, new in names.items()):
            self.note(f"Cameras, as the policy calls them: {described_names(names)}. The contract keeps it.")
        if self.start is not None:
            kept = checkpoint_statistics(self.start, renamed_statistics(meta.stats, names))
            if kept is not None:
                meta.stats = kept
                self.note(
                    "Normalised with the checkpoint's statistics, as its weights were trained; --new-statistics takes "
                    "those of this dataset."
                )
                return
            self.note("Normalised with this dataset's statistics: the checkpoint has none of these joints.")
        elif config.policy.pretrained_path:
            self.note("Normalised with this dataset's statistics in place of the checkpoint's.")
        if self.journal.held_out:
            imagenet = set(meta.camera_keys) if config.dataset.use_imagenet_stats else set()
            fresh = training_statistics(meta.root, self.data, set(self.journal.held_out), meta.stats)
            for key in imagenet:
                fresh[key] |= {name: meta.stats[key][name] for name in ("mean", "std")}
            meta.stats = fresh
        meta.stats = renamed_statistics(meta.stats, names)

    def _contract_of(self, checkpoint: Checkpoint) -> Contract:
        """The contract of this checkpoint; what comes from the data is measured once."""
        if self._contract is None:
            self._contract = measure_contract(self.data, checkpoint)
        epochs = epochs_of(self._contract.frames, checkpoint)
        return self._contract.model_copy(
            update={"steps": checkpoint.step, "epochs": epochs, **of_checkpoint(checkpoint)}
        )

    def _examine(self, contract: Contract, parts: Mapping[str, Any]) -> None:
        """Ask about held-out and trained episodes; a policy that cannot be asked is noted, not an error."""
        step, policy = int(parts["step"]), parts["policy"]
        epoch = step * (contract.batch_size or 1) / max(1, self.journal.frames)
        try:
            if self._examiner is None:
                self._examiner = self._new_examiner(contract)
            ask = asker(policy, parts["preprocessor"], parts["postprocessor"])
            since = time.monotonic() - self._saved
            found = self._examiner.examine(ask, step=step, epoch=epoch, since_s=since)
        except (RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError, RegraspError,
                NotImplementedError) as error:  # fmt: skip
            policy.train()
            reason = first_line(error)
            self.note(f"The policy cannot be asked about held-out episodes: {type(error).__name__}: {reason}")
            return
        self.journal.rounds = self._examiner.rounds
        self.journal.evaluations.append(found)
        _tell_wandb(self.journal)

    def _new_examiner(self, contract: Contract) -> Examiner:
        return Examiner(
            self.data,
            self.journal.held_out,
            [camera.key for camera in contract.cameras],
            contract.n_action_steps or 1,
            self.journal.rounds,
        )

    def contract(self, checkpoint: Checkpoint) -> Contract:
        """The contract of a finished checkpoint; put beside it where there is none."""
        with contextlib.suppress(RegraspError):
            return read_contract(checkpoint.path)
        contract = self._contract_of(checkpoint)
        write_contract(checkpoint.path, contract)
        return contract


def close_wandb() -> None:
    """End the run that LeRobot has opened with Weights & Biases, so that its file is whole and can be gone on with."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish()


def _tell_wandb(journal: Journal) -> None:
    """Log the newest answers in the run that LeRobot has opened with Weights & Biases, and the verdict so far."""
    wandb = sys.modules.get("wandb")
    if wandb is None or wandb.run is None:
        return
    newest = journal.evaluations[-1]
    told = figures(newest) | overfitting(journal.evaluations)
    wandb.log({f"eval/{name}": value for name, value in told.items()}, step=newest.step)
    verdict = judge(journal)
    wandb.run.summary.update({"verdict": verdict.kind, "verdict_in_words": verdict.headline})
