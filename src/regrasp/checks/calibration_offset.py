"""A joint's zero lies elsewhere in some episodes, or leader and follower disagree about it.

## What it detects
Episodes in which one joint is off by the same angle from the first frame to the last, as after a new calibration
or a horn that slipped by a tooth: in command and measurement alike, or in one of the two. And a joint that rests
away from its command by the same angle in every episode. In rollouts: a joint that reads elsewhere than the cameras
show it.

## Why it matters
The same pose has two sets of numbers. A policy that was shown both aims between them: 10 degrees at the shoulder
are 5 cm at the jaws. The training loss does not show it.

## How it decides
*Between command and measurement*: while a joint rests, it stays behind its command by what gravity and gear play
take. On 33 episodes of five real arms that is at most 3.1 degrees in the median of an episode. Episodes whose
joint rests `min_offset_deg` or more away from where it does in the others are named, if no episode lies
between and the two groups are each narrow (a distance of more than 4 standard deviations; more for few episodes).
A joint that is off by `max_gap_deg` in all episodes is named too.

*Of both*: seven values of each joint (start, end, quantiles from 2 to 98 %) are compared. An episode that starts
elsewhere returns to the others' poses: its first value is off, its extremes are not. A joint whose zero has moved
is off in all of them by one amount. At least three of the values must be steady enough among the other episodes to
tell, the last one or both extremes among them, and they must agree to a quarter of the offset.

*In rollouts*: an arm that was calibrated anew reads `degrees` too much, and is sent as much too little, so that its
command and its measurement agree; only the cameras can tell. Each joint is learned to be read off the first pictures of
the training's episodes (ridge regression on a 12 x 16 grid of all cameras), and read off those of the rollouts. A joint
whose encoder differs from that by `min_offset_deg`, and by 4 standard errors over the rollouts, is reported, if
the pictures of every camera look like the training's: where they do not, the arm may really stand elsewhere. On the
simulated arm a picture of 96 x 96 tells pan, elbow, wrist and gripper to 0.1 to 1.1 degrees; the lift, which hardly
varied, it tells by looking as it always did. Offsets of 12 and -10 degrees were measured as 12.7 and -10.3.

Radians are judged by the same angles. Grippers are left out: objects decide where they rest.

## What can fool it
A joint that rests against an object or a stop in some episodes and not in others. A second session with a
table of another height: every pose of one joint may shift. Where the joint's poses vary from one episode to the next
by as much as the offset, nothing is seen. A joint that the cameras do not see looks right to them wherever it stands:
3 degrees at the shoulder's lift move nothing in a picture of 96 x 96.

## How to fix it
Calibrate leader and follower again, both against the same pose, and record the named episodes anew. If the offset is
known to be one of calibration, adding it to the joint repairs the data. Before rollouts, restore the calibration that
the training was recorded with, or calibrate the joint again to the same pose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.arm_in_view import (
    FEWEST_ROLLOUTS,
    FEWEST_STARTS,
    MOST_UNLIKE,
    ZeroOffset,
    unlikeness,
    zero_offsets,
)
from regrasp.diagnosis.first_looks import first_looks
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.joint_signals import POSES, poses, resting_gaps
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.signals import known_median
from regrasp.diagnosis.unit_signals import DEGREES_PER, body_joints, in_one_unit, units

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

MIN_EPISODES = 3
"""Of two, either could be off."""

MIN_SHARED = 0.8
"""Of the episodes: a gap that all of them have shows in so many at least, whatever is held in the others."""

DEVIATIONS = 4.0
"""By how many standard deviations of the groups they must lie apart; more where there are few episodes."""

NORMAL_PER_MEDIAN_DEVIATION = 1.4826
"""Standard deviation of a normal distribution whose median absolute deviation is 1."""

STEADY_DEG = 0.2
"""Two steps of the encoder: no spread is known to be smaller."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Episodes off by `offset` from the others, bool [E]; `spread` is the standard deviation within each side."""

    odd: NDArray[np.bool_]
    offset: float
    spread: float


@check(severity=Severity.WARNING, explains=("scattered-starts", "out-of-limits", "thin-coverage"))
def calibration_offset(
    dataset: Dataset, *, min_offset_deg: float = 4.0, max_gap_deg: float = 5.0
) -> Iterator[Finding]:
    """Report joints whose zero differs between episodes, or between leader and follower."""
    dataset = in_one_unit(dataset)
    if len(dataset.episodes) < MIN_EPISODES:
        raise Undecided(f"needs {MIN_EPISODES} episodes to compare, got {len(dataset.episodes)}")
    unit = DEGREES_PER[units(dataset).usual]
    comparable = dataset.states.shape == dataset.actions.shape
    gaps = resting_gaps(dataset) * unit if comparable else np.full((len(dataset.episodes), 1), np.nan)
    values = poses(dataset).states * unit
    for joint in body_joints(dataset):
        group = _odd_group(gaps[:, joint], min_offset_deg) if comparable else None
        if group is not None:
            yield _between_columns(dataset, joint, group, min_offset_deg)
        elif comparable and (gap := _shared_gap(gaps[:, joint], max_gap_deg)):
            yield _everywhere(dataset, joint, gap, max_gap_deg)
        else:
            moved = _moved_zero(values[:, :, joint], min_offset_deg)
            if moved is not None:
                yield _of_both(dataset, joint, moved, min_offset_deg)


