"""The gripper is measured the other way round: 100 where it is closed.

## What it detects
Episodes in which the gripper's values, taken as 100 minus themselves, are like those of the other episodes; and
datasets in which all are like that, told by what happens when the jaws meet an object.

## Why it matters
The policy is taught that one number means open in some episodes and closed in others. It learns a gripper that
stays half open. If all episodes are inverted it learns well, and does the opposite on an arm that was calibrated
the usual way.

## How it decides
*Single episodes*: seven values of the gripper (start, end, quantiles from 2 to 98 %) are compared with the median of
the other episodes, as they are and inverted. An episode is named when it is less than half as far from them
inverted as it is as it stands, and that distance is more than a fifth of the gripper's range. The group
is taken for right in which jaws that meet an object are told to close further; where that does not tell, the larger
one; of two equal ones that which starts more closed.

*All episodes*: jaws that stand still between their ends with the command `PRESSED` of the range away hold something.
Held tight, the command is on the closed side of the jaws. If in at least `min_held_episodes` episodes, and in
nine of ten of those that tell, it is on the side of the larger numbers, they are inverted. This is asked of
grippers from 0 to 100 of an SO-100 or SO-101 alone.

*In a deployment*, the gripper's first value in each rollout is compared with the starts of the training. It is inverted
where it lies outside all of them by more than a fifth of the gripper's range, and 100 minus it inside. Later values
do not tell: the policy commands the numbers that it has learned, and the gripper follows them.

## What can fool it
A task in which some episodes start with the gripper open and close it, and others the reverse: such as picking up
in one half and putting down in the other. A gripper that opens inside a ring to hold it. An arm that starts a rollout
with its gripper as far open as it was closed in training: look at it.

## How to fix it
Replace the gripper's values by 100 minus themselves in the named episodes, command and measurement. Then
calibrate: closed is 0. Before a deployment, calibrate the gripper as it was in training.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.gripper_signals import (
    LARGEST_PERCENT,
    MIN_DISTANCE,
    contract_ends,
    distance_to_starts,
    gripper_ends,
    inverted_grippers,
    pressing_sides,
    starts_inverted,
)
from regrasp.diagnosis.joint_signals import poses
from regrasp.diagnosis.repair import ConvertUnits, Line
from regrasp.diagnosis.signals import gripper_joints
from regrasp.diagnosis.unit_signals import LARGEST_FRACTION, in_one_unit

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR, explains=("scattered-starts", "idle-gripper"))
def inverted_gripper(dataset: Dataset, *, min_held_episodes: int = 3) -> Iterator[Finding]:
    """Report episodes whose gripper is inverted against the others, or a dataset in which all seem to be."""
    dataset = in_one_unit(dataset)
    grippers = gripper_joints(dataset.joint_names)
    if not grippers:
        raise Undecided(f"none of the joints {', '.join(dataset.joint_names)} is called gripper")
    for joint in grippers:
        ends = gripper_ends(dataset, joint)
        if ends[1] <= ends[0]:
            continue
        odd = inverted_grippers(dataset)[:, joint]
        if odd.any():
            yield _some(dataset, joint, ends, odd)
        elif _of_known_arm(dataset) and LARGEST_FRACTION < ends[1] <= LARGEST_PERCENT:
            signs = pressing_sides(dataset, joint, ends)
            told = signs != 0
            wrong = int((signs > 0).sum())
            if wrong >= min_held_episodes and wrong >= 0.9 * told.sum():
                yield _all(dataset, joint, wrong, int(told.sum()))


@check(severity=Severity.ERROR, explains=("start-pose-shift", "calibration-offset"))
def inverted_gripper_deployed(
    contract: "Contract", rollouts: Rollouts, *, least_distance: float = MIN_DISTANCE
) -> Iterator[Finding]:
    """Which way round the gripper stands at the start of each rollout, against the starts of the training."""
    grippers = [place for place, name in enumerate(contract.joint_names) if "gripper" in name]
    if not grippers:
        raise Undecided(f"none of the joints {', '.join(contract.joint_names)} is called gripper")
    if not rollouts.episodes:
        raise Undecided("needs at least one rollout")
    for place in grippers:
        yield from _deployed(contract, rollouts, place, least_distance)


def _deployed(
    contract: "Contract", rollouts: Rollouts, place: int, least_distance: float
) -> Iterator[Finding]:
    joint = contract.joints[place]
    if contract.recovered or not np.isfinite([joint.start_low, joint.start_high]).all():
        raise Undecided("the checkpoint's own files do not tell where its training episodes began")
    starts = {episode.index: float(episode.states[0, place]) for episode in rollouts.episodes}
    ends = contract_ends(joint)
    odd = {n: value for n, value in starts.items() if starts_inverted(joint, value, least_distance)}
    if odd:
        away = min(distance_to_starts(joint, value) for value in odd.values()) / (ends[1] - ends[0])
        middle = float(np.median(list(odd.values())))
        yield Finding(
            summary=f"{joint.name} is measured the other way round in {len(odd)} of "
            f"{count(len(starts), 'rollout')}: it starts at {middle:.1f} there and started at "
            f"{joint.start_mean:.1f} in training.",
            where=Where(tuple(odd), joint=joint.name),
            evidence=(Evidence("away from the training's starts by", 100 * away, 100 * least_distance, "%"),),
            fix=Fix("Calibrate the gripper as in training, where closed was the lower value."),
        )


def _of_known_arm(dataset: Dataset) -> bool:
    return (dataset.robot_type or "").lower().startswith(("so1", "so_", "so-"))


def _some(dataset: Dataset, joint: int, ends: tuple[float, float], odd: NDArray[np.bool_]) -> Finding:
    values = np.nan_to_num(poses(dataset).states[:, :, joint])
    name, numbers = dataset.joint_names[joint], _numbers(dataset, odd)
    away = np.abs(values[odd] - np.median(values[~odd], axis=0)).mean(axis=1).min() / (ends[1] - ends[0])
    return Finding(
        summary=(
            f"{name} is measured the other way round in {count(len(numbers), 'episode')}: it starts at "
            f"{np.median(values[odd, 0]):.1f} there and at {np.median(values[~odd, 0]):.1f} in the others."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence("away from the others by", 100 * float(away), 100 * MIN_DISTANCE, "%"),),
        fix=Fix(
            f"Replace {name} by {sum(ends):.0f} minus itself in these episodes, or drop them.",
            drop_episodes(dataset, numbers),
            ConvertUnits(numbers, {name.removesuffix(".pos"): Line(-1.0, sum(ends))}),
        ),
    )


def _all(dataset: Dataset, joint: int, wrong: int, told: int) -> Finding:
    name = dataset.joint_names[joint]
    return Finding(
        severity=Severity.WARNING,
        summary=(
            f"{name} seems to be measured the other way round: jaws that hold something are told to go "
            f"higher in {wrong} of {count(told, 'episode')}."
        ),
        where=Where(tuple(episode.index for episode in dataset.episodes), joint=name),
        evidence=(Evidence("episodes that press upwards", 100 * wrong / told, 90.0, "%"),),
        fix=Fix(
            "Calibrate the gripper so that closed is 0, or deploy with the calibration of these episodes only."
        ),
    )


def _numbers(dataset: Dataset, where: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(dataset.episodes[place].index for place in np.flatnonzero(where))
