"""Rollouts or a station whose arm starts where no demonstration did."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView


def start_pose_shift[Posed: (LiveView, Rollouts)](
    artefact: Posed, *, joint: int = 0, shift_deg: float = -60.0
) -> Posed:
    """The same, with one joint standing elsewhere: in rollouts in every frame, state and action alike."""
    if isinstance(artefact, LiveView):
        return replace(artefact, joints=artefact.joints + shift_deg * _unit(len(artefact.joints), joint))
    data = artefact.dataset
    step = shift_deg * _unit(len(data.joint_names), joint)
    episodes = tuple(
        replace(one, states=one.states + step, actions=one.actions + step) for one in data.episodes
    )
    return replace(artefact, dataset=replace(data, episodes=episodes))


def _unit(count: int, place: int) -> NDArray[np.float64]:
    return np.eye(count)[place]