@check(severity=Severity.ERROR, explains=("start-pose-shift",))
def calibration_offset_deployed(
    contract: "Contract", train: Dataset, rollouts: Rollouts, *, min_offset_deg: float = 4.0
) -> Iterator[Finding]:
    """Report joints of rollouts whose encoders read elsewhere than the cameras show them."""
    if any(joint.unit not in ("deg", "0-100") for joint in contract.joints):
        raise Undecided("needs joints in degrees")
    trained, seen = _first_grids(train), _first_grids(rollouts.dataset)
    cameras = [name for name in contract.camera_names if name in trained and name in seen]
    if not cameras:
        raise Undecided("needs a camera that saw training and rollouts from their first frames on")
    if len(train.episodes) < FEWEST_STARTS or len(rollouts.episodes) < FEWEST_ROLLOUTS:
        raise Undecided(
            f"needs {FEWEST_STARTS} training episodes and {FEWEST_ROLLOUTS} rollouts, got {len(train.episodes)} and "
            f"{len(rollouts.episodes)}"
        )
    trained, seen = ({name: grids[name] for name in cameras} for grids in (trained, seen))
    unlike = {name: value for name, value in unlikeness(trained, seen).items() if value > MOST_UNLIKE}
    if unlike:
        raise Undecided(
            f"camera '{next(iter(unlike))}' starts with another view than in training, and cannot tell the arm's pose"
        )
    starts, now = (
        np.stack([episode.states[0] for episode in data.episodes]) for data in (train, rollouts.dataset)
    )
    for offset in zero_offsets(trained, starts, seen, now, least=min_offset_deg):
        yield _deployed(contract, rollouts, offset, min_offset_deg)


def _first_grids(dataset: Dataset) -> dict[str, NDArray[np.float64]]:
    """First pictures of those cameras that every episode has, [E, 12, 16, 3]."""
    return {
        name: np.stack([looks[episode.index].colours for episode in dataset.episodes])
        for name, looks in first_looks(dataset).items()
        if len(looks) == len(dataset.episodes)
    }


def _deployed(contract: "Contract", rollouts: Rollouts, offset: ZeroOffset, least: float) -> Finding:
    joint = contract.joints[offset.place]
    unit = "degrees" if joint.unit == "deg" else "of 100"
    way = "more" if offset.degrees > 0 else "less"
    return Finding(
        summary=(
            f"{joint.name} reads {abs(offset.degrees):.1f} {unit} {way} than the cameras show it "
            f"({min(abs(offset.low), abs(offset.high)):.1f} to {max(abs(offset.low), abs(offset.high)):.1f})."
        ),
        where=Where(tuple(episode.index for episode in rollouts.episodes), joint=joint.name),
        evidence=(Evidence("offset of the reading", round(offset.degrees, 2), least, unit),),
        fix=Fix(
            f"Restore the calibration that the training was recorded with, or calibrate {joint.name} again so that it "
            f"reads {abs(offset.degrees):.1f} {'less' if offset.degrees > 0 else 'more'} in the same pose."
        ),
    )


def _odd_group(values: NDArray[np.float64], least: float) -> _Group | None:
    """The smaller of two groups that a wide gap parts; the later one of equals. NaN belongs to neither."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < MIN_EPISODES:
        return None
    rising = np.sort(values[known])
    cut = int(np.argmax(np.diff(rising)))
    low, high = rising[: cut + 1], rising[cut + 1 :]
    offset = float(np.median(high) - np.median(low))
    spread = _spread_within(low, high)
    if high[0] - low[-1] <= DEVIATIONS * (1 + 4 / len(known)) * spread or offset < least:
        return None
    upper = np.isfinite(values) & (values >= high[0])
    lower = np.isfinite(values) & (values <= low[-1])
    if len(high) == len(low):
        odd_is_high = int(np.flatnonzero(upper)[-1]) > int(np.flatnonzero(lower)[-1])
    else:
        odd_is_high = len(high) < len(low)
    return _Group(upper, offset, spread) if odd_is_high else _Group(lower, -offset, spread)


def _spread_within(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Standard deviation around the median of each side."""
    away = np.concatenate([np.abs(side - np.median(side)) for side in (low, high) if len(side) > 1])
    return max(STEADY_DEG, NORMAL_PER_MEDIAN_DEVIATION * float(np.median(away)))


