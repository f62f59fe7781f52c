"""Episodes start from different poses of the arm.

## What it detects
Episodes whose first pose lies away from the pose in which the others start; and episodes in which the leader is
elsewhere than the follower when recording begins.

## Why it matters
The first pictures and joints of a deployment then look like few of the demonstrations, or like none. In
the project that Regrasp comes from, pan between -145 and 14 degrees against -8 +- 3, and a gripper at
2.8-40 against 0.5 +- 0.3, turned a policy that worked into one with 0 to 33 % success.

## How it decides
The usual start is the median of the first measured poses. A joint may stray from it by 15 % of the range in
which it works in this dataset, or of the median joint's range if that is wider. Where all starts vary more
than that (four standard deviations, from the median deviation; more for few episodes), as much is allowed,
up to twice the limit. Where the standard deviation itself is above 1.5 times the limit, there is no usual
start: starts spread evenly over a joint's whole range have 2.3 times.

On five recordings of real arms this names three of their 33 episodes, and the one set that was started
anywhere; sound demonstrations (pan 3 degrees, gripper 0.3) stay below it.

*The leader apart*: in the first frame a joint of the arm is commanded by more than the same 15 % away from where it
is, and is there, to a third of that distance, within a second. What a command that moves already leads by is
taken off. The first commands then show a leap from the start pose that no policy should make; in five recordings
of real arms 6 of 33 episodes begin like that, by 25 to 42 degrees.

## What can fool it
Starts scattered on purpose, so that the policy learns to begin anywhere, look the same. That takes many
more demonstrations; with enough of them this finding can be left alone.

## How to fix it
Drive the arm to one pose before each demonstration. Record the episodes again, or drop them. Or keep them,
and deploy from the usual start.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.gripper_signals import in_one_sense
from regrasp.diagnosis.signals import gripper_joints, joint_scale, known_median

LIMIT_SHARE = 0.15
"""Of a joint's working range, or of the median joint's if that is wider; see the page."""

LEAD_S = 0.2
"""A command that moves already may lead the joint by what it moves in this time: arms lag by 0.08 to 0.14."""

NORMAL_PER_MEDIAN_DEVIATION = 1.4826
"""Standard deviation of a normal distribution whose median absolute deviation is 1."""


@check(severity=Severity.WARNING)
def scattered_starts(dataset: Dataset, *, min_episodes: int = 3) -> Iterator[Finding]:
    """Report that there is no usual start, or the episodes that start away from it."""
    if len(dataset.episodes) < min_episodes:
        raise Undecided(f"needs {min_episodes} episodes to know the usual start, got {len(dataset.episodes)}")
    dataset = in_one_sense(dataset)
    starts = np.array([episode.states[0] for episode in dataset.episodes])
    starts = np.where(np.isnan(starts).all(axis=0), 0.0, starts)  # nothing is known of these joints
    away = np.abs(starts - known_median(starts, axis=0))
    scale = joint_scale(dataset)
    limit = LIMIT_SHARE * np.maximum(scale, np.median(scale))
    spread = NORMAL_PER_MEDIAN_DEVIATION * known_median(away, axis=0)
    deviations = 4 * (1 + 4 / len(starts))  # a spread known from few episodes is itself uncertain
    allowed = np.clip(deviations * spread, limit, 2 * limit)
    if (spread > 1.5 * limit).any():
        yield _no_usual_start(dataset, starts, spread, 1.5 * limit)
    elif (away > allowed).any():
        yield _some_away(dataset, starts, away, allowed)


@check(severity=Severity.WARNING)
def leader_apart(dataset: Dataset) -> Iterator[Finding]:
    """Report the episodes that begin with the leader away from the follower."""
    dataset = in_one_sense(dataset)
    if dataset.states.shape != dataset.actions.shape or dataset.action_names not in ((), dataset.joint_names):
        return
    scale = joint_scale(dataset)
    limit = LIMIT_SHARE * np.maximum(scale, np.median(scale))
    limit[list(gripper_joints(dataset.joint_names))] = (
        np.inf
    )  # what a gripper holds keeps it from its command
    gaps = np.array([_caught_up_gap(episode) for episode in dataset.episodes])
    if (np.abs(gaps) > limit).any():
        yield _apart(dataset, gaps, limit)


def _caught_up_gap(episode: Episode) -> NDArray[np.float64]:
    """By how much each joint is commanded away from where it begins, [J]; 0 where it does not go there at once."""
    frames = min(max(round(episode.fps), 1), episode.length - 1)
    gaps = np.nan_to_num(episode.actions[: frames + 1] - episode.states[: frames + 1])
    lead = max(round(LEAD_S * episode.fps), 1)
    moved = episode.actions[: lead + 1] - episode.actions[0]
    first = np.abs(gaps[0]) - np.nan_to_num(np.abs(moved)).max(axis=0)
    caught = np.abs(gaps).min(axis=0) < np.abs(gaps[0]) / 3
    return np.where(caught & (first > 0), np.sign(gaps[0]) * first, 0.0)


def _apart(dataset: Dataset, gaps: NDArray[np.float64], limit: NDArray[np.float64]) -> Finding:
    over = np.abs(gaps) / limit
    worst, joint = np.unravel_index(int(np.argmax(over)), over.shape)
    numbers = tuple(dataset.episodes[i].index for i in np.flatnonzero((over > 1).any(axis=1)))
    name, first = dataset.joint_names[joint], dataset.episodes[worst]
    return Finding(
        summary=(
            f"{len(numbers)} of {len(dataset.episodes)} episodes begin with the leader away from the follower; in "
            f"episode {first.index} {name} is commanded to {first.actions[0, joint]:.1f} and is "
            f"at {first.states[0, joint]:.1f}."
        ),
        where=Where(numbers, joint=name),
        evidence=(
            Evidence(f"{name} commanded away by", float(abs(gaps[worst, joint])), float(limit[joint])),
        ),
        fix=Fix(
            "Begin to record when the follower has reached the leader; cut the first second of these episodes."
        ),
    )


def _no_usual_start(
    dataset: Dataset, starts: NDArray[np.float64], spread: NDArray[np.float64], limit: NDArray[np.float64]
) -> Finding:
    joint = int(np.nanargmax(spread / limit))
    name = dataset.joint_names[joint]
    low, high = np.nanmin(starts[:, joint]), np.nanmax(starts[:, joint])
    return Finding(
        summary=f"Episodes start anywhere: {name} between {low:.1f} and {high:.1f}.",
        where=Where(tuple(episode.index for episode in dataset.episodes), joint=name),
        evidence=(Evidence(f"standard deviation of {name} at the start", spread[joint], limit[joint]),),
        fix=Fix("Drive the arm to one pose before each demonstration, and record again."),
    )


def _some_away(
    dataset: Dataset, starts: NDArray[np.float64], away: NDArray[np.float64], allowed: NDArray[np.float64]
) -> Finding:
    worst, joint = np.unravel_index(np.nanargmax(away / allowed), away.shape)
    strayed = np.flatnonzero((away > allowed).any(axis=1))
    numbers = tuple(dataset.episodes[i].index for i in strayed)
    name = dataset.joint_names[joint]
    return Finding(
        summary=(
            f"{len(numbers)} of {len(dataset.episodes)} episodes start away from the usual pose; "
            f"in episode {dataset.episodes[worst].index} {name} starts at {starts[worst, joint]:.1f} "
            f"instead of about {np.nanmedian(starts[:, joint]):.1f}."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence(f"{name} off by", away[worst, joint], allowed[joint]),),
        fix=Fix(
            "Record these episodes again from the usual pose, or drop them.", drop_episodes(dataset, numbers)
        ),
    )
