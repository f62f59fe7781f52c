"""The policy was trained too briefly.

## What it detects
A policy that cannot even answer the frames it was trained on, as they were demonstrated.

## Why it matters
A policy that has seen its data once or twice moves the right way and misses by centimetres. The training loss looks
low long before: most of it is the resting arm.

## How it decides
Only where rollouts fail more often than a well-trained policy's. The policy is asked about frames of the
demonstrations that it was trained on. Its error is the mean distance of its actions from the demonstrated ones, each
joint in its spread over the demonstrations. Beside it stands a look-up without pictures, which answers what another
demonstration did from the nearest joint state. An error of more than `max_share` of the look-up's is reported, with
the epochs that were trained (steps x batch / frames), and with the held-out curve where one was kept.

Epochs alone prove nothing. It is the cause when a later checkpoint of the same run answers those frames, and plans
otherwise for what the rollouts showed. Without one, it is suspected, and the command trains further.

## What can fool it
Wrong statistics in the normaliser, exchanged weights and defective data make the same errors; the first two are named
instead. Demonstrations that do the same thing in many ways cannot be answered closely by any policy.

## How to fix it
Roll out a later checkpoint, or train further: `regrasp train --resume RUN --steps N`.
"""

import shlex
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.judgement import judge
from regrasp.diagnosis.trained import LEARNED, often_fails

if TYPE_CHECKING:
    from regrasp.diagnosis.trained import Training

LONGER = 2
"""Times as many steps are proposed: error falls with their logarithm."""


@check(severity=Severity.ERROR)
def too_few_epochs(
    training: "Training", rollouts: Rollouts, *, max_share: float = LEARNED
) -> Iterator[Finding]:
    """The policy's answers about frames that it was trained on."""
    if not often_fails(rollouts):
        return
    answers = training.answers
    if not isfinite(answers.lookup_error):
        raise Undecided("one training episode alone does not tell how far off a look-up would be")
    limit = max_share * answers.lookup_error
    if answers.error <= limit:
        return
    epochs = training.contract.epochs
    evidence = [Evidence("error on training frames", round(answers.error, 3), round(limit, 3), "spreads")]
    if training.unseen_answers is not None:
        evidence.append(
            Evidence("on frames held out", round(training.unseen_answers.error, 3), None, "spreads")
        )
    if epochs is not None:
        evidence.append(Evidence("epochs", round(epochs, 2)))
    curve = "" if training.journal is None else f" {judge(training.journal).headline}"
    yield Finding(
        summary=f"Its answers about frames that it was trained on lie {answers.error:.2f} spreads from what was "
        f"demonstrated; a look-up without pictures is {answers.lookup_error:.2f} off.{curve}",
        where=Where(),
        evidence=tuple(evidence),
        fix=train_longer(training),
    )


def train_longer(training: "Training") -> Fix:
    """A run that can be gone on with is; else the policy is trained further from its checkpoint."""
    step, run = training.step, training.run
    if training.siblings_after and training.load is not None:
        return Fix("Roll out the last checkpoint of the run.")  # the experiment that asks it has the command
    if run is not None and step is not None and not training.siblings_after:
        name = shlex.quote(str(run))
        return Fix(
            f"Train to {LONGER * step} steps.",
            f"regrasp train --resume {name} --steps {LONGER * step} && "
            f"regrasp rollout {name} --station STATION",
        )
    epochs = training.contract.epochs or 5.0
    return Fix(
        "Train it further.",
        f"regrasp train TRAIN --policy CHECKPOINT --epochs {epochs:.3g} --out CHECKPOINT_longer && "
        "regrasp rollout CHECKPOINT_longer --station STATION",
    )
