"""The policy learned its demonstrations by heart.

## What it detects
Answers that are good on the frames that were trained on and bad on others of the same task.

## Why it matters
A policy that knows its demonstrations by heart does in a new place what was done in an old one. In the project that
Regrasp comes from, 15.87 epochs did worse than 6.35. The number alone says little: with many demonstrations and a
small policy, more epochs do no harm.

## How it decides
Only where rollouts fail more often than a well-trained policy's, and only from episodes that were held out of the
training. The policy is asked about frames of both kinds (see `regrasp explain too-few-epochs`). Reported when it
answers trained frames (error below half of the look-up's), and held-out ones at least `least_ratio` times worse, in
the interval over episodes too; with the held-out curve where one was kept.

It is the cause when an earlier checkpoint of the same run answers the held-out frames as well as a policy should, and
plans otherwise for what the rollouts showed. Held-out error foretells success poorly: roll both out.

## What can fool it
Episodes held out because they were odd. Few demonstrations in a wide area: held-out places are then uncovered places,
and it is more demonstrations that help, not fewer epochs.

## How to fix it
Roll out an earlier checkpoint, or train with fewer epochs; more demonstrations help most.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.judgement import judge
from regrasp.diagnosis.trained import learned_limit, often_fails

if TYPE_CHECKING:
    from regrasp.diagnosis.rehearsal import Answers
    from regrasp.diagnosis.trained import Training

LEAST_RATIO = 2.0
"""Of the errors on held-out and on trained frames. On the simulated arm, a policy that succeeds is at 1.1 to 1.3."""

FEWEST_EPISODES = 3
"""Of each kind; with fewer there is no interval."""

SHORTER = 0.4
"""Share of the epochs that is proposed: 6.35 of 15.87."""


@check(severity=Severity.ERROR)
def too_many_epochs(
    training: "Training", rollouts: Rollouts, *, least_ratio: float = LEAST_RATIO
) -> Iterator[Finding]:
    """Answers about held-out frames, against those about trained ones."""
    if not often_fails(rollouts):
        return
    answers, unseen = training.answers, training.unseen_answers
    if unseen is None or min(len(answers.by_episode), len(unseen.by_episode)) < FEWEST_EPISODES:
        raise Undecided(
            f"needs {FEWEST_EPISODES} episodes that were held out of the training; `regrasp train --hold-out 3` does"
        )
    ratio, low = ratio_of(unseen, answers)
    if answers.error > learned_limit(answers) or low < least_ratio:
        return
    epochs = training.contract.epochs
    evidence = [
        Evidence("held-out over trained error", round(ratio, 2), least_ratio),
        Evidence("at least", round(low, 2), least_ratio),
    ]
    if epochs is not None:
        evidence.append(Evidence("epochs", round(epochs, 2)))
    curve = "" if training.journal is None else f" {judge(training.journal).headline}"
    yield Finding(
        summary=f"Frames held out of the training are answered {ratio:.1f} times as far off as those that it was "
        f"trained on ({unseen.error:.2f} against {answers.error:.2f} spreads).{curve}",
        where=Where(),
        evidence=tuple(evidence),
        fix=train_shorter(training),
    )


def ratio_of(one: "Answers", other: "Answers", *, draws: int = 2000) -> tuple[float, float]:
    """Ratio of the mean errors of two sets of episodes, and the low end of its 95 % interval over episodes."""
    from regrasp.stats.resampling import resampled_means

    ones, others = resampled_means(
        *(list(answers.by_episode.values()) for answers in (one, other)), draws=draws
    )
    low = float(np.quantile(ones / np.maximum(others, 1e-9), 0.025))
    return one.error / max(other.error, 1e-9), low


def train_shorter(training: "Training") -> Fix:
    """An earlier checkpoint, where one can be asked; else anew, with fewer epochs."""
    if training.siblings_before and training.load is not None:
        return Fix("Roll out an earlier checkpoint of the run.")  # the experiment chooses it
    epochs = SHORTER * (training.contract.epochs or 10.0)
    return Fix(
        f"Train with {epochs:.3g} epochs.",
        f"regrasp train TRAIN --policy {training.contract.policy_type} --epochs {epochs:.3g} "
        "--out CHECKPOINT_shorter && regrasp rollout CHECKPOINT_shorter --station STATION",
    )
