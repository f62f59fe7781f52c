"""The policy's plans are carried out without waiting for it.

While a query is waited for, the arm holds its last command. Asked at the starts of the rollouts, the policy gives the way
that it means to go; the arm is behind on it by the time of a query.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.loop_signals import LEAST_SHARE, LoopTime, loop_times
from regrasp.diagnosis.probe import Case, Measurement, probe
from regrasp.diagnosis.reference import InputDistance
from regrasp.probes.loop_rate import between
from regrasp.stats.resampling import interval_of_median

type Array = NDArray[np.float64]


@probe(cause="late-inference")
def query_time(case: Case) -> Iterator[Measurement]:
    """Rollouts whose ticks say how long the loop waited at its queries."""
    if case.rollouts is None or case.reference is None:
        return
    times = [one for one in loop_times(case.rollouts) if one.queries]
    wait_s = _usual_wait(times)
    if wait_s * case.rollouts.dataset.fps < 1:
        return
    plans = case.reference.policy.chunks(case.observed)
    late = between(plans, np.maximum(np.arange(plans.shape[1]) - wait_s * case.rollouts.dataset.fps, 0.0))
    waited = 100 * (1 - np.array([one.held_hz / one.wanted_hz for one in times]))
    yield Measurement(
        name=f"no wait of {1000 * wait_s:.0f} ms at each query",
        distances=(
            InputDistance(
                "the time that the arm waits for the policy, in %,",
                float(np.median(waited)),
                0.0,
                0.0,
                100 * (1 - LEAST_SHARE),
                interval_of_median(waited),
            ),
        ),
        moved=case.reference.plan_moved(late, plans),
        moving="after a query the arm is behind by {:.2f} of the spread of plans over training starts",
        command=None,
    )


def _usual_wait(times: Sequence[LoopTime]) -> float:
    """Median over episodes of the wait at a query, seconds; 0 without any."""
    return float(np.median([one.waited_s / one.queries for one in times])) if times else 0.0
