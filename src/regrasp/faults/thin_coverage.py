"""Everything is grasped at the same few places."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.data.grasps import find_grasps
from regrasp.data.joint_units import encoder_step_deg


def thin_coverage(dataset: Dataset, *, places: int = 1) -> Dataset:
    """Each episode grasps as one of `places` of them does; it glides there from its own start.

    Body joints are shifted by what is missing at the grasp, fully from the grasp on and not at all at the
    start. Pictures stay as they are.
    """
    poses = {grasp.episode: (grasp.frame, grasp.pose) for grasp in reversed(find_grasps(dataset))}
    if not poses:
        return dataset
    models = sorted((pose for _, pose in poses.values()), key=lambda pose: float(pose[0]))
    kept = [models[round(place)] for place in np.linspace(0, len(models) - 1, max(places, 2))][:places]

    def shift(episode: Episode) -> Episode:
        if episode.index not in poses:
            return episode
        frame, pose = poses[episode.index]
        nearest = min(kept, key=lambda model: abs(float(model[0] - pose[0])))
        offset = _fading_in(episode.length, frame)[:, None] * (nearest - pose)
        offset[:, -1] = 0.0
        step = encoder_step_deg(episode)
        offset = step * np.round(offset / step) if step else offset  # servos count
        return replace(episode, states=episode.states + offset, actions=episode.actions + offset)

    return dataset.map_episodes(shift).as_recorded()


def _fading_in(length: int, until: int) -> NDArray[np.float64]:
    """0 at the start, 1 from frame `until` on, without a jerk; [T]."""
    share = np.clip(np.arange(length) / max(until, 1), 0.0, 1.0)
    return share**3 * (10 - 15 * share + 6 * share**2)
