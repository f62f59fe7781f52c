"""The gripper is never closed on anything.

## What it detects
Episodes in which the gripper's command hardly changes, or never comes near closed.

## Why it matters
A policy cannot learn a grasp that it is not shown. In rollouts this is the plainest symptom of a failed
deployment: a policy whose demonstrations had the gripper closed in 54.5 % of their frames, and which closed
it in none.

## How it decides
A gripper that is measured from 0 (closed) to 100 (open) must be commanded over a span of at least 10, and at
some time below 40, once it was open that far. In 28 real episodes the smallest span of one that grasps is 15,
and the highest of their lowest commands 9, because people close the leader further than the object allows. One
of them, in which nothing is grasped, spans 0.1.

In another unit only the span can be judged: by 10 % of the span of the whole dataset. With several grippers
an episode is idle when all of them are.

## What can fool it
A task without a grasp, such as pushing. An object so wide that the gripper stays 40 % open around
it. A gripper calibrated the other way round (0 is open) is not seen to close.

## How to fix it
Drop the episodes that show no grasp. If it is all of them, look at the gripper's calibration and at the
leader.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.gripper_signals import in_one_sense
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.signals import action_scale, gripper_joints, span

PERCENT = (-15.0, 115.0)
"""Values of a gripper that is measured from 0 to 100; a bad calibration goes a little beyond."""


@check(severity=Severity.WARNING)
def idle_gripper(
    dataset: Dataset, *, min_span: float = 10.0, must_go_below: float = 40.0
) -> Iterator[Finding]:
    """Report the episodes whose gripper neither moves nor closes."""
    dataset = in_one_sense(dataset)
    names = dataset.names_of_actions
    grippers = gripper_joints(names)
    if not grippers:
        raise Undecided(f"none of the joints {', '.join(names)} is called gripper")
    commands = dataset.actions[:, grippers]
    if not _in_percent(dataset, commands):
        min_span = max(0.1 * float(span(commands).max()), float(np.finfo(np.float64).tiny))
        must_go_below = np.inf
    judged = [
        (episode, *_closest_to_a_grasp(episode, grippers, must_go_below)) for episode in dataset.episodes
    ]
    still = [episode.index for episode, moved, _ in judged if moved < min_span]
    unclosed = [episode.index for episode, moved, low in judged if moved >= min_span and low > must_go_below]
    joint = names[grippers[0]] if len(grippers) == 1 else None
    if still:
        widest = max(moved for episode, moved, _ in judged if episode.index in still)
        evidence = Evidence("span of the command", widest, min_span)
        yield _finding(dataset, "The gripper is never moved", still, joint, evidence)
    if unclosed:
        lowest = min(low for episode, _, low in judged if episode.index in unclosed)
        evidence = Evidence("lowest command", lowest, must_go_below)
        yield _finding(dataset, "The gripper never closes", unclosed, joint, evidence)


def _in_percent(dataset: Dataset, commands: NDArray[np.float64]) -> bool:
    """Whether the unit is 0-100: within what percent may be, in a dataset whose joints exceed radians."""
    finite = commands[np.isfinite(commands)]
    beyond_radians = np.median(action_scale(dataset)) > 2 * np.pi
    return bool(beyond_radians and len(finite) and finite.min() > PERCENT[0] and finite.max() < PERCENT[1])


def _closest_to_a_grasp(episode: Episode, grippers: tuple[int, ...], opened_at: float) -> tuple[float, float]:
    """Widest span, and lowest command since it was open, among the grippers of an episode; NaN is left out.

    A gripper that starts closed and opens has not closed on anything yet; one that never opens has its lowest.
    """
    commands = np.nan_to_num(episode.actions[:, grippers], nan=np.inf)
    lowest = commands.min(axis=0)
    if not np.isfinite(lowest).all():
        return np.inf, -np.inf  # a gripper of which nothing is known
    finite = np.where(np.isfinite(commands), commands, lowest)
    opened = np.maximum.accumulate(finite, axis=0) >= opened_at
    since = np.where(opened | ~opened.any(axis=0), finite, np.inf).min(axis=0)
    return float(np.ptp(finite, axis=0).max()), float(since.min())


def _finding(
    dataset: Dataset, what: str, episodes: list[int], joint: str | None, evidence: Evidence
) -> Finding:
    everywhere = len(episodes) == len(dataset.episodes)
    return Finding(
        summary=f"{what} in {'any episode' if everywhere else count(len(episodes), 'episode')}.",
        where=Where(tuple(episodes), joint=joint),
        evidence=(evidence,),
        fix=Fix(
            "Drop the episodes without a grasp; if all are, check the gripper's calibration and the leader.",
            drop_episodes(dataset, episodes),
            dropping(dataset, episodes),
        ),
    )
