"""The policy is asked again with its arm reported in a pose that training episodes started from.

The pictures stay as they are, so it is the joint state alone that is put right. What they show of the arm
is measured with the cameras.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.observations import STATE
from regrasp.diagnosis.probe import Case, Intervention, probe
from regrasp.diagnosis.reference import SMALLEST_SPREAD_DEG


@probe(cause="start-pose-shift")
def start_pose(case: Case) -> Iterator[Intervention]:
    """For each episode, the training start nearest to its own."""
    yield Intervention(
        name="started from a training pose",
        inputs=(STATE,),
        batch=replace(case.observed, states=nearest_starts(case.observed.states, case.train.states)),
        command="regrasp rollout CHECKPOINT --station STATION --starts home"
        if case.contract.is_twin
        else None,
    )


def nearest_starts(states: NDArray[np.float64], starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each state [n, J], the nearest of the starts [m, J], each joint in units of its spread."""
    spread = np.maximum(starts.std(axis=0), SMALLEST_SPREAD_DEG)
    apart = (states[:, None] - starts[None]) / spread
    return starts[np.argmin(np.sum(apart**2, axis=2), axis=1)]
