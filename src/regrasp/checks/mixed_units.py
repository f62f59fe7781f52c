"""Episodes of one dataset are in different units.

## What it detects
Joints that are in degrees in some episodes and in radians, in counts of the servo's encoder, or on LeRobot's scale
of -100 to 100 in others; a gripper from 0 to 1 beside one from 0 to 100; commands in another unit than
the measurement of the same episode.

## Why it matters
All episodes are normalised by the same numbers. An episode in radians among degrees becomes a speck around zero:
the policy is shown an arm that stands still in the middle of its range while the pictures move, and learns to
do that.

## How it decides
*By size.* Joints of which none leaves +-2 pi are in radians if, turned into degrees, they lie less than half as
far from the poses of the other episodes; values beyond 500 are counts. A gripper that never exceeds 2, moves over
most of what it reaches, and fits the others a hundred times larger is from 0 to 1.

*By steps.* The servo has 4096 steps a turn. Measurements in degrees lie whole steps of 0.0879 apart, in every
joint; on the scale of -100 to 100 the step depends on each joint's calibrated range. In four recordings of real
arms all moving joints were on the step of their unit, and on no other.

The episodes of the rarer unit are named. A dataset that is in one unit throughout, whichever, is fine.

## What can fool it
An arm that stays within 6 degrees of its zero pose throughout an episode, in a dataset whose other episodes do the
same. Degrees and -100 to 100 cannot be told apart after filtering or resampling: the steps are gone.

## How to fix it
Convert the named episodes, or record them again with the same `use_degrees` as the rest.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.joint_signals import poses, share_on_degree_steps
from regrasp.diagnosis.repair import ConvertUnits, Line, Repair, dropping
from regrasp.diagnosis.signals import gripper_joints
from regrasp.diagnosis.unit_signals import (
    COUNTS,
    DEGREES,
    DEGREES_PER,
    LARGEST_FRACTION,
    LARGEST_RADIANS,
    LEAST_COUNTS,
    Units,
    body_joints,
    converts,
    unit_by_size,
    units,
)

SCALE = "the scale of -100 to 100"

ON_STEPS, OFF_STEPS = 0.95, 0.6
"""Share of the values that lie on the steps of degrees: 1.00 where they are in degrees, about 0.1 by chance."""

CONSEQUENCES = (
    "action-lag",
    "calibration-offset",
    "clipped-actions",
    "copied-actions",
    "dropped-frames",
    "idle-gripper",
    "idle-stretches",
    "inverted-gripper",
    "jerky-motion",
    "out-of-limits",
    "outlier-episodes",
    "scattered-starts",
    "thin-coverage",
    "truncated-episodes",
    "unfollowed-joint",
)
"""Checks that compare joints across episodes, or commands with measurements."""


@check(severity=Severity.ERROR, explains=CONSEQUENCES)
def mixed_units(dataset: Dataset) -> Iterator[Finding]:
    """Report commands in another unit than the measurements, then episodes in another unit than the others."""
    body = body_joints(dataset)
    if dataset.states.shape == dataset.actions.shape and body:
        yield from _commands_of_another_unit(dataset, body)
    if len(dataset.episodes) < 2:
        raise Undecided("needs 2 episodes to compare their units, got 1")
    found = units(dataset)
    if len(set(found.body)) > 1:
        yield from _by_size(dataset, found)
    elif body:
        yield from _by_steps(dataset, body)
    for joint in gripper_joints(dataset.joint_names):
        yield from _gripper(dataset, joint, found)


def _by_size(dataset: Dataset, found: Units) -> Iterator[Finding]:
    """One finding for each unit but the usual one."""
    for unit in sorted(set(found.body) - {found.usual}):
        places = [place for place, known in enumerate(found.body) if known == unit]
        limit = LEAST_COUNTS if COUNTS in (unit, found.usual) else LARGEST_RADIANS
        yield _finding(
            dataset,
            places,
            f"The joints are in {unit} in {count(len(places), 'episode')} and in {found.usual} in the others.",
            Evidence(
                "largest value", _largest(poses(dataset).states[places][:, :, body_joints(dataset)]), limit
            ),
            None if COUNTS in (unit, found.usual) else _conversion(dataset, places, unit, found),
        )


def _conversion(dataset: Dataset, places: list[int], unit: str, found: Units) -> ConvertUnits:
    """From radians to degrees or back, the grippers with them where they are of another size too."""
    line = Line(DEGREES_PER[unit] / DEGREES_PER[found.usual])
    lines = {_bare(dataset.joint_names[joint]): line for joint in body_joints(dataset)}
    for joint in np.flatnonzero(found.odd_grippers[places].all(axis=0)):
        lines[_bare(dataset.joint_names[joint])] = Line(0.01 if found.usually_small[joint] else 100.0)
    return ConvertUnits(_numbers(dataset, places), lines)


def _by_steps(dataset: Dataset, body: list[int]) -> Iterator[Finding]:
    """Episodes on the steps of degrees beside others on steps of their own."""
    share = share_on_degree_steps(dataset)[:, body]
    tells = np.isfinite(share).sum(axis=1)
    off = (share < OFF_STEPS).sum(axis=1)
    in_degrees = (tells > 0) & ((share > ON_STEPS).sum(axis=1) == tells)
    elsewhere = (off > 1) & (2 * off > tells)
    if not (in_degrees.any() and elsewhere.any() and _has_steps(dataset, body, np.flatnonzero(elsewhere)[0])):
        return
    rarer, unit, usual = (
        (elsewhere, SCALE, DEGREES) if elsewhere.sum() <= in_degrees.sum() else (in_degrees, DEGREES, SCALE)
    )
    places: list[int] = np.flatnonzero(rarer).tolist()
    yield _finding(
        dataset,
        places,
        f"The joints are in {unit} in {count(len(places), 'episode')} and in {usual} in the others.",
        Evidence(
            "values on the steps of degrees", 100 * float(np.nanmin(share[elsewhere])), 100 * OFF_STEPS, "%"
        ),
        None,
    )


def _has_steps(dataset: Dataset, body: list[int], place: np.int64) -> bool:
    """Whether joints of this episode are measured in whole steps of some size, not in any value."""
    states = dataset.episodes[int(place)].states
    for joint in body:
        gaps = np.diff(np.unique(states[np.isfinite(states[:, joint]), joint]))
        gaps = gaps[gaps > 1e-3]
        if len(gaps) >= 20:
            steps = gaps / gaps.min()
            return bool(np.mean(np.abs(steps - np.round(steps)) < 0.1) > 0.9)
    return False


def _gripper(dataset: Dataset, joint: int, found: Units) -> Iterator[Finding]:
    """Grippers of the rarer size, in episodes whose joints are in the usual unit."""
    odd = found.odd_grippers[:, joint] & np.array([unit == found.usual for unit in found.body])
    if not odd.any():
        return
    places: list[int] = np.flatnonzero(odd).tolist()
    name = dataset.joint_names[joint]
    sizes = ("0 to 100", "0 to 1") if found.usually_small[joint] else ("0 to 1", "0 to 100")
    line = Line(0.01 if found.usually_small[joint] else 100.0)
    yield _finding(
        dataset,
        places,
        f"{name} goes from {sizes[0]} in {count(len(places), 'episode')} and from {sizes[1]} in the others.",
        Evidence("largest value", _largest(poses(dataset).states[places][:, :, joint]), LARGEST_FRACTION),
        ConvertUnits(_numbers(dataset, places), {_bare(name): line}),
        name,
    )


def _commands_of_another_unit(dataset: Dataset, body: list[int]) -> Iterator[Finding]:
    """Episodes whose commands are of another size than their measurements, in all joints."""
    found = poses(dataset)
    states, actions = found.states[:, :, body], found.actions[:, :, body]
    pairs = [(unit_by_size(one), unit_by_size(other)) for one, other in zip(actions, states, strict=True)]
    for commanded, measured in sorted({pair for pair in pairs if pair[0] != pair[1]}):
        places = [
            place
            for place, pair in enumerate(pairs)
            if pair == (commanded, measured) and converts(actions[place], states[place], *pair)
        ]
        if places:
            yield Finding(
                summary=(
                    f"Commands are in {commanded} and measurements in {measured} "
                    f"in {count(len(places), 'episode')}."
                ),
                where=Where(_numbers(dataset, places)),
                evidence=(Evidence("largest command", _largest(actions[places]), _largest(states[places])),),
                fix=Fix("Convert the commands, or record again with the same unit for leader and follower."),
            )


def _finding(
    dataset: Dataset,
    places: list[int],
    summary: str,
    evidence: Evidence,
    conversion: Repair | None,
    joint: str | None = None,
) -> Finding:
    numbers = _numbers(dataset, places)
    fix = (
        "Convert these episodes to the unit of the others, or drop them."
        if conversion
        else "Record these episodes again with the same use_degrees as the others, or drop them."
    )
    return Finding(
        summary=summary,
        where=Where(numbers, joint=joint),
        evidence=(evidence,),
        fix=Fix(fix, drop_episodes(dataset, numbers), conversion or dropping(dataset, numbers)),
    )


def _largest(values: NDArray[np.float64]) -> float:
    return float(np.nan_to_num(np.abs(values)).max(initial=0.0))


def _bare(name: str) -> str:
    return name.removesuffix(".pos")


def _numbers(dataset: Dataset, places: list[int]) -> tuple[int, ...]:
    return tuple(dataset.episodes[place].index for place in places)
