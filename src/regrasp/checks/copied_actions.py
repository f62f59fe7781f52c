"""The recorded commands are the measurements, written down a second time.

## What it detects
Joints whose command equals what was measured in the same frame, or in the next one, to the last digit.

## Why it matters
A real arm runs behind its commands, and pushes because it is told to go further than it can. A policy that is
shown measurements as commands never learns to lead: the arm slows down, stops before it arrives, and a gripper
told to be where it is holds nothing.

## How it decides
In frames in which a joint moves, its command is compared with the measurement of the same frame and of the next.
They count as equal when they differ by less than a ten-thousandth of the joint's working range. A joint for which
that holds in more than `max_equal_share` of its moving frames in an episode is reported. In 33 episodes of five
real arms, and in the simulated one, it holds in at most 8 %, and in 22 % for a motor that is switched on and off;
joints that move in fewer than 20 frames of an episode are left out.

Where every joint of the arm is equal one frame later, but not the gripper, the follower may just be perfect, as
simulated ones are: that is reported as worth knowing.

## What can fool it
A simulation that puts the robot where the command says, within a frame and without contact. There it is right.
Datasets that were converted from measurements alone are copied on purpose; the policy still learns no lead.

## How to fix it
Record the leader's position, or what was sent to the arm, as the action. Where only measurements are left, take
as action the measurement as many frames later as such an arm lags (3 to 4 at 30 fps), and expect a weak grip.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.joint_signals import STILL_SHARE, first_frames
from regrasp.diagnosis.signals import gripper_joints, joint_scale, require_matching_joints
from regrasp.diagnosis.unit_signals import in_one_unit

EQUAL_SHARE = 1e-4
"""Of a joint's working range: a tenth of an encoder's step, and ten times what float32 rounds."""

QUIET_SHARE = 1 / 3
"""A joint's range counts as at least this part of the largest: leader and follower that flicker about the same step of
the encoder are often equal, and do not move."""

MIN_MOVING = 20
"""Frames in which a joint moves in an episode; of fewer, some may be equal by chance."""


@check(severity=Severity.WARNING, explains=("action-lag", "idle-gripper"))
def copied_actions(dataset: Dataset, *, max_equal_share: float = 0.5) -> Iterator[Finding]:
    """Report the joints and episodes whose commands are measurements of the same frame, or of the next."""
    require_matching_joints(dataset)
    dataset = in_one_unit(dataset)
    for later in (0, 1):
        share = _equal_share(dataset, later)
        copied = share > max_equal_share
        if copied.any():
            yield _finding(dataset, later, share, copied, max_equal_share)


def _equal_share(dataset: Dataset, later: int) -> NDArray[np.float64]:
    """Share of the moving frames in which a command is the measurement `later` frames on, [E, J]; 0 of few."""
    states, actions = dataset.states, dataset.actions
    if len(states) < 2:
        return np.zeros((len(dataset.episodes), states.shape[1]))
    moving = np.zeros(states.shape, dtype=np.bool_)
    scale = joint_scale(dataset)
    slow = STILL_SHARE * np.maximum(scale, QUIET_SHARE * scale.max())
    with np.errstate(invalid="ignore"):
        moving[:-1] = np.abs(states[1:] - states[:-1]) > slow
    starts = first_frames(dataset)
    moving[starts[1:] - 1] = False
    moving &= np.isfinite(states)
    equal = np.zeros(states.shape, dtype=np.bool_)
    end = len(states) - later
    equal[:end] = np.abs(actions[:end] - states[later:]) < EQUAL_SHARE * scale
    frames, same = (np.add.reduceat(mask, starts[:-1], dtype=np.int64) for mask in (moving, moving & equal))
    return np.where(frames >= MIN_MOVING, same / np.maximum(frames, 1), 0.0)


def _finding(
    dataset: Dataset, later: int, share: NDArray[np.float64], copied: NDArray[np.bool_], limit: float
) -> Finding:
    numbers = tuple(dataset.episodes[i].index for i in np.flatnonzero(copied.any(axis=1)))
    joints = np.flatnonzero(copied.any(axis=0))
    names = ", ".join(dataset.joint_names[j] for j in joints)
    arm = set(range(copied.shape[1])) - set(gripper_joints(dataset.joint_names))
    perfect = later == 1 and set(joints.tolist()) == arm != set(range(copied.shape[1]))
    frame = "the same frame" if later == 0 else "the next frame"
    return Finding(
        severity=Severity.INFO if perfect else None,
        summary=f"Commands are the measurements of {frame} in {names}.",
        where=Where(numbers, joint=dataset.joint_names[joints[0]] if len(joints) == 1 else None),
        evidence=(Evidence("equal while moving", 100 * float(share[copied].min()), 100 * limit, "%"),),
        fix=Fix(
            "Record the leader's position as the action; if measurements are all there is, take those "
            "of 3 to 4 frames later (at 30 fps)."
        ),
    )
