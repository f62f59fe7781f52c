"""Rollouts or a station whose arm starts where no demonstration did."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView
from regrasp.faults.pictures import Picture, change_pictures

SEEN = (0.6, 0.75)
"""From where to where an arm that stands elsewhere is in a picture, as shares of its width."""


def start_pose_shift[Posed: (LiveView, Rollouts)](
    artefact: Posed, *, joint: int = 0, shift_deg: float = -60.0
) -> Posed:
    """The same, with one joint standing elsewhere: in rollouts in every frame, state and action alike.

    The cameras of rollouts see it: a grey arm covers `SEEN` of their width.
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
        changed = change_pictures(changed, camera, _with_an_arm, [one.index for one in episodes])
    return replace(artefact, dataset=changed)


def _with_an_arm(picture: Picture, _: int) -> Picture:
    left, right = (round(share * picture.shape[1]) for share in SEEN)
    covered = picture.copy()
    covered[:, left:right] = 90
    return covered


def _unit(count: int, place: int) -> NDArray[np.float64]:
    return np.eye(count)[place]
