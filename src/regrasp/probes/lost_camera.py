"""The policy is asked about training starts with a camera black that rollouts lack."""

from collections.abc import Iterator

import numpy as np

from regrasp.diagnosis.probe import Case, Intervention, probe
from regrasp.probes.blank_camera import shown_again


@probe(cause="missing-camera")
def lost_camera(case: Case) -> Iterator[Intervention]:
    """All cameras at once that rollouts lack; a black picture stands for each, whatever the policy does without."""
    lost = [key for key in case.train.images if key in case.lacking]
    if lost:
        yield shown_again(case, {key: np.zeros(case.train.images[key].shape[1:]) for key in lost})
