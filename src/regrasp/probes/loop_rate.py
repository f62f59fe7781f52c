"""The policy's plans are carried out at the rate of its training, instead of that of the rollouts.

A policy plans frames, not seconds. Asked at the starts of the rollouts, it gives the way that it means to go; at another
rate the arm is elsewhere on it at each moment.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.loop_signals import loop_times
from regrasp.diagnosis.probe import Case, Measurement, probe
from regrasp.diagnosis.reference import HEALTHY_QUANTILE, InputDistance
from regrasp.stats.resampling import interval_of_median

type Array = NDArray[np.float64]

SAME_SHARE = 0.01
"""Rates that differ by less are the same one."""


@probe(cause="rate-mismatch")
def loop_rate(case: Case) -> Iterator[Measurement]:
    """The rate on file where it is not the training's, else the one by the clock."""
    if case.rollouts is None or case.reference is None or not np.isfinite(case.contract.fps):
        return
    times = rate_of(case.rollouts, case.contract.fps) / case.contract.fps
    if abs(times - 1) <= SAME_SHARE:
        return
    plans, trained = (case.reference.policy.chunks(batch) for batch in (case.observed, case.train))
    if plans.shape[1] < 2:
        return
    usual = float(np.median(_pace(trained)))
    own = 100 * np.abs(_pace(trained) / usual - 1)
    before, after = (100 * np.abs(factor * _pace(plans) / usual - 1) for factor in (times, 1.0))
    shown, driven = _both_ways(plans, times)
    yield Measurement(
        name=f"plans carried out at {case.contract.fps:g} Hz",
        distances=(
            InputDistance(
                "the arm's pace, in % off that of training starts,",
                float(np.median(before)),
                float(np.median(after)),
                float(np.median(own)),
                float(np.quantile(own, HEALTHY_QUANTILE)),
                interval_of_median(before),
            ),
        ),
        moved=case.reference.plan_moved(driven, shown),
        moving="at each moment the arm is elsewhere by {:.2f} of the spread of plans over training starts",
        command=None,
    )


def rate_of(rollouts: Rollouts, trained: float) -> float:
    """Turns a second, without the time that the policy took: by the clock where the rate on file is the training's."""
    fps = rollouts.dataset.fps
    measured = [one.apart_hz for one in loop_times(rollouts)]
    if abs(fps - trained) > SAME_SHARE * trained or not measured:
        return fps
    return min(fps, float(np.median(measured)))


def _pace(plans: Array) -> Array:
    """How far each plan [n, chunk, J] goes in a frame, mean over time and joints, [n]; above 0."""
    return np.maximum(np.abs(np.diff(plans, axis=1)).mean(axis=(1, 2)), 1e-9)


def _both_ways(plans: Array, times: float) -> tuple[Array, Array]:
    """Plans [n, chunk, J] at the training's moments, and where the arm is then at `times` the rate; as far as both go."""
    chunk = plans.shape[1]
    frames = np.arange(chunk, dtype=np.float64)
    frames = frames[frames * times <= chunk - 1]
    return plans[:, frames.astype(np.int64)], between(plans, frames * times)


def between(plans: Array, frames: Array) -> Array:
    """Plans [n, chunk, J] at frames that need not be whole, [n, len(frames), J]."""
    low = np.clip(np.floor(frames).astype(int), 0, plans.shape[1] - 1)
    high = np.minimum(low + 1, plans.shape[1] - 1)
    share = (np.clip(frames, 0, plans.shape[1] - 1) - low)[:, None]
    return (1 - share) * plans[:, low] + share * plans[:, high]
