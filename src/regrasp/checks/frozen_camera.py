"""A camera repeats one picture while the arm moves.

## What it detects
A stretch of an episode, demonstrated or driven by a policy, in which a camera's picture stays the same although the
arm moves.

## Why it matters
The policy is trained to act on a picture that shows nothing of the present. In deployment the live
picture changes, and the policy meets pictures that it never learned from.

## How it decides
Pictures are compared with the first one of their stretch, in cells of a 12 x 16 grid: they are the same while
no cell's mean grey differs by 5 of 255, and no part's of a grid four times as fine by 30. Cell means hardly
feel a codec's flicker or a sensor's noise, yet an arm that moves a few pixels anywhere in view changes one of
them. In an episode with less contrast than the camera usually has, the limit is less by as much. A stretch
counts when it is longer than `max_frozen_s` and the joints move in it, on average and without the gripper, by
more than `moved_share` of their working range: one wrist that turns, or a gripper that closes, need not show in
the picture. The longest stretch of each camera in each episode is reported. In large recordings pictures are
sampled, and the ends of a stretch are those of the samples.

In rollouts the working range is that of the training, and the episodes of a camera are reported together.

A picture that is repeated stays exactly the same through AV1 as LeRobot writes it; through H.264 a cell
flickers by up to 4.7 at 96 x 96 and 1.1 at 640 x 480. While the joints move by a tenth of their range, some
cell of a live picture changes by 34 or more in both views of the simulated arm.

## What can fool it
A camera that looks past the arm, or a covered lens, shows the same picture while the arm moves. So does a
scene so dark that the arm cannot be made out.

## How to fix it
Drop the episodes, then look for a loose cable, or a USB hub that two cameras share. Before rollouts, restart the
camera and see that its picture follows the arm (`regrasp station check`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.data.rollouts import Rollouts
from regrasp.data.sight import Sight
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.signals import SMALLEST_SCALE, gripper_joints, joint_scale

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

SAME_PICTURE_GREY_LEVELS = 5.0
"""Cells of one picture, encoded twice, stay closer than this; see the page."""

SHARPER = 6.0
"""In the finer parts of a 48 x 64 grid a picture that is repeated flickers by this many times as much at the most: by up
to 22 through H.264 at 48 x 64 pixels, 6 at 96 x 96, 0 through AV1; where an arm moves before a ground of its own
grey, by 36 or more, measured."""

MOVED_SHARE = 0.10
"""Of their working range the joints must move, on average, for a still picture to be odd."""


@check(severity=Severity.ERROR, explains=("changed-light",))
def frozen_camera(
    dataset: Dataset, *, max_frozen_s: float = 0.5, moved_share: float = MOVED_SHARE
) -> Iterator[Finding]:
    """Report the longest frozen stretch of each camera in each episode."""
    seen = sights(dataset).seen
    arm = np.setdiff1d(np.arange(len(dataset.joint_names)), gripper_joints(dataset.joint_names))
    for name, looks in seen.items():
        usual = float(np.median([_contrast(sight) for _, sight in looks])) if looks else 0.0
        for episode, sight in looks:
            travel = (episode.states / joint_scale(dataset))[:, arm]
            start, length = longest_stretch(sight, travel, moved_share, usual)
            if length / episode.fps > max_frozen_s:
                yield _finding(dataset, episode, name, start, length, max_frozen_s)


@check(severity=Severity.ERROR)
def frozen_camera_deployed(
    contract: "Contract",
    rollouts: Rollouts,
    *,
    max_frozen_s: float = 0.5,
    moved_share: float = MOVED_SHARE,
) -> Iterator[Finding]:
    """Report the cameras that froze in rollouts, with the longest stretch of each."""
    data = rollouts.dataset
    span = np.array([joint.high - joint.low for joint in contract.joints])
    if not data.episodes or span.shape != data.states.shape[1:] or not np.median(span) > 0:
        raise Undecided("needs rollouts of the joints whose ranges the contract knows")
    span = np.maximum(
        span, SMALLEST_SCALE * np.median(span)
    )  # a joint that hardly moved there is no measure of motion
    arm = np.setdiff1d(np.arange(len(span)), gripper_joints(data.joint_names))
    for name, looks in sights(data).seen.items():
        usual = float(np.median([_contrast(sight) for _, sight in looks])) if looks else 0.0
        frozen_s = {
            episode.index: longest_stretch(sight, (episode.states / span)[:, arm], moved_share, usual)[1]
            / episode.fps
            for episode, sight in looks
        }
        longer = {number: seconds for number, seconds in frozen_s.items() if seconds > max_frozen_s}
        if longer:
            yield Finding(
                summary=f"Camera '{name}' repeats one picture while the arm moves, in "
                f"{len(longer)} of {len(looks)} rollouts.",
                where=Where(tuple(longer), camera=name),
                evidence=(Evidence("frozen for", round(max(longer.values()), 2), max_frozen_s, "s"),),
                fix=Fix(
                    f"Restart camera '{name}'; look for a loose cable or a USB hub shared by two cameras."
                ),
            )


def longest_stretch(
    sight: Sight, travel: NDArray[np.float64], moved_share: float, usual_contrast: float = 0.0
) -> tuple[int, int]:
    """First frame and length of the longest stretch of one picture in which the arm moved; (0, 0) if none.

    In an episode of less than the camera's usual contrast, less of a change counts.
    """
    dimmed = min(_contrast(sight) / usual_contrast, 1.0) if usual_contrast > 0 else 1.0
    stretches = [
        (first, last - first + 1)
        for first, last in _unchanging(sight, SAME_PICTURE_GREY_LEVELS * dimmed)
        if np.ptp(travel[first : last + 1], axis=0).mean() > moved_share
    ]
    return max(stretches, key=lambda stretch: stretch[1], default=(0, 0))


def _contrast(sight: Sight) -> float:
    """Standard deviation over the cells of a picture, grey levels; the mean of the pictures."""
    return float(sight.cells.std(axis=(1, 2)).mean())


def _unchanging(sight: Sight, same_levels: float) -> Iterator[tuple[int, int]]:
    """First and last frame of each stretch in which every picture looks like the first one."""
    anchor = 0
    for place in range(1, len(sight.indices) + 1):
        if place == len(sight.indices) or not _same(sight, anchor, place, same_levels):
            yield int(sight.indices[anchor]), int(sight.indices[place - 1])
            anchor = place


def _same(sight: Sight, one: int, other: int, same_levels: float) -> bool:
    """Whether two pictures look the same, in wide cells and in fine ones."""
    if np.abs(sight.cells[other] - sight.cells[one]).max() >= same_levels:
        return False
    return bool(np.abs(sight.grey[other].astype(np.int16) - sight.grey[one]).max() < SHARPER * same_levels)


def _finding(
    dataset: Dataset, episode: Episode, camera: str, start: int, length: int, max_frozen_s: float
) -> Finding:
    return Finding(
        summary=f"Camera '{camera}' repeats one picture while the arm moves.",
        where=Where((episode.index,), frames=(start, start + length - 1), camera=camera),
        evidence=(Evidence("frozen for", length / episode.fps, max_frozen_s, "s"),),
        fix=Fix(
            f"Drop episode {episode.index}; look for a loose cable or a USB hub shared by two cameras.",
            drop_episodes(dataset, [episode.index]),
            dropping(dataset, [episode.index]),
        ),
    )
