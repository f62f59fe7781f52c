"""Rollouts fail where no demonstration showed the object.

## What it detects
Objects that lie in rollouts where the training never had them, while rollouts succeed where it had.

## Why it matters
A policy learns the places that it is shown. Trained in a square of two inches and tried in one of six, it reaches for
the nearest place that it knows. More epochs do not help.

## How it decides
Places are those that the rollouts' outcomes note (the twin does), in the training as noted, else where the hand
closed. A rollout lies outside when its object is farther from every training place than 99 in 100 training places are
from the next. Reported when failures lie farther from the training than successes by more than chance (`max_chance`,
Mann and Whitney's test, one-sided), and the success outside is lower. Only where rollouts fail more often than a
well-trained policy's.

Since nobody chose the places by how the rollout would end, the rollouts inside are the experiment: it is the cause
when these succeed. Where all lay outside there is nothing to compare, and it is suspected.

## What can fool it
Places at which something else differs too: the edge of the reach, a shadow, a camera's blind corner. With fewer than
five noted places it says nothing.

## How to fix it
`regrasp coverage DATASET` shows what is thin. Record there, merge, and train again; until then keep the object where
the training had it.
"""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.places import Placed, placed
from regrasp.diagnosis.trained import often_fails

if TYPE_CHECKING:
    from regrasp.diagnosis.trained import Training

MAX_CHANCE = 0.05

MORE_EPISODES = 50
"""What an SO-101 project recorded for a new scene."""


@check(severity=Severity.ERROR)
def uncovered_positions(
    training: "Training", rollouts: Rollouts, *, max_chance: float = MAX_CHANCE
) -> Iterator[Finding]:
    """The object's places in rollouts, against those of the training."""
    if not often_fails(rollouts):
        return
    found = placed(training.dataset, training.learned, rollouts)
    inside, outside = found.inside_rate, found.outside_rate
    if not outside.n or outside.k == outside.n:
        return
    if inside.n and (found.chance > max_chance or outside.value >= inside.value):
        return
    lost = found.outside & ~found.success
    yield Finding(
        summary=f"Where the training had the object, {inside} succeeded; elsewhere {outside}. {_where(found)}",
        where=Where(tuple(np.array(found.episodes)[lost].tolist())),
        evidence=(
            Evidence(
                "farthest failure from a training place",
                _cm(found.away_m[lost].max()),
                _cm(found.limit_m),
                "cm",
            ),
            Evidence("chance of such a difference", round(found.chance, 4), max_chance),
        ),
        fix=record_there(training, rollouts),
    )


def record_there(training: "Training", rollouts: Rollouts) -> Fix:
    """Record where the rollouts were, merge, train, and roll out again."""
    dataset = training.dataset
    words = ["regrasp", "record", "--station", "STATION", "--episodes", str(MORE_EPISODES)]
    words += ["--task", next(iter(training.contract.instructions), rollouts.task), "--dataset", "TRAIN_more"]
    if training.contract.is_twin:
        words += ["--expert", "--area", rollouts.deployment.options.get("area") or "6in"]
        sizes = [camera.height for camera in training.contract.cameras if camera.height]
        words += ["--size", str(sizes[0])] if sizes else []
    steps = [
        shlex.join(words),
        "regrasp merge TRAIN TRAIN_more --into TRAIN_wider --yes",
        f"regrasp train TRAIN_wider --policy {training.contract.policy_type} --out CHECKPOINT_wider",
        "regrasp rollout CHECKPOINT_wider --station STATION",
    ]
    return Fix(
        f"Record {MORE_EPISODES} episodes there (`regrasp coverage {shlex.quote(str(dataset.path))}` says where), merge, "
        "and train.",
        " && ".join(steps),
    )


def _where(found: Placed) -> str:
    lost = found.places[found.outside & ~found.success]
    (x_low, y_low), (x_high, y_high) = 100 * lost.min(axis=0), 100 * lost.max(axis=0)
    return f"The failures there lay at x {x_low:.0f} to {x_high:.0f} cm, y {y_low:.0f} to {y_high:.0f} cm."


def _cm(metres: float) -> float:
    return round(100 * float(metres), 2)
