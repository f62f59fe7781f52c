"""The measured joints run too late behind the commands, or before them.

## What it detects
A shift in time between the column of commands and the column of measurements: in the whole dataset or in single
episodes. The number has a sign: positive means that the arm moves after it was told.

## Why it matters
The policy learns which command belongs to which picture and pose. Where the columns are shifted, it learns the
command of another moment: in deployment the arm comes late to the object, or overshoots. A measurement that runs
before its command is no arm at all, but two columns that do not belong together.

## How it decides
The speed of each joint is compared with the speed of its command at all shifts up to a second; the shift of the
greatest correlation is its lag, to a fraction of a frame. An episode's lag is the median of its joints; grippers
are left out, because an object stops them.

Six arms lag 0.08 to 0.12 seconds (2.2 to 3.6 frames): five public recordings of SO-101 and Koch arms, and the
simulated one; servos under load 0.14. From one episode to the next of the same recording it differs by at most
0.035 seconds. Reported are lags of more than `max_lag_s`, less than minus half a frame, and episodes that stray
from the others by more than `max_difference_s` (two and a half frames, if that is longer).

## What can fool it
A robot that is driven through a slow network, or whose recorder smooths the commands, may lag for good
reasons. Joints that hardly move, or repeat one motion faster than once a second, tell nothing or the wrong thing.

## How to fix it
Find out which column is late: a recorder that reads the arm before a long wait, a bus that is shared, timestamps
of two clocks. Then record again, or shift that column by the frames that are named here.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.joint_signals import lags
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.signals import require_matching_joints
from regrasp.diagnosis.unit_signals import in_one_unit


@check(severity=Severity.WARNING, explains=("video-out-of-step", "frozen-camera"))
def action_lag(
    dataset: Dataset, *, max_lag_s: float = 0.27, max_difference_s: float = 0.1
) -> Iterator[Finding]:
    """Report a dataset whose joints come too late or too early, else the episodes that stray from the others."""
    require_matching_joints(dataset)
    dataset = in_one_unit(dataset)
    found = lags(dataset)
    usual, least = found.usual, -0.5 / dataset.fps
    if np.isnan(usual):
        raise Undecided("no joint moves enough to tell how late it follows its command")
    late, early = found.episodes > max_lag_s, found.episodes < least
    if usual > max_lag_s:
        yield _everywhere(dataset, usual, late | np.isnan(found.episodes), max_lag_s)
    elif usual < least:
        yield _everywhere(dataset, usual, early | np.isnan(found.episodes), least)
    else:
        allowed = max(max_difference_s, 2.5 / dataset.fps)
        strays = np.abs(found.episodes - usual) > allowed
        strays &= (np.isfinite(found.joints).sum(axis=1) > 1) | late | early
        if strays.any():
            yield _some(dataset, found.episodes, usual, strays, allowed)


def _everywhere(dataset: Dataset, usual: float, where: NDArray[np.bool_], limit: float) -> Finding:
    frames = usual * dataset.fps
    order = "after" if usual > 0 else "before"
    return Finding(
        summary=f"The joints move {abs(frames):.1f} frames ({abs(usual):.2f} s) {order} their commands.",
        where=Where() if where.all() else Where(_numbers(dataset, where)),
        evidence=(
            Evidence("lag", usual, limit, "s"),
            Evidence("lag in frames", frames, limit * dataset.fps),
        ),
        fix=Fix(
            "Find what delays the measurement in the recorder and record again, "
            f"or shift one column by {round(abs(frames))} frames."
            if usual > 0
            else "Commands and measurements are shifted against each other: find where in the recorder or "
            f"the conversion, or shift one column by {round(abs(frames))} frames."
        ),
    )


def _some(
    dataset: Dataset, lags_s: NDArray[np.float64], usual: float, where: NDArray[np.bool_], allowed: float
) -> Finding:
    numbers = _numbers(dataset, where)
    away = np.where(where, np.abs(lags_s - usual), 0.0)
    worst = int(np.argmax(away))
    return Finding(
        summary=(
            f"In {len(numbers)} of {len(dataset.episodes)} episodes the joints follow their commands at another "
            f"time: {lags_s[worst] * dataset.fps:.1f} frames later in episode {dataset.episodes[worst].index}, "
            f"{usual * dataset.fps:.1f} as a rule."
        ),
        where=Where(numbers),
        evidence=(Evidence("lag away from the usual by", float(away[worst]), allowed, "s"),),
        fix=Fix(
            "Drop these episodes, or find what delayed one column while they were recorded.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _numbers(dataset: Dataset, where: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(dataset.episodes[i].index for i in np.flatnonzero(where))
