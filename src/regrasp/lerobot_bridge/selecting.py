"""Chooses the checkpoint of a run that is kept: by trying them on the twin, else by what held-out episodes told."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from regrasp.data.checkpoint import Checkpoint, read_checkpoint
from regrasp.data.journal import read_journal
from regrasp.data.robot_fit import misfits
from regrasp.data.rollouts import Outcome
from regrasp.data.selection import (
    Selection,
    Trials,
    checkpoints_of,
    keep_selection,
    read_trials,
    write_trials,
)
from regrasp.data.station import Station
from regrasp.errors import CheckpointError, UsageError
from regrasp.fan_out import Each, fan_out
from regrasp.lerobot_bridge.driving import Run
from regrasp.lerobot_bridge.scoring import AT_ONCE, Share, score_share, scored_run
from regrasp.training.selection import by_held_out, by_trials, held_out_errors, most_trials

Advance = Callable[[int, int, str], None]
"""Is told how many trials are done, how many there are at most, and a word about it."""

MOST_ON_A_GPU = 4
"""Processes that try a policy on one graphics card: each holds the policy, and what CUDA needs, in its memory."""


def usual_workers() -> int:
    """Processes that try checkpoints side by side: one a core, fewer on a graphics card."""
    cores = os.cpu_count() or 1
    return min(cores, MOST_ON_A_GPU) if torch.cuda.is_available() else cores


def select(
    run: str | Path,
    station: Station | None = None,
    *,
    task: str = "",
    starts: int = 60,
    seed: int = 0,
    n_action_steps: int | None = None,
    handover: bool = True,
    home: bool = False,
    workers: int = 1,
    ray: bool = False,
    advance: Advance = lambda _done, _total, _note: None,
) -> Selection:
    """Choose among the checkpoints of a run, and let `best` point at the chosen one.

    On the twin they are tried on the same starts (`training.selection`). Where no station is given, where it is a real
    one that only a person can run, or where no checkpoint ever succeeds, held-out errors decide, with a warning. What was
    tried is kept, and another call goes on with it.

    Args:
        run: Folder of the run.
        station: Where to try them; held-out errors decide when left out.
        task: The instruction that the policies are given.
        starts: How many starts the finalists meet.
        seed: Of the starts, as in `rollout`.
        n_action_steps: Actions executed per query; each policy's own number when left out.
        handover: As in `rollout`.
        home: As in `rollout`.
        workers: Processes that run side by side.
        ray: Run on a Ray cluster instead.
        advance: Is told of each few trials.

    Raises:
        CheckpointError: There is no checkpoint, one cannot be loaded, or nothing tells them apart.
        MissingExtra: `ray` is wanted and not installed.
    """
    if starts < 1:
        raise UsageError(f"--episodes is {starts}; expected 1 or more.")
    run = Path(run)
    found = {step: read_checkpoint(folder) for step, folder in checkpoints_of(run).items()}
    reason = _untriable(found, station)
    if station is None or reason:
        return _keep(run, _by_held_out(run, found, reason))
    runs = {
        step: scored_run(one.path, station, task, seed, n_action_steps, handover=handover, home=home)
        for step, one in found.items()
    }
    settings = _settings(runs[min(runs)])
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()  # what a training in this process has left is needed by those that try
    with fan_out(workers, ray=ray) as each:
        tries = _Tries(run, runs, _names(found), settings, each, most_trials(len(runs), starts), advance)
        journal = read_journal(run)
        chosen = by_trials(
            list(runs),
            starts,
            tries,
            settings=settings,
            where=station.name,
            held_out=held_out_errors(journal),
        )
    if chosen is None:
        tried = (
            f"No checkpoint succeeded in any of its starts on {station.name}, so these tell nothing apart."
        )
        chosen = _by_held_out(run, found, tried)
    return _keep(run, chosen)


def _keep(run: Path, chosen: Selection) -> Selection:
    keep_selection(run, chosen)
    return chosen


def _untriable(found: Mapping[int, Checkpoint], station: Station | None) -> str:
    """Why the checkpoints cannot be tried on this station; "" where they can."""
    if station is None:
        return ""
    if not station.is_twin:
        return (
            f"Station '{station.name}' is a {station.robot_type}, which only a person can run: roll out some checkpoints "
            "with `regrasp rollout`, and `regrasp compare` them."
        )
    last = found[max(found)]
    if last.contract is not None and last.contract.robot_type and not last.contract.is_twin:
        return (
            f"The policy was trained on a {last.contract.robot_type}, of which the simulated arm tells nothing: roll out "
            "some checkpoints on its own station with `regrasp rollout`, and `regrasp compare` them."
        )
    return next(iter(misfits(last.contract or last, station)), "")


def _by_held_out(run: Path, found: Mapping[int, Checkpoint], reason: str) -> Selection:
    """The choice by held-out errors, with the reason why nothing better decided.

    Raises:
        CheckpointError: There are no such errors.
    """
    journal = read_journal(run)
    chosen = None if journal is None else by_held_out(journal, list(found))
    if chosen is None:
        raise CheckpointError(
            f"{reason} Found too few held-out figures in {run} to choose by; expected three held-out episodes or more "
            "(`regrasp train --hold-out`). The last checkpoint stays in use.".strip()
        )
    return chosen.model_copy(update={"warnings": (*([reason] if reason else []), *chosen.warnings)})


def _names(found: Mapping[int, Checkpoint]) -> dict[int, str]:
    """What makes each checkpoint act as it does, as one hash."""
    names: dict[int, str] = {}
    for step, one in found.items():
        parts = [f"{name} {digest}" for name, digest in sorted(one.file_hashes.items())]
        names[step] = hashlib.sha256("\n".join([*parts, one.normalisation_digest]).encode()).hexdigest()
    return names


def _settings(run: Run) -> dict[str, Any]:
    """What the outcome of a start depends on, apart from the policy."""
    return {
        "station": run.station.name,
        "robot": run.station.robot,
        "fps": run.station.fps,
        "faults": list(run.station.faults),
        "task": run.task,
        "seed": run.seed,
        "n_action_steps": run.n_action_steps,
        "handover": run.handover,
        "home": run.home,
    }


class _Tries:
    """Tries checkpoints on starts that they have not met, and notes each few outcomes."""

    def __init__(
        self,
        folder: Path,
        runs: Mapping[int, Run],
        names: Mapping[int, str],
        settings: Mapping[str, Any],
        each: Each,
        total: int,
        advance: Advance,
    ) -> None:
        self._folder, self._runs, self._names = folder, runs, names
        self._trials = read_trials(folder, settings)
        self._each, self._total, self._advance = each, total, advance

    def __call__(self, wanted: Mapping[int, int]) -> Mapping[int, Sequence[bool]]:
        """Step -> whether each of the starts 0, 1, ... succeeded, of each step as many as are wanted."""
        steps, shares = self._missing(wanted)
        for step, share, outcomes in zip(steps, shares, self._each(score_share, shares), strict=True):
            self._note(step, share, outcomes)
        return {step: [self._of(step)[start] for start in range(met)] for step, met in wanted.items()}

    def _of(self, step: int) -> dict[int, bool]:
        return self._trials.outcomes.setdefault(self._names[step], {})

    def _missing(self, wanted: Mapping[int, int]) -> tuple[list[int], list[Share]]:
        """Steps and starts that are still to be tried, the first starts of every step first."""
        steps: list[int] = []
        shares: list[Share] = []
        for first in range(0, max(wanted.values()), AT_ONCE):
            for step, met in wanted.items():
                starts = [one for one in range(first, min(first + AT_ONCE, met)) if one not in self._of(step)]
                if starts:
                    steps.append(step)
                    shares.append(Share(self._runs[step], tuple(starts)))
        return steps, shares

    def _note(self, step: int, share: Share, outcomes: Sequence[Outcome]) -> None:
        for start, outcome in zip(share.starts, outcomes, strict=True):
            self._of(step)[start] = bool(outcome.success)
        write_trials(self._folder, Trials(settings=self._trials.settings, outcomes=self._trials.outcomes))
        done = sum(map(len, self._trials.outcomes.values()))
        rate = self._of(step)
        self._advance(min(done, self._total), self._total, f"step {step}: {sum(rate.values())}/{len(rate)}")
