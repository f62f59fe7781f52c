"""A station whose machine is too slow for the policy, or rollouts of one."""

from dataclasses import replace

import numpy as np

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView
from regrasp.faults.loop_times import with_ticks


def late_inference[Timed: (LiveView, Rollouts)](
    artefact: Timed, *, inference_s: float = 0.5, n_action_steps: int | None = 1
) -> Timed:
    """The same with queries that take `inference_s`: of a robot that does not wait, or rollouts whose arm waited."""
    if isinstance(artefact, LiveView):
        return replace(artefact, inference_s=inference_s, n_action_steps=n_action_steps, waits=False)
    timed = with_ticks(artefact, n_action_steps or 1)
    ticks = timed.ticks
    asked = np.isfinite(ticks.inference_ms)
    wait_s = max(inference_s - 1 / artefact.dataset.fps, 0.0) * asked
    waited = np.zeros(len(ticks))
    for episode in np.unique(ticks.episode):
        rows = ticks.episode == episode
        waited[rows] = np.cumsum(wait_s[rows]) - wait_s[rows]
    inference_ms = np.where(asked, 1000 * inference_s, np.nan)
    return replace(timed, ticks=replace(ticks, wall_s=ticks.wall_s + waited, inference_ms=inference_ms))
