"""Joints are commanded or measured where the arm cannot go.

## What it detects
Values beyond the reach of an SO-100 or SO-101: of the measurement, in any frame; of the command, for half a second.

## Why it matters
What is measured there is wrong: the encoder passed its zero and counts from the other end, the calibration took
another range for the whole, or the column is of another joint. A command there pushes a servo against its
stop, and a policy learns to do the same.

## How it decides
In degrees, the range of each joint in the arm's model, and `slack` degrees more: on three recordings of real
arms in degrees, and the simulated one, measurements go 5 degrees beyond the model at most, because the zero is
found by hand. The roll of the wrist may turn half a turn either way. On the scale of -100 to 100 the driver cuts
measurements off at both ends, so 2 beyond is enough. The gripper goes from 0 to 100, by the same slack. A command
beyond that by more than 45 degrees counts in a single frame.

Commands beyond a point at which the joint really stops are `unfollowed-joint`, and one line. Radians are
judged as degrees. Other robots are left undecided: their limits are not known here.

## What can fool it
An arm with longer travel than the original, such as a printed part without its stop; a gripper whose closed
position was calibrated with something between the jaws.

## How to fix it
Calibrate the arm again over the full range of each joint. Drop the episodes that are named.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER, JOINTS, LIMITS
from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.joint_signals import first_frames, share_on_degree_steps
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.signals import longest_run, require_matching_joints
from regrasp.diagnosis.unit_signals import COUNTS, DEGREES, DEGREES_PER, in_one_unit, units

HALF_A_TURN = 180.0
"""The wrist's roll has no stop in its calibration: LeRobot 0.6.1 takes it for a full turn."""

FULL_SCALE = 102.0
"""Of -100 to 100: where the driver cuts off, and what is left of a policy's or filter's overshoot."""

HOLD_S = 0.5
"""A command passes through its peak in less."""

FAR = 45.0
"""Degrees by which no leader exceeds its follower: a wrong value, even in one frame."""


@check(severity=Severity.WARNING)
def out_of_limits(dataset: Dataset, *, slack: float = 10.0) -> Iterator[Finding]:
    """Report, joint by joint, the episodes whose values lie beyond the arm's reach."""
    places = _places_in_arm(dataset)
    require_matching_joints(dataset)
    dataset = in_one_unit(dataset)
    usual = units(dataset).usual
    if usual == COUNTS:
        raise Undecided("the joints are in encoder counts, whose zero is not in the dataset")
    size = DEGREES_PER[usual]
    limits = _limits(dataset, slack) if usual == DEGREES else _in_degrees(slack)
    for joint, place in places.items():
        factor = size if place != GRIPPER else 1.0
        if place == GRIPPER and not _in_percent(dataset, joint):
            continue
        low, high = limits[place] / factor
        beyond = {
            column: np.maximum(values[:, joint] - high, low - values[:, joint])
            for column, values in (("measured", dataset.states), ("commanded", dataset.actions))
        }
        if any(np.nan_to_num(values, nan=-1.0).max(initial=-1.0) > 0 for values in beyond.values()):
            yield from _judge(dataset, joint, beyond, limits[place] / factor, FAR / factor)


def _places_in_arm(dataset: Dataset) -> dict[int, int]:
    """Which joint of the arm each column is; Undecided for another robot."""
    robot = (dataset.robot_type or "").lower().removeprefix("bi_")
    if not robot.startswith(("so1", "so_", "so-")):
        raise Undecided(f"the limits of robot '{dataset.robot_type}' are not known; those of an SO-101 are")
    bare = [name.removesuffix(".pos") for name in dataset.joint_names]
    return {
        joint: place
        for joint, name in enumerate(bare)
        for place, known in enumerate(JOINTS)
        if name == known or name.endswith("_" + known)
    }


def _in_degrees(slack: float) -> NDArray[np.float64]:
    """Lowest and highest value of each joint in degrees, gripper 0-100, with slack; float64 [6, 2]."""
    limits = LIMITS + np.array([-slack, slack])
    roll = JOINTS.index("wrist_roll")
    limits[roll] = -HALF_A_TURN - slack, HALF_A_TURN + slack
    return limits


def _limits(dataset: Dataset, slack: float) -> NDArray[np.float64]:
    """Those of degrees, or of the scale of -100 to 100 if the measurements are on it."""
    limits = _in_degrees(slack)
    if _on_scale(dataset):
        limits[:GRIPPER] = -FULL_SCALE, FULL_SCALE
    return limits


def _on_scale(dataset: Dataset) -> bool:
    """Whether no measurement exceeds 100, one comes close, and they are not on the steps of degrees."""
    states = dataset.states
    largest = np.nan_to_num(np.abs(states)).max(initial=0.0)
    if not 95.0 < largest <= 100.5:
        return False
    share = share_on_degree_steps(dataset)
    told = share[np.isfinite(share)]
    return bool(len(told) and np.median(told) < 0.6)


def _in_percent(dataset: Dataset, joint: int) -> bool:
    """Whether a gripper is from 0 to 100, not to 1."""
    return bool(np.nanpercentile(np.nan_to_num(dataset.states[::10, joint]), 95) > 2.0)


def _judge(
    dataset: Dataset,
    joint: int,
    beyond: dict[str, NDArray[np.float64]],
    limits: NDArray[np.float64],
    far: float,
) -> Iterator[Finding]:
    """The finding of one joint, if it is measured beyond its limits at all or commanded there for long."""
    ends = first_frames(dataset)
    for column, values in beyond.items():
        numbers: list[int] = []
        for place, episode in enumerate(dataset.episodes):
            here = values[ends[place] : ends[place + 1]]
            outside = here > 0
            if outside.any() and (
                column == "measured"
                or longest_run(outside)[1] >= HOLD_S * episode.fps
                or np.nanmax(here) > far
            ):
                numbers.append(episode.index)
        if numbers:
            yield _finding(dataset, joint, column, tuple(numbers), limits)
            return


def _finding(
    dataset: Dataset,
    joint: int,
    column: str,
    numbers: tuple[int, ...],
    limits: NDArray[np.float64],
) -> Finding:
    name = dataset.joint_names[joint]
    here = [episode for episode in dataset.episodes if episode.index in numbers]
    values = np.concatenate([(e.states if column == "measured" else e.actions)[:, joint] for e in here])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    worst, limit = (high, limits[1]) if high - limits[1] >= limits[0] - low else (low, limits[0])
    return Finding(
        summary=(
            f"{name} is {column} at {worst:.1f}, where an SO-101 does not reach "
            f"({limits[0]:.0f} to {limits[1]:.0f}, calibration included)."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence(column, worst, float(limit)),),
        fix=Fix(
            f"Calibrate {name} again over its full range; drop these episodes.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )
