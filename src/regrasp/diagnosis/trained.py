"""What is left of a training, for checks and experiments: data, journal, other checkpoints, answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.data.checkpoint import MODEL_FOLDER, Checkpoint
from regrasp.data.dataset import Dataset
from regrasp.data.journal import Journal, read_journal
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.observations import ProbedPolicy
from regrasp.diagnosis.rehearsal import Answers, Questions, questions

if TYPE_CHECKING:
    from regrasp.data.contract import Contract
    from regrasp.data.rollouts import Rollouts

SELDOM = 0.9
"""Rollouts whose rate may well be this or more fail seldom, and no cause is looked for in their training: a policy that
was trained as it should be succeeds in nine of ten on the simulated arm."""

LEARNED = 0.5
"""Share of the look-up's error that answers about learned frames stay below. On the simulated arm a policy that had seen
its frames once was at 0.68 and succeeded in 2 of 10 rollouts."""


class Loader(Protocol):
    """Loads a checkpoint, to be asked; with other statistics in its normaliser where some are given."""

    def __call__(
        self, path: Path, *, statistics: Mapping[str, Mapping[str, NDArray[Any]]] | None = None
    ) -> ProbedPolicy:
        """The policy in the folder `path`."""
        ...


@dataclass(frozen=True)
class Sibling:
    """Another checkpoint of the same run."""

    step: int
    path: Path


@dataclass(frozen=True, eq=False)
class Training:
    """A training that is over. `learned` and `held_out` are numbers of the dataset's episodes.

    `policy` is None where it cannot be asked, `load` where no other checkpoint can be loaded either.
    """

    dataset: Dataset
    contract: "Contract"
    learned: tuple[int, ...]
    held_out: tuple[int, ...] = ()
    checkpoint: Checkpoint | None = None
    journal: Journal | None = None
    siblings: tuple[Sibling, ...] = ()
    policy: ProbedPolicy | None = None
    load: Loader | None = None

    @property
    def step(self) -> int | None:
        """The checkpoint's own."""
        return self.checkpoint.step if self.checkpoint else self.contract.steps

    @property
    def run(self) -> Path | None:
        """The folder of the run that the checkpoint lies in; None where it lies by itself."""
        return None if self.checkpoint is None else run_of(self.checkpoint)

    @property
    def siblings_before(self) -> tuple[Sibling, ...]:
        """Checkpoints of fewer steps."""
        return tuple(one for one in self.siblings if self.step is not None and one.step < self.step)

    @property
    def siblings_after(self) -> tuple[Sibling, ...]:
        """Checkpoints of more steps."""
        return tuple(one for one in self.siblings if self.step is not None and one.step > self.step)

    @cached_property
    def on_learned(self) -> Questions:
        """Questions about episodes that it was trained on."""
        return questions(self.dataset, self.contract, self.learned)

    @cached_property
    def on_held_out(self) -> Questions | None:
        """Questions about episodes that it was not trained on; None without any."""
        if not self.held_out:
            return None
        return questions(self.dataset, self.contract, self.held_out, among=self.learned)

    @cached_property
    def answers(self) -> Answers:
        """The policy's answers about what it was trained on."""
        return self.on_learned.put_to(self._require_policy())

    @cached_property
    def unseen_answers(self) -> Answers | None:
        """Those about what it was not trained on; None without any."""
        asked = self.on_held_out
        return None if asked is None else asked.put_to(self._require_policy())

    def _require_policy(self) -> ProbedPolicy:
        if self.policy is None:
            raise Undecided("the policy could not be asked about its training frames")
        return self.policy


def read_training(
    checkpoint: Checkpoint,
    contract: "Contract",
    dataset: Dataset,
    policy: ProbedPolicy | None = None,
    load: Loader | None = None,
) -> Training:
    """What lies around a checkpoint; raises a CheckpointError for a journal that cannot be read."""
    run = run_of(checkpoint)
    learned, held_out = _parted(checkpoint, dataset)
    return Training(
        dataset=dataset,
        contract=contract,
        learned=learned,
        held_out=held_out,
        checkpoint=checkpoint,
        journal=None if run is None else read_journal(run),
        siblings=() if run is None else tuple(_siblings(run, checkpoint)),
        policy=policy,
        load=load,
    )


def run_of(checkpoint: Checkpoint) -> Path | None:
    """The run that a checkpoint lies in, as `RUN/checkpoints/STEP/pretrained_model`."""
    folder = checkpoint.path
    if folder.name != MODEL_FOLDER or folder.parent.parent.name != "checkpoints":
        return None
    return folder.parent.parent.parent


def learned_limit(answers: Answers) -> float:
    """The error from which on a policy has not learned the frames that it was asked about."""
    return LEARNED * answers.lookup_error


def often_fails(rollouts: "Rollouts") -> bool:
    """Whether the rollouts fail more often than a well-trained policy's; also where nobody has scored them."""
    from regrasp.stats import Rate

    rate = Rate.of(rollouts.successes)
    return rate.n == 0 or rate.wilson95[1] < SELDOM


def _siblings(run: Path, checkpoint: Checkpoint) -> list[Sibling]:
    """The other checkpoints of the run, in the order of their steps."""
    folders = [path for path in (run / "checkpoints").iterdir() if path.name.isdigit()]
    others = [path for path in folders if path.resolve() != checkpoint.path.resolve().parent]
    whole = [path for path in others if (path / MODEL_FOLDER / "config.json").is_file()]
    return sorted((Sibling(int(path.name), path) for path in whole), key=lambda one: one.step)


def _parted(checkpoint: Checkpoint, dataset: Dataset) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the episodes that were trained on, and of the others."""
    told = (checkpoint.train_config or {}).get("dataset") or {}
    numbers = [episode.index for episode in dataset.episodes]
    chosen = told.get("episodes") or numbers
    learned = [number for number in numbers if number in set(chosen)]
    learned = _without_last(learned, dataset, float(told.get("eval_split") or 0.0))
    return tuple(learned), tuple(number for number in numbers if number not in set(learned))


def _without_last(learned: list[int], dataset: Dataset, share: float) -> list[int]:
    """LeRobot's own way of holding out: the last episodes of each task (`make_train_eval_datasets`)."""
    if share == 0:
        return learned
    tasks: dict[str, list[int]] = {}
    for episode in dataset.episodes:
        if episode.index in set(learned):
            tasks.setdefault(episode.tasks[0] if episode.tasks else "", []).append(episode.index)
    return sorted(
        number for one in tasks.values() for number in one[: len(one) - math.ceil(len(one) * share)]
    )


def difference(before: Answers, after: Answers, *, draws: int = 2000) -> tuple[float, tuple[float, float]]:
    """How much less the errors are after than before: mean over episodes, with its 95 % interval.

    The same episodes were asked about; they are drawn again (Efron 1979), reproducibly.
    """
    from regrasp.stats.resampling import interval_of_mean

    gains = np.array([before.by_episode[one] - after.by_episode[one] for one in before.by_episode])
    return float(gains.mean()), interval_of_mean(gains, draws=draws)
