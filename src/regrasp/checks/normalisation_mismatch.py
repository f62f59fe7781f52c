"""The policy normalises with other numbers than it was trained with.

## What it detects
A normaliser whose statistics changed since the contract was written, are those of other data, differ between the way
in and the way out, hold NaN or infinity, or are missing although the policy needs them.

## Why it matters
A policy sees joints only as so many deviations from a mean, and its answer is turned back the same way. With another
mean, the arm goes to the right pose of another task. Without statistics, LeRobot 0.6.1 passes the raw numbers on
without a word, and the arm hardly moves or wobbles (issues 821, 1763, 4415). `lerobot-train --policy.path` replaces
the statistics by those of the new data; `--resume` keeps the old ones.

## How it decides
*Against the contract.* The digest of all statistics must be the same; the joint and the statistic that differ most
are named.

*Against the data.* Means and deviations of the joints must be those of the data that the contract was measured from:
within `max_shift` deviations, and within a factor of `max_ratio`. This tells statistics of other data even where the
contract was made later. `regrasp diagnose` has the data at hand, and looks at the commands too, more closely: within
`TRAINED_SHIFT` deviations and a factor of `TRAINED_RATIO`.

*In itself.* All finite; the same on both sides; there for each kind of feature that config.json wants normalised.

*Whether it is the cause.* `regrasp diagnose` asks the policy again with the rightful statistics in its own
processors. It is the cause when its answers about frames of its own training come back to what was demonstrated, and
its plans for what the rollouts showed move.

## What can fool it
A policy that was trained in two parts (`--resume` on a dataset that had grown) keeps the first statistics, and
rightly: override the check by name.

## How to fix it
`regrasp fix CHECKPOINT --train DATASET --into NEW` writes a copy with the rightful statistics: those that the
contract holds, else those of the data. If the policy was trained with the numbers that it has, measure the contract
again.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.contract_measuring import joint_statistics
from regrasp.data.metadata import ACTION, STATE
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix

if TYPE_CHECKING:
    from regrasp.data.checkpoint import Checkpoint
    from regrasp.data.contract import Contract
    from regrasp.diagnosis.trained import Training

type Statistics = Mapping[str, Mapping[str, NDArray[Any]]]

MAX_SHIFT = 1.0
"""Deviations between the mean of the data and the normaliser's. Of the same data it is below 0.0001 (float32); held-out
episodes, which LeRobot counts in, move it by some hundredths."""

MAX_RATIO = 2.0
"""Between the deviation of the data and the normaliser's."""

TRAINED_SHIFT, TRAINED_RATIO = 0.25, 1.25
"""The same where the data lie beside it, and where asking the policy tells whether a difference matters."""

KINDS = {"STATE": STATE, "ACTION": ACTION}
"""LeRobot's kinds of features that are joints."""


CONSEQUENCES = ("too-few-epochs", "too-many-epochs")
"""Wrong statistics spoil the answers about training frames too."""


@check(severity=Severity.ERROR, explains=CONSEQUENCES)
def normalisation_mismatch(
    contract: "Contract",
    checkpoint: "Checkpoint",
    *,
    max_shift: float = MAX_SHIFT,
    max_ratio: float = MAX_RATIO,
) -> Iterator[Finding]:
    """The statistics of the policy's normaliser: against the contract, against the data, and in themselves."""
    wanted = _wanted(checkpoint)
    if not checkpoint.normalizer and wanted is None:
        raise Undecided("the checkpoint holds no statistics, and does not say whether it needs any")
    for judged in (_missing(checkpoint, wanted), _broken(checkpoint), _uneven(checkpoint)):
        if judged is not None:
            yield judged
            return
    changed = _changed(contract, checkpoint) or _of_other_data(contract, checkpoint, max_shift, max_ratio)
    if changed is not None:
        yield changed
    elif contract.recovered:
        raise Undecided(
            "the checkpoint's own files do not tell whether its statistics are those of its training"
        )


@check(severity=Severity.ERROR, explains=CONSEQUENCES)
def normalisation_mismatch_trained(
    training: "Training", *, max_shift: float = TRAINED_SHIFT, max_ratio: float = TRAINED_RATIO
) -> Iterator[Finding]:
    """The statistics of joints and commands, against the data that the policy was trained on."""
    if training.checkpoint is None or not training.checkpoint.normalizer:
        raise Undecided("needs a checkpoint with the statistics of a normaliser")
    counted = {STATE: training.dataset.states, ACTION: training.dataset.actions}
    for feature, statistics in joint_statistics(training.checkpoint.normalizer).items():
        names, values = training.contract.joint_names, counted[feature]
        if not {"mean", "std"} <= statistics.keys() or len(statistics["mean"]) != values.shape[1]:
            continue
        means, deviations = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        stored = zip(statistics["mean"], statistics["std"], strict=True)
        for place, (mean, std) in enumerate(stored):
            apart = _apart(mean, std, float(means[place]), float(deviations[place]))
            if apart[0] > max_shift or apart[1] > max_ratio:
                called = names[place] if place < len(names) else str(place + 1)
                yield _finding(
                    f"The policy normalises {feature}, joint '{called}', with {mean:.1f} +- {std:.1f}; the training "
                    f"data have {means[place]:.1f} +- {deviations[place]:.1f}.",
                    Evidence("mean differs by", round(apart[0], 2), max_shift, "deviations"),
                    Evidence("deviation differs by a factor of", round(apart[1], 2), max_ratio),
                )
                return


def _apart(mean: float, std: float, other_mean: float, other_std: float) -> tuple[float, float]:
    """Difference of two means in the larger deviation, and the deviations' ratio, 1 and more."""
    scale = max(other_std, std, 1e-3)
    return abs(mean - other_mean) / scale, scale / max(min(other_std, std), 1e-3)


