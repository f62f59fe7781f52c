"""Rollouts or a station whose arm starts where no demonstration did."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView
from regrasp.faults.moved_camera import moved
from regrasp.faults.pictures import change_pictures

SEEN_SHARE = 0.12
"""Of the width: how far an arm that stands elsewhere moves what a camera shows."""


def start_pose_shift[Posed: (LiveView, Rollouts)](
    artefact: Posed, *, joint: int = 0, shift_deg: float = -60.0
) -> Posed:
    """The same, with one joint standing elsewhere: in rollouts in every frame, state and action alike.

    The cameras of rollouts see it: their pictures are shifted by `SEEN_SHARE` of the width.
    """
    if isinstance(artefact, LiveView):
        return replace(artefact, joints=artefact.joints + shift_deg * _unit(len(artefact.joints), joint))
    data = artefact.dataset
    step = shift_deg * _unit(len(data.joint_names), joint)
    episodes = tuple(
        replace(one, states=one.states + step, actions=one.actions + step) for one in data.episodes
    )
    changed = replace(data, episodes=episodes)
    for camera in data.camera_names:
        changed = change_pictures(
            changed,
            camera,
            lambda picture, _: moved(picture, SEEN_SHARE, 0.0, 0.0, 1.0),
            [one.index for one in episodes],
        )
    return replace(artefact, dataset=changed)


def _unit(count: int, place: int) -> NDArray[np.float64]:
    return np.eye(count)[place]
