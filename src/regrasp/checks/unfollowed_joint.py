"""A joint does not go where it is told.

## What it detects
A joint that is commanded to move and stays where it is; and one that is commanded past a point at which it
always stops.

## Why it matters
The policy learns commands that the arm does not carry out. What it sees never shows their effect, so they
are noise to it; and in deployment the servo pushes against its stop until it overheats.

## How it decides
*Does not move*: in an episode the command spans more than 10 % of the median joint's working range, and the
measurement less than a fifth of the command's span. Sound joints of five real arms cover 78 to 103 % of
their command's span, a dead one less than 1 %. Episodes in which such a joint also rests, away from its
command, are named with it.

*Stops short*: commands lie more than 4 % of the working range beyond the most extreme position that the
joint ever reaches, for half a second at a time and in more than 1 % of the frames, while the joint stands
within 1 % of that position. Where a joint also rests that far from its command elsewhere in the episode, this
is taken off first: it is a `calibration-offset`. Static error under gravity and the lag of a fast reversal stay
below that on real arms; contact with an object stops a joint at ever different places.

Grippers are left out of the second part: closing on an object is how one grasps.

## What can fool it
An arm that is pressed against the table or a fixture at the very same place in all episodes seems to
have reached a stop.

## How to fix it
A dead joint: look at its cable, its ID and whether its torque is on. A stop: calibrate leader and follower
again over the whole range, or limit the leader to what the follower can reach.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.joint_signals import STILL_SHARE
from regrasp.diagnosis.signals import (
    action_scale,
    gripper_joints,
    longest_run,
    once_per_dataset,
    require_matching_joints,
    span,
)
from regrasp.diagnosis.unit_signals import in_one_unit

COMMANDED_SHARE = 0.10
"""Of the median joint's working range: a smaller command may drown in gear play."""

STOP_SHARE = 0.01
"""Of the working range: how closely a joint returns to its stop. Two real ones: 0.01 and 0.1 %."""

STOP_FREE_SHARE = 0.04
"""Of the working range: so far from its stop a joint rests where it is told, but for its calibration."""

MIN_RESTING = 5
"""Frames in which it does; of fewer, nothing is known of its calibration."""

HOLD_S = 0.5
"""A command that leads the joint by its lag passes in a tenth of this."""


@check(severity=Severity.WARNING, explains=("calibration-offset", "out-of-limits", "thin-coverage"))
def unfollowed_joint(
    dataset: Dataset,
    *,
    min_followed: float = 0.2,
    beyond_share: float = 0.04,
    min_frames_share: float = 0.01,
) -> Iterator[Finding]:
    """Report joints that do not move, then joints that stop short of their commands."""
    require_matching_joints(dataset)
    dataset = in_one_unit(dataset)
    dead: set[int] = set()
    for joint, name in enumerate(dataset.joint_names):
        episodes, followed = _unmoved(dataset, joint, min_followed)
        if episodes:
            dead.add(joint)
            yield _dead_joint(dataset, name, episodes, followed, min_followed)
    for joint in sorted(
        set(range(len(dataset.joint_names))) - dead - set(gripper_joints(dataset.joint_names))
    ):
        for sign in (1.0, -1.0):
            yield from _stops_short(dataset, joint, sign, beyond_share, min_frames_share)


@dataclass(frozen=True, eq=False)
class _Spans:
    """How far each joint was commanded and measured, and the median distance between the two; each [E, J]."""

    commanded: NDArray[np.float64]
    measured: NDArray[np.float64]
    gap: NDArray[np.float64]


@once_per_dataset
def _spans(dataset: Dataset) -> _Spans:
    return _Spans(
        np.array([span(episode.actions) for episode in dataset.episodes]),
        np.array([_known_span(episode.states) for episode in dataset.episodes]),
        np.array([np.median(np.abs(e.actions - e.states), axis=0) for e in dataset.episodes]),
    )


