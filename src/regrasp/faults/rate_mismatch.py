"""Rollouts or a station that run at another rate than the training data."""

from dataclasses import replace

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView


def rate_mismatch[Timed: (LiveView, Rollouts)](artefact: Timed, *, times: float = 0.5) -> Timed:
    """The same, at `times` the rate."""
    if isinstance(artefact, LiveView):
        return replace(artefact, fps=times * artefact.fps)
    data = artefact.dataset
    episodes = tuple(replace(one, fps=times * one.fps) for one in data.episodes)
    return replace(artefact, dataset=replace(data, fps=times * data.fps, episodes=episodes))
