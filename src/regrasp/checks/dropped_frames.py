"""Frames are missing in the middle of an episode, although its timestamps run on.

## What it detects
Places where the measured joints and their commands all jump at once and then go on as before: what was recorded
in between is lost, and the rest was numbered anew.

## Why it matters
LeRobot writes timestamps as frame number over rate, so a recorder that stalls leaves no hole in them. The
policy is shown a motion that no arm can make, and learns to command it; an action chunk over that place jumps.

## How it decides
Each step of a joint is compared with the median of itself and its neighbours, which steady motion does not leave
at any speed. A command may jump, a measured joint has mass: it cannot leave its speed for a single frame. Where
measurement and command do so together, in the same direction, by more than `jump_share` of the working range in at
least two joints (by five times as much in one joint of the arm or its gripper), frames are missing. Steps that
timestamps show to be longer are left out: they are `irregular-timestamps`.

In 32 episodes of four real arms, the simulated one and made-up ones with a strong tremor, two joints leave their
speed together by 0.8 % of the range at most. In one recording they do by 2.2 %: there the arm stands nearly still,
moves by 7 degrees from one frame to the next and stands again, while its command moves by 8 to 14: a recorder that
stalled. Six frames lost in fast motion make 2 to 17 %.

Where half of that is reached and all frames of the video were looked at, a picture that differs from the one before
2.5 times as much as its neighbours do decides.

## What can fool it
Frames lost while the arm rests, or moves one joint slowly, cannot be seen in the joints, and do no harm. A
simulation that sets joints instead of driving them may jump by itself. A tool with a motor of its own that jumps
alone, such as a screwdriver, is not taken for a loss.

## How to fix it
Drop the episode or cut it at that place. Then look for what stalled the recorder: a camera on a shared USB hub,
video encoding on a busy machine, a full disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS
from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.joint_signals import episodes_of_frames, first_frames
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.signals import joint_scale, require_matching_joints
from regrasp.diagnosis.unit_signals import in_one_unit

ALONE = 5.0
"""One joint must jump by so many times as much as two."""

DOUBTFUL = 0.5
"""Share of the limit from which the video is asked."""

VIDEO_JUMP = 2.5
"""Times by which a picture differs more from the one before than its neighbours do."""

QUIET_SHARE = 1 / 3
"""A joint's range counts as at least this part of the largest: the tremor of one that rests is no jump."""

LONG_STEP = 1.5
"""Of the usual time between frames: what is longer shows in the timestamps."""


@dataclass(frozen=True, eq=False)
class _Jumps:
    """Frames of `dataset.states` at which joints jump, and by how much of the limit; [n] each."""

    frames: NDArray[np.int64]
    heights: NDArray[np.float64]


@check(severity=Severity.WARNING, explains=("jerky-motion", "action-lag"))
def dropped_frames(dataset: Dataset, *, jump_share: float = 0.02) -> Iterator[Finding]:
    """Report the episodes in which measurement and command jump together."""
    require_matching_joints(dataset)
    together = in_one_unit(dataset)
    jumps = _jumps(together, jump_share)
    seen = jumps.heights > 1
    doubtful = (jumps.heights > DOUBTFUL) & ~seen
    if doubtful.any():
        seen[doubtful] = _in_video(dataset, jumps.frames[doubtful])
    if seen.any():
        yield _finding(together, jumps.frames[seen], jumps.heights[seen], jump_share)


def _jumps(dataset: Dataset, jump_share: float) -> _Jumps:
    """Places where two joints, or one by far, leave their speed for a single step in both columns."""
    if dataset.frames < 4:
        return _Jumps(np.zeros(0, dtype=np.int64), np.zeros(0))
    scale = joint_scale(dataset)
    limit = jump_share * np.maximum(scale, QUIET_SHARE * scale.max())
    commanded = _out_of_line(dataset.actions)
    worth = np.abs(commanded) > DOUBTFUL * limit
    named = np.array([name.removesuffix(".pos").endswith(JOINTS) for name in dataset.joint_names])
    frames = np.flatnonzero((worth.sum(axis=1) > 1) | (worth & named).any(axis=1))
    frames = frames[_inside(dataset, frames)]
    if not len(frames):
        return _Jumps(frames, np.zeros(0))
    measured = _out_of_line_at(dataset.states, frames)
    commanded = commanded[frames]
    both = np.minimum(np.abs(measured), np.abs(commanded)) / limit
    both = np.where(np.isfinite(both) & (np.sign(measured) == np.sign(commanded)), both, 0.0)
    rising = np.sort(both, axis=1)
    second = rising[:, -2] if both.shape[1] > 1 else np.zeros(len(both))
    heights = np.maximum(second, np.where(named, both, 0.0).max(axis=1) / ALONE)
    return _Jumps(frames[heights > DOUBTFUL], heights[heights > DOUBTFUL])


