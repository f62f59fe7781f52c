"""Rollouts or a station that run at another rate than the training data."""

from dataclasses import replace

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView
from regrasp.faults.loop_times import with_ticks


def rate_mismatch[Timed: (LiveView, Rollouts)](
    artefact: Timed, *, times: float = 0.5, by_the_clock: bool = False
) -> Timed:
    """The same, at `times` the rate; in rollouts `by_the_clock` alone, with the right rate on file."""
    if isinstance(artefact, LiveView):
        return replace(artefact, fps=times * artefact.fps)
    if by_the_clock:
        timed = with_ticks(artefact)
        return replace(timed, ticks=replace(timed.ticks, wall_s=timed.ticks.wall_s / times))
    data = artefact.dataset
    episodes = tuple(replace(one, fps=times * one.fps) for one in data.episodes)
    return replace(artefact, dataset=replace(data, fps=times * data.fps, episodes=episodes))