def _shared_gap(gaps: NDArray[np.float64], limit: float) -> float:
    """The median gap, if it exceeds the limit and nearly all episodes have one like it; else 0."""
    known = gaps[np.isfinite(gaps)]
    if len(known) < MIN_EPISODES or np.abs(np.median(known)) <= limit:
        return 0.0
    shared = np.abs(known - np.median(known)) < 0.5 * np.abs(np.median(known))
    return float(np.median(known)) if shared.mean() >= MIN_SHARED else 0.0


def _moved_zero(values: NDArray[np.float64], least: float) -> _Group | None:
    """Episodes in which all steady values of a joint, [E, 7], are off by one offset."""
    groups = [_odd_group(values[:, place], least) for place in range(len(POSES))]
    parted = [group for group in groups if group is not None]
    tried: set[bytes] = set()
    for group in sorted(parted, key=lambda group: -abs(group.offset) / group.spread):
        if group.odd.tobytes() not in tried and _is_off_throughout(values, group):
            return _completed(values, group)
        tried.add(group.odd.tobytes())
    return None


def _completed(values: NDArray[np.float64], group: _Group) -> _Group:
    """With every episode on the side to which its steady values are nearer, taken together."""
    usual, spread = _usual(values[~group.odd])
    weights = 1 / spread**2
    known = np.where(np.isfinite(values), values, usual)
    offsets = ((known - usual) * weights).sum(axis=1) / weights.sum()
    return _Group(offsets / group.offset > 0.5, group.offset, group.spread)


def _usual(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and standard deviation of each value over episodes, both [7]."""
    middle = known_median(values, axis=0)
    away = known_median(np.abs(values - middle), axis=0)
    return middle, np.maximum(STEADY_DEG, NORMAL_PER_MEDIAN_DEVIATION * away)


def _is_off_throughout(values: NDArray[np.float64], group: _Group) -> bool:
    """Whether the values that can tell all show the offset of these episodes, and enough of them can."""
    odd, rest = values[group.odd], values[~group.odd]
    if not np.isfinite(odd).all():
        return False
    usual, spread = _usual(rest)
    offsets = np.median(odd, axis=0) - usual
    tells = DEVIATIONS * (1 + 4 / len(values)) * spread < abs(group.offset)
    agrees = np.abs(offsets - group.offset) <= np.maximum(0.25 * abs(group.offset), 3 * spread)
    start, lowest, highest, end = (POSES.index(name) for name in ("start", "lowest", "highest", "end"))
    beyond_start = tells[end] or (tells[lowest] and tells[highest])
    near = np.abs(odd - usual - group.offset) <= np.maximum(0.5 * abs(group.offset), DEVIATIONS * spread)
    return bool(
        tells[start] and tells.sum() >= 3 and beyond_start and agrees[tells].all() and near[:, tells].all()
    )


def _between_columns(dataset: Dataset, joint: int, group: _Group, least: float) -> Finding:
    name, numbers = dataset.joint_names[joint], _numbers(dataset, group.odd)
    return Finding(
        summary=(
            f"{name} rests {abs(group.offset):.1f} degrees {'lower' if group.offset > 0 else 'higher'} under "
            f"the same command in {len(numbers)} of {len(dataset.episodes)} episodes than in the others."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence("offset of measurement against command", -group.offset, least, "degrees"),),
        fix=Fix(
            "Calibrate leader and follower again, and record these episodes anew, or drop them.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _everywhere(dataset: Dataset, joint: int, gap: float, limit: float) -> Finding:
    name = dataset.joint_names[joint]
    return Finding(
        summary=f"{name} rests {abs(gap):.1f} degrees {'below' if gap > 0 else 'above'} its command in all episodes.",
        where=Where(tuple(episode.index for episode in dataset.episodes), joint=name),
        evidence=(Evidence("offset of measurement against command", -gap, limit, "degrees"),),
        fix=Fix(
            f"Calibrate leader and follower of {name} against the same pose; deploy with the calibration "
            "that this was recorded with."
        ),
    )


def _of_both(dataset: Dataset, joint: int, group: _Group, least: float) -> Finding:
    name, numbers = dataset.joint_names[joint], _numbers(dataset, group.odd)
    return Finding(
        summary=(
            f"{name} is off by {group.offset:+.1f} degrees throughout {len(numbers)} of "
            f"{len(dataset.episodes)} episodes."
        ),
        where=Where(numbers, joint=name),
        evidence=(Evidence("offset", group.offset, least, "degrees"),),
        fix=Fix(
            "If the arm was calibrated anew between these episodes, record them again or drop them.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _numbers(dataset: Dataset, where: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(dataset.episodes[place].index for place in np.flatnonzero(where))
