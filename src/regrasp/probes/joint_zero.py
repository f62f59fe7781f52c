"""The policy is asked again with joints shifted back that read elsewhere than the cameras show them.

A joint that reads too high also goes too low: its commands arrive as much off as it reads.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import GRID, grid_means
from regrasp.diagnosis.arm_in_view import (
    FEWEST_ROLLOUTS,
    FEWEST_STARTS,
    MOST_UNLIKE,
    unlikeness,
    zero_offsets,
)
from regrasp.diagnosis.observations import STATE
from regrasp.diagnosis.probe import Case, Intervention, probe

LEAST_DEG = 4.0
"""As in the check."""


@probe(cause="calibration-offset")
def joint_zero(case: Case) -> Iterator[Intervention]:
    """All joints that are off at once, where the cameras show the arm as it started in training."""
    train, observed = case.train, case.observed
    if len(train) < FEWEST_STARTS or len(observed) < FEWEST_ROLLOUTS:
        return
    keys = [key for key in train.images if key not in case.lacking]
    trained, seen = ({key: _grids(batch.images[key]) for key in keys} for batch in (train, observed))
    if not keys or max(unlikeness(trained, seen).values()) > MOST_UNLIKE:
        return
    states, off = observed.states.copy(), np.zeros(observed.states.shape[1])
    offsets = zero_offsets(trained, train.states, seen, states, least=LEAST_DEG)
    for offset in offsets:
        states[:, offset.place] -= offset.degrees
        off[offset.place] = offset.degrees
    if offsets:
        names = case.contract.joint_names
        shifts = ", ".join(f"{names[offset.place]} by {-offset.degrees:+.1f}" for offset in offsets)
        yield Intervention(
            name=f"shifted back: {shifts}",
            inputs=(STATE,),
            batch=replace(observed, states=states),
            command=None,
            commands_off=off,
        )


def _grids(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[n, h, w, 3] on the fingerprint's grid."""
    return np.stack([grid_means(picture, GRID) for picture in pictures])
