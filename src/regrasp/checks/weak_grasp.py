"""In rollouts the gripper is told to close less far than in training, and what it holds slips.

## What it detects
Rollouts whose gripper closes less far than the demonstrations did: because a command of the policy does not arrive
whole, or because the policy wants less.

## Why it matters
Jaws hold by what the command goes beyond them. On the simulated arm the demonstrations command 4 of 100 around a toy
that stops the jaws at 20. Where no command passes 30 or 35, the policy does all as it was shown, and succeeds in 0 of
10 rollouts; at 26 in 3 of 8, at 8 to 20 in 7 of 8, as with all commands.

## How it decides
A closing begins where the command falls below halfway between open and closed, after the gripper was open. From 0.5 to
1.5 seconds later the median of the command is taken, and over the closings of an episode the median of these. In training
it is the usual level, with where the jaws stood then. A level of rollouts is too high where it lies above that of 95 % of
the training's episodes, and lacks more than half of the usual squeeze (from the jaws to the command beyond them) and more
than a tenth of the way from open to closed.

*Cut off*: the policy wanted as much as in training, and what was sent on to the motors is too high (`ticks.parquet` holds
both). The diagnosis lets the wanted commands through and measures how far they close; it is called the cause where what
was sent leaves the jaws a tenth of that way wider than the training's stood around the object, and suspected below.

*Wanted less*: the policy's own level is too high in more than half of at least 3 rollouts. Then the cause lies before the
gripper: in statistics, calibration or training; it stays suspected.

A gripper that closes as in training and loses the object all the same, because that is heavy or slippery, is left alone.

## What can fool it
A motor that is given the command and lacks the torque for it, or a gripper calibrated anew: what was sent looks sound.
Rollouts recorded without Regrasp hold what was wanted or what was sent, not both. A larger object is held with less of a
command than the training's, where its demonstrations would have shown so. A gripper that closes towards higher values.

## How to fix it
Look what changes commands on their way: the gripper's limits in the station or the safety gate, `max_relative_target`
of the robot, a clamp in a processor, the closed end of the gripper's calibration. Then roll out again. Where the policy
wants less, compare the statistics that it normalises with to those of the training (`normalisation-mismatch`). To tell
a cause from a bystander, press the object between the jaws by hand and see whether the rest of the episode succeeds.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.closing_signals import (
    FEWEST_CLOSINGS,
    Closing,
    TrainedClosing,
    closings_of,
    trained_closing,
)

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

MOST = 0.5
"""Share of the rollouts beyond which the policy itself, and not a moment of it, wants less."""


@check(severity=Severity.ERROR)
def weak_grasp(contract: "Contract", train: Dataset, rollouts: Rollouts) -> Iterator[Finding]:
    """Report rollouts whose closing commands are cut off, or fall short by themselves."""
    if rollouts.dataset.joint_names != contract.joint_names or train.joint_names != contract.joint_names:
        raise Undecided("needs training and rollouts of the same joints")
    trained = trained_closing(train)
    if trained is None:
        raise Undecided(
            f"needs {FEWEST_CLOSINGS} training episodes that open the gripper and close it for 0.7 s"
        )
    closings = list(closings_of(rollouts, trained))
    if not closings:
        raise Undecided("needs a rollout in which the policy closes the gripper for 0.7 s")
    short = [one for one in closings if one.sent > trained.limit]
    cut = [one for one in short if one.wanted <= trained.limit]
    less = [one for one in short if one.wanted > trained.limit]
    if cut:
        yield _cut_off(train, cut, closings, trained)
    if len(closings) >= FEWEST_CLOSINGS and len(less) > MOST * len(closings):
        yield _wanted_less(train, less, closings, trained)


def _cut_off(
    train: Dataset, cut: Sequence[Closing], of: Sequence[Closing], trained: TrainedClosing
) -> Finding:
    sent, wanted = (float(np.median([getattr(one, name) for one in cut])) for name in ("sent", "wanted"))
    return Finding(
        summary=(
            f"The gripper was sent to {sent:.1f} where the policy wanted {wanted:.1f}, in {len(cut)} of {len(of)} "
            f"rollouts that close it; training closes to {trained.level:.1f}, with the jaws at {trained.rest:.1f}."
        ),
        where=_where(train, cut, trained),
        evidence=(
            Evidence("closing command sent", round(sent, 2), round(trained.limit, 2)),
            Evidence("closing command wanted", round(wanted, 2), round(trained.limit, 2)),
        ),
        fix=Fix(
            "Look what changes the gripper's commands on their way: limits of the station or the safety gate, "
            "max_relative_target, a clamp in a processor, the closed end of its calibration."
        ),
    )


def _wanted_less(
    train: Dataset, less: Sequence[Closing], of: Sequence[Closing], trained: TrainedClosing
) -> Finding:
    wanted = float(np.median([one.wanted for one in less]))
    return Finding(
        summary=(
            f"The policy closes the gripper to {wanted:.1f} in {len(less)} of {len(of)} rollouts that close it; training "
            f"closes to {trained.level:.1f}, with the jaws at {trained.rest:.1f}."
        ),
        where=_where(train, less, trained),
        evidence=(Evidence("closing command wanted", round(wanted, 2), round(trained.limit, 2)),),
        fix=Fix(
            "Compare the policy's statistics of the gripper and the calibration of its closed end with the training's; "
            "then, with the object pressed between the jaws by hand, see whether the rest of the episode succeeds."
        ),
        severity=Severity.WARNING,
    )


def _where(train: Dataset, these: Sequence[Closing], trained: TrainedClosing) -> Where:
    return Where(tuple(one.episode for one in these), joint=train.joint_names[trained.place])