def _known_span(states: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each joint moves, [J]; NaN where nothing was measured."""
    return np.where(np.isfinite(states).any(axis=0), span(states), np.nan)


def _unmoved(dataset: Dataset, joint: int, min_followed: float) -> tuple[tuple[int, ...], float]:
    """Episodes in which a commanded joint stays where it is, and the largest share it follows there."""
    least = COMMANDED_SHARE * float(np.median(action_scale(dataset)))
    spans = _spans(dataset)
    commanded, measured = spans.commanded[:, joint], spans.measured[:, joint]
    dead = (commanded > least) & (measured < min_followed * commanded)
    if not dead.any():
        return (), 0.0
    resting = (measured < min_followed * least) & (spans.gap[:, joint] > least)
    episodes = tuple(dataset.episodes[i].index for i in np.flatnonzero(dead | resting))
    return episodes, float((measured[dead] / commanded[dead]).max())


def _dead_joint(
    dataset: Dataset, name: str, episodes: tuple[int, ...], followed: float, min_followed: float
) -> Finding:
    every = len(episodes) == len(dataset.episodes)
    joint = dataset.joint_names.index(name)
    here = [episode for episode in dataset.episodes if episode.index in episodes]
    wanted, measured = (
        np.nanpercentile(np.concatenate([getattr(e, column)[:, joint] for e in here]), [1, 99])
        for column in ("actions", "states")
    )
    return Finding(
        severity=Severity.ERROR,
        summary=(
            f"{name} is commanded from {wanted[0]:.1f} to {wanted[1]:.1f} and stays "
            f"between {measured[0]:.1f} and {measured[1]:.1f}."
        ),
        where=Where(episodes, joint=name),
        evidence=(Evidence("followed", 100 * followed, 100 * min_followed, "%"),),
        fix=Fix(
            f"Look at the servo of {name}: its cable, its ID, whether its torque is on; then "
            + ("record again." if every else "drop these episodes or record them again.")
        ),
    )


def _stops_short(
    dataset: Dataset, joint: int, sign: float, beyond_share: float, min_frames_share: float
) -> Iterator[Finding]:
    """The finding for one joint and one direction, +1 or -1, if commands lie beyond its stop."""
    scale = float(action_scale(dataset)[joint])
    known = dataset.states[np.isfinite(dataset.states[:, joint]), joint]
    if not len(known):
        return
    reach = float(np.percentile(sign * known, 99.9))
    if not (sign * dataset.actions[:, joint] > reach + beyond_share * scale).mean() > min_frames_share:
        return
    margin, still = beyond_share * scale, STILL_SHARE * scale
    held = {e.index: _held_beyond(e, joint, sign, reach, scale, margin, still) for e in dataset.episodes}
    frames = sum(int(mask.sum()) for mask in held.values())
    episodes = tuple(number for number, mask in held.items() if mask.any())
    if frames <= min_frames_share * dataset.frames:
        return
    furthest = max(
        float((sign * e.actions[held[e.index], joint]).max(initial=reach)) for e in dataset.episodes
    )
    name = dataset.joint_names[joint]
    yield Finding(
        summary=f"{name} is commanded to {sign * furthest:.1f} but always stops at {sign * reach:.1f}.",
        where=Where(episodes, joint=name),
        evidence=(
            Evidence("commanded beyond its stop by", furthest - reach, beyond_share * scale),
            Evidence("frames", 100 * frames / dataset.frames, 100 * min_frames_share, "%"),
        ),
        fix=Fix(f"Calibrate leader and follower again over the whole range of {name}, or limit the leader."),
    )


def _held_beyond(
    episode: Episode, joint: int, sign: float, reach: float, scale: float, margin: float, still: float
) -> NDArray[np.bool_]:
    """Frames of an episode in which the joint stands at its stop and is told to go on, if held for long."""
    states, commands = sign * episode.states[:, joint], sign * episode.actions[:, joint]
    gap = _usual_gap(commands, states, reach - STOP_FREE_SHARE * scale, still)
    commands = commands - gap if abs(gap) > margin else commands
    mask = (np.abs(states - reach) < STOP_SHARE * scale) & (commands > reach + margin)
    _, longest = longest_run(mask)
    return mask if longest >= HOLD_S * episode.fps else np.zeros_like(mask)


def _usual_gap(
    commands: NDArray[np.float64], states: NDArray[np.float64], below: float, still: float
) -> float:
    """By how much commands exceed a joint that rests far from its stop: a matter of calibration."""
    resting = states < below
    resting[1:] &= (np.abs(np.diff(states)) <= still) & (np.abs(np.diff(commands)) <= still)
    return float(np.median((commands - states)[resting])) if resting.sum() >= MIN_RESTING else 0.0