def _out_of_line(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the step to each frame departs from the median of itself and its neighbours; [N, J], signed."""
    steps = np.diff(values, axis=0)
    before, here, after = steps[:-2], steps[1:-1], steps[2:]
    usual = np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))
    away = np.zeros_like(values)
    np.subtract(here, usual, out=away[2:-1])
    return away


def _out_of_line_at(values: NDArray[np.float64], frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same at these frames alone."""
    before, here, after = (values[frames + k] - values[frames + k - 1] for k in (-1, 0, 1))
    return here - np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))


def _inside(dataset: Dataset, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Frames with two before and one after them in their episode, at which the timestamps run on."""
    ends = first_frames(dataset)
    places = episodes_of_frames(dataset, frames)
    inside = (frames >= ends[places] + 2) & (frames < ends[places + 1] - 1)
    times = np.concatenate([episode.timestamps for episode in dataset.episodes])
    steps = np.diff(times, prepend=times[0])
    usual = np.median(steps)
    return inside & ~(steps[frames] > LONG_STEP * usual)


def _in_video(dataset: Dataset, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    """At which of these frames some camera's picture jumps; nowhere if not all pictures were looked at."""
    jumps = np.zeros(len(frames), dtype=np.bool_)
    try:
        found = sights(dataset)
    except Undecided:
        return jumps
    if not found.whole:
        return jumps
    known = {(name, e.index): sight.motion for name, seen in found.seen.items() for e, sight in seen}
    starts, places = first_frames(dataset), episodes_of_frames(dataset, frames)
    for i, (frame, place) in enumerate(zip(frames, places, strict=True)):
        episode, at = dataset.episodes[place], int(frame - starts[place])
        motions = [known[name, episode.index] for name in found.seen if (name, episode.index) in known]
        jumps[i] = any(_stands_out(motion, at) for motion in motions)
    return jumps


def _stands_out(motion: NDArray[np.float32], at: int) -> bool:
    around = np.concatenate([motion[max(at - 3, 1) : at], motion[at + 1 : at + 4]])
    return bool(at < len(motion) and len(around) and motion[at] > VIDEO_JUMP * np.nanmax(around))


def _finding(
    dataset: Dataset, frames: NDArray[np.int64], heights: NDArray[np.float64], jump_share: float
) -> Finding:
    places = episodes_of_frames(dataset, frames)
    numbers = tuple(dataset.episodes[place].index for place in np.unique(places))
    worst = int(np.argmax(heights))
    at = int(frames[worst] - first_frames(dataset)[places[worst]])
    lost = _lost(dataset, int(frames[worst]))
    about = f", about {count(lost, 'frame')} of them" if lost else ""
    return Finding(
        summary=(
            f"Frames are missing at {count(len(frames), 'place')} in {len(numbers)} of {len(dataset.episodes)} "
            f"episodes: joints and commands jump, most at frame {at} of episode "
            f"{dataset.episodes[places[worst]].index}{about}."
        ),
        where=Where(numbers, frames=(at, at) if len(frames) == 1 else None),
        evidence=(Evidence("jump", 100 * jump_share * float(heights[worst]), 100 * jump_share, "%"),),
        fix=Fix(
            "Drop these episodes or cut them at the jump; look for what stalled the recorder.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _lost(dataset: Dataset, frame: int) -> int:
    """How many frames the speed before and after would take for the jump; 0 where it does not tell."""
    scale = joint_scale(dataset)
    window = slice(frame - 2, frame + 2)
    steps = np.diff(np.hstack([dataset.states[window] / scale, dataset.actions[window] / scale]), axis=0)
    steps = np.nan_to_num(steps)
    speed = (steps[0] + steps[2]) / 2
    times = float(steps[1] @ speed) / max(float(speed @ speed), np.finfo(np.float64).tiny)
    return round(times) - 1 if 1.5 < times < 10 * dataset.fps else 0
