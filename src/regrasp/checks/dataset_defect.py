"""The policy was trained on demonstrations with a defect that the audit finds.

## What it detects
What `regrasp audit` calls an error in the training data, behind a policy that fails: exchanged cameras in a third of
the episodes, an inverted gripper, numbers that are none, commands that lag.

## Why it matters
A policy learns defects with the rest. One that saw its cameras exchanged in some episodes plans for either, and
nothing in the rollouts shows why.

## How it decides
Only where rollouts fail more often than a well-trained policy's. The checks that call something an error are run on
the demonstrations that were learned; those that look at pictures, on so many episodes, evenly spread, as have at most
`most_pixels` pixels together. The finding names the audit's check. Where some episodes are sound, the policy is asked
about frames of both kinds: it has learned the defect as it stands when it answers the defective ones about as
closely.

Whether the defect is the cause shows after training without it only, so it is suspected, and the command is that
experiment.

## What can fool it
A defect that is harmless for this task. A defect in a few episodes, which are outvoted. What the audit's check can be
fooled by. Defects of pictures in the episodes that were not looked at.

## How to fix it
`regrasp fix DATASET --into NEW NAME` puts it right or leaves the episodes out; then train again.
"""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from regrasp.data.dataset import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.runner import checks_reading, load_check, run_checks
from regrasp.diagnosis.signals import once_per_dataset
from regrasp.diagnosis.trained import often_fails

if TYPE_CHECKING:
    from regrasp.diagnosis.trained import Training

MOST_PIXELS = 5e8
"""Decoding so many took 4 s of one core for each check that looks at whole videos (AV1, 96 x 96)."""

ABOUT_FILES = ("missing-video", "wrong-counts", "stale-statistics")
"""Errors of the files around the data: LeRobot refuses to train on them, or trains as if they were right."""


@check(severity=Severity.ERROR)
def dataset_defect(
    training: "Training", rollouts: Rollouts, *, most_pixels: float = MOST_PIXELS
) -> Iterator[Finding]:
    """Errors of the audit in the demonstrations that were learned."""
    if not often_fails(rollouts):
        return
    learned = _episodes(training.dataset, set(training.learned))
    tables = replace(
        learned, episodes=tuple(replace(one, cameras={}) for one in learned.episodes), camera_names=()
    )
    seen = _affordable(learned, most_pixels)
    errors = {found.check: found for data in (tables, seen) for found in _errors(data)}
    for name, found in errors.items():
        yield replace(
            found,
            check="",
            summary=f"The training data have what `regrasp audit` calls {name}: {found.summary}",
            evidence=(*found.evidence, *_learned(training, found)),
            fix=_train_without(training, found),
        )


@once_per_dataset
def _errors(dataset: Dataset) -> list[Finding]:
    """What the audit's checks call an error."""
    names = [
        name
        for name in checks_reading({"dataset"})
        if name not in ABOUT_FILES
        and any(one.severity is Severity.ERROR and one.inputs == ("dataset",) for one in load_check(name))
    ]
    found = run_checks({"dataset": dataset}, only=names).findings
    return [finding for finding in found if finding.severity is Severity.ERROR]


def _affordable(dataset: Dataset, most_pixels: float) -> Dataset:
    """As many episodes, evenly spread, as have so many pixels together."""
    sizes = [
        sum(camera.length * camera.height * camera.width for camera in episode.cameras.values())
        for episode in dataset.episodes
    ]
    share = min(1.0, most_pixels / max(sum(sizes), 1))
    count = max(1, int(share * len(sizes)))
    places = np.unique(np.linspace(0, len(sizes) - 1, count).round().astype(int))
    return _episodes(dataset, {dataset.episodes[place].index for place in places})


def _episodes(dataset: Dataset, numbers: set[int]) -> Dataset:
    kept = tuple(one for one in dataset.episodes if one.index in numbers)
    return dataset if len(kept) == len(dataset.episodes) else replace(dataset, episodes=kept, declared=None)


def _learned(training: "Training", found: Finding) -> Iterator[Evidence]:
    """The policy's error on frames of the defective episodes, and of the others."""
    try:
        answers = training.answers
    except Undecided:
        return
    defective, sound = (
        answers.within([one for one in answers.by_episode if (one in found.where.episodes) is kind])
        for kind in (True, False)
    )
    for what, some in (("its error on the defective episodes", defective), ("on the others", sound)):
        if found.where.episodes and len(some.of):
            yield Evidence(what, round(some.error, 3), None, "spreads")


def _train_without(training: "Training", found: Finding) -> Fix:
    summary = f"{found.fix.summary} Then train again."
    if found.fix.repair is None:
        return Fix(summary)
    steps = [
        shlex.join(["regrasp", "fix", "TRAIN", "--into", "TRAIN_fixed", found.check, "--yes"]),
        f"regrasp train TRAIN_fixed --policy {training.contract.policy_type} --out CHECKPOINT_retrained",
        "regrasp rollout CHECKPOINT_retrained --station STATION",
    ]
    return Fix(summary, " && ".join(steps))
