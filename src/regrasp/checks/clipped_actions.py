"""Commands are cut off at one value while the leader goes on.

## What it detects
A joint whose command runs into one and the same value again and again, stands exactly there, and leaves it: the
flat top of a motion that was meant to go further.

## Why it matters
The follower did not do what the person did: it stopped where the calibration, or a limit in the recorder, ends.
The policy learns that nothing lies beyond, and cannot reach there either.

## How it decides
In each episode, stretches in which the command equals its highest, or lowest, value to the last digit count when they
last `min_flat_s` and are entered in motion: over the three frames before, the command moves by more than
`ENTRY_SHARE` of the joint's working range a second, and half as fast as in the fifth of a second before that. A
hand slows down before it turns back; a limit does not. A motor that is switched comes in one step, and is left out. If
`min_episodes` episodes or more (a tenth of them, where that is more) have such stretches at the same value, it is
reported. Rest at the start and end of episodes does not count: a leader that lies folded at its stop gives 30 %
of all frames at one value in two of five recordings of real arms, and nothing is wrong with them.

Grippers are left out: a closed trigger stands at its end.

## What can fool it
A leader that is pushed against its own stop in each episode. A scripted demonstration that moves at constant speed
between fixed poses turns without slowing down. A limit on the step from one frame to the next
(`max_relative_target`) is no flat top, and is not seen here: LeRobot records the leader's command, not what was sent.

## How to fix it
Calibrate leader and follower again over their full range, or raise the limit in the recorder.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.joint_signals import episodes_of_frames, first_frames
from regrasp.diagnosis.signals import action_scale, gripper_joints
from regrasp.diagnosis.unit_signals import in_one_unit

ENTRY_SHARE = 0.10
"""Of the working range, a second: quicker than a command that slows down by single steps of its encoder."""

ENTRY_FRAMES = 3
"""Over so many frames the speed is taken."""

QUIET_SHARE = 1 / 3
"""A joint's range counts as at least this part of the largest: slow joints move by single steps of the encoder."""

EARLIER_S = 0.2
"""The time before these frames, in which a hand that is about to turn back has been faster."""

UNBRAKED = 0.5
"""Share of its earlier speed that a command keeps up to where it is cut off."""

GRADUAL_SHARE = 0.3
"""Of the rise that comes before the last step: a motor that is switched on comes in one step."""

UNREACHED = 1e30
"""Stands for what is no number, below every command."""

SAME_SHARE = 2e-5
"""Of the working range: what float32 may change in a value that was cut off."""


@dataclass(frozen=True, eq=False)
class _Flats:
    """Stretches at an episode's extreme that are entered in motion: place of the episode, value, frames; [n] each."""

    episodes: NDArray[np.int64]
    values: NDArray[np.float64]
    frames: NDArray[np.int64]


@check(severity=Severity.WARNING)
def clipped_actions(dataset: Dataset, *, min_flat_s: float = 0.1, min_episodes: int = 2) -> Iterator[Finding]:
    """Report joints whose commands are cut off at one value in several episodes."""
    dataset = in_one_unit(dataset)
    if len(dataset.episodes) < min_episodes:
        raise Undecided(f"needs {min_episodes} episodes to compare, got {len(dataset.episodes)}")
    least = max(min_episodes, len(dataset.episodes) // 10)
    grippers = gripper_joints(dataset.names_of_actions)
    for joint in (j for j in range(dataset.actions.shape[1]) if j not in grippers):
        for sign in (1.0, -1.0):
            flats = _flats(dataset, joint, sign, min_flat_s)
            same = _at_one_value(flats, SAME_SHARE * float(action_scale(dataset)[joint]))
            numbers = np.unique(flats.episodes[same])
            if len(numbers) >= least:
                yield _finding(dataset, joint, sign, flats, same, least)


def _flats(dataset: Dataset, joint: int, sign: float, min_flat_s: float) -> _Flats:
    commands = sign * dataset.actions[:, joint]
    values = np.where(np.isfinite(commands), commands, -UNREACHED)
    ends = first_frames(dataset)
    scale = max(float(action_scale(dataset)[joint]), QUIET_SHARE * float(action_scale(dataset).max()))
    extremes = np.repeat(np.maximum.reduceat(values, ends[:-1]), np.diff(ends))
    flat = values >= extremes - SAME_SHARE * scale
    begins = flat.copy()
    begins[1:] &= ~flat[:-1]
    begins[ends[:-1]] = flat[ends[:-1]]
    stops = flat.copy()
    stops[:-1] &= ~flat[1:]
    stops[ends[1:] - 1] = flat[ends[1:] - 1]
    first, last = np.flatnonzero(begins), np.flatnonzero(stops)
    frames, places = last - first + 1, episodes_of_frames(dataset, first)
    inside = (first - ends[places] >= ENTRY_FRAMES + round(EARLIER_S * dataset.fps)) & (
        last < ends[places + 1] - 1
    )
    chosen = inside & _in_motion(values, first, scale, dataset.fps)
    chosen &= frames >= max(3.0, min_flat_s * dataset.fps)
    return _Flats(places[chosen], values[first[chosen]], frames[chosen])


def _in_motion(
    values: NDArray[np.float64], first: NDArray[np.int64], scale: float, fps: float
) -> NDArray[np.bool_]:
    """Whether the frames before these go upwards quickly, as quickly as just before, and not in a single step."""
    earlier = max(round(EARLIER_S * fps), 1)
    start = np.maximum(first - ENTRY_FRAMES, 0)
    rise = values[first] - values[start]
    speed = rise / ENTRY_FRAMES
    speed_before = (values[start] - values[np.maximum(start - earlier, 0)]) / earlier
    gradual = values[np.maximum(first - 1, 0)] - values[start] > GRADUAL_SHARE * rise
    return (speed * fps > ENTRY_SHARE * scale) & (speed > UNBRAKED * speed_before) & gradual


def _at_one_value(flats: _Flats, tolerance: float) -> NDArray[np.bool_]:
    """The stretches at the value that most of them share, bool [n]."""
    if not len(flats.values):
        return np.zeros(0, dtype=np.bool_)
    rising = np.sort(flats.values)
    shared = np.searchsorted(rising, rising + tolerance, side="right") - np.arange(len(rising))
    value = rising[int(np.argmax(shared))]
    return (flats.values >= value) & (flats.values <= value + tolerance)


def _finding(
    dataset: Dataset, joint: int, sign: float, flats: _Flats, same: NDArray[np.bool_], least: int
) -> Finding:
    name = dataset.names_of_actions[joint]
    numbers = tuple(dataset.episodes[place].index for place in np.unique(flats.episodes[same]))
    value = sign * float(flats.values[same][0])
    seconds = flats.frames[same].sum() / dataset.fps
    return Finding(
        summary=(
            f"Commands of {name} are cut off at {value:.4g} in {len(numbers)} of {len(dataset.episodes)} "
            f"episodes, for {seconds:.1f} s in all."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence("episodes cut off at one value", len(numbers), least - 1),),
        fix=Fix(f"Calibrate leader and follower of {name} again over the full range, or raise the limit."),
    )