def _wanted(checkpoint: "Checkpoint") -> list[str] | None:
    """Features of joints that the policy wants normalised; None when it does not say."""
    mapping = checkpoint.config.get("normalization_mapping")
    if not isinstance(mapping, dict):
        return None
    return [feature for kind, feature in KINDS.items() if mapping.get(kind, "IDENTITY") != "IDENTITY"]


def _missing(checkpoint: "Checkpoint", wanted: list[str] | None) -> Finding | None:
    lost = [feature for feature in wanted or () if not checkpoint.normalizer.get(feature)]
    if not lost:
        return None
    return _finding(
        f"The policy wants {' and '.join(lost)} normalised and has no statistics of it; LeRobot would pass the raw "
        "numbers on.",
        Evidence("features without statistics", len(lost), 0),
        command=None,
    )


def _broken(checkpoint: "Checkpoint") -> Finding | None:
    """Numbers that are not finite."""
    for statistics in (checkpoint.normalizer, checkpoint.unnormalizer):
        for feature in (STATE, ACTION):
            for name, values in statistics.get(feature, {}).items():
                broken = int(np.size(values) - np.isfinite(values).sum())
                if broken:
                    return _finding(
                        f"The statistic '{name}' of {feature} holds {broken} numbers that are not finite.",
                        Evidence("numbers that are not finite", broken, 0),
                    )
    return None


def _uneven(checkpoint: "Checkpoint") -> Finding | None:
    """Actions that go out by other statistics than they came in by."""
    if not checkpoint.unnormalizer.get(ACTION):
        return None
    worst = _largest_difference(_actions(checkpoint.normalizer), _actions(checkpoint.unnormalizer))
    if worst is None:
        return None
    feature, name, joint, size = worst
    return _finding(
        f"The '{name}' of {feature}, joint {joint + 1}, differs between policy_preprocessor and policy_postprocessor.",
        Evidence("differs by", round(size, 4), 0.0, "deviations"),
    )


def _actions(statistics: Statistics) -> dict[str, dict[str, list[float]]]:
    return {name: one for name, one in joint_statistics(statistics).items() if name == ACTION}


def _changed(contract: "Contract", checkpoint: "Checkpoint") -> Finding | None:
    """Statistics that are not those of the contract."""
    if not contract.normalisation_digest or contract.normalisation_digest == checkpoint.normalisation_digest:
        return None
    worst = _largest_difference(contract.normalisation, joint_statistics(checkpoint.normalizer))
    if worst is None:
        return _finding(
            "The policy's statistics have changed since the contract was written, though not those of its joints.",
            Evidence("digests that differ", 1, 0),
        )
    feature, name, joint, size = worst
    names = contract.joint_names
    called = names[joint] if joint < len(names) else str(joint + 1)
    return _finding(
        f"The policy's statistics have changed since the contract was written: most the '{name}' of {feature}, "
        f"joint '{called}'.",
        Evidence("differs by", round(size, 4), 0.0, "deviations"),
    )


def _of_other_data(
    contract: "Contract", checkpoint: "Checkpoint", max_shift: float, max_ratio: float
) -> Finding | None:
    """Means and deviations that are not those of the measured data."""
    stored = joint_statistics(checkpoint.normalizer).get(STATE, {})
    if (
        contract.recovered
        or not {"mean", "std"} <= set(stored)
        or len(stored["mean"]) != len(contract.joints)
    ):
        return None
    for place, joint in enumerate(contract.joints):
        mean, std = stored["mean"][place], stored["std"][place]
        shift, ratio = _apart(mean, std, joint.state_mean, joint.state_std)
        if shift > max_shift or ratio > max_ratio:
            return _finding(
                f"The policy normalises joint '{joint.name}' with {mean:.1f} +- {std:.1f}; "
                f"its training data have {joint.state_mean:.1f} +- {joint.state_std:.1f}.",
                Evidence("mean differs by", round(shift, 2), max_shift, "deviations"),
                Evidence("deviation differs by a factor of", round(ratio, 2), max_ratio),
            )
    return None


def _largest_difference(
    one: Mapping[str, Mapping[str, list[float]]], other: Mapping[str, Mapping[str, list[float]]]
) -> tuple[str, str, int, float] | None:
    """Feature, statistic, joint and size, in deviations, of what differs most; None when nothing does."""
    found: list[tuple[float, str, str, int]] = []
    for feature in one.keys() & other.keys():
        scale = one[feature].get("std", [])
        for name in one[feature].keys() & other[feature].keys():
            pairs = zip(one[feature][name], other[feature][name], strict=False)
            for joint, (before, after) in enumerate(pairs):
                unit = scale[joint] if joint < len(scale) and scale[joint] > 0 else 1.0
                if before != after:
                    found.append((abs(before - after) / unit, feature, name, joint))
    if not found:
        return None
    size, feature, name, joint = max(found)
    return feature, name, joint, size


RESTORE = (
    "regrasp fix CHECKPOINT --train TRAIN --into CHECKPOINT_restored && "
    "regrasp rollout CHECKPOINT_restored --station STATION"
)
"""A copy with the rightful statistics, rolled out."""


def _finding(summary: str, *evidence: Evidence, command: str | None = RESTORE) -> Finding:
    return Finding(
        summary=summary,
        where=Where(),
        evidence=evidence,
        fix=Fix(
            "Put back the policy_preprocessor and policy_postprocessor files that were saved with the weights; if it was "
            "trained with these, run `regrasp contract make` with its data.",
            command,
        ),
    )
