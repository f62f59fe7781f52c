"""Ticks of a loop that kept its rate, for rollouts without any."""

from dataclasses import replace

import numpy as np

from regrasp.data.episode import Episode
from regrasp.data.rollouts import Rollouts, Ticks


def with_ticks(rollouts: Rollouts, n_action_steps: int = 20) -> Rollouts:
    """The same with ticks: its own, else those of chunks of `n_action_steps` that were sent as they were wanted."""
    if len(rollouts.ticks):
        return rollouts
    parts = [_punctual(episode, n_action_steps) for episode in rollouts.episodes]
    return replace(rollouts, ticks=Ticks.joined(parts))


def _punctual(episode: Episode, n_action_steps: int) -> Ticks:
    tick = np.arange(episode.length)
    position = tick % n_action_steps
    return Ticks(
        episode=np.full(episode.length, episode.index),
        tick=tick,
        wall_s=tick / episode.fps,
        inference_ms=np.where(position == 0, 5.0, np.nan),
        chunk=tick // n_action_steps,
        position_in_chunk=position,
        wanted=episode.actions,
        sent=episode.actions,
        intervened=np.zeros(episode.length, np.bool_),
    )
