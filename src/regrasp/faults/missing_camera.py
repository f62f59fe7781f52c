"""Rollouts or a station that lack a camera."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data import Episode
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView


def missing_camera[Filmed: (LiveView, Rollouts)](
    artefact: Filmed, *, camera: str | None = None, episodes: Collection[int] | None = None
) -> Filmed:
    """The same without one camera (the last); rollouts lack it in these episodes (all)."""
    if isinstance(artefact, LiveView):
        lost = camera or list(artefact.images)[-1]
        return replace(artefact, images={name: one for name, one in artefact.images.items() if name != lost})
    data = artefact.dataset
    lost = camera or data.camera_names[-1]

    def without(episode: Episode) -> Episode:
        return replace(episode, cameras={n: one for n, one in episode.cameras.items() if n != lost})

    left = data.map_episodes(without, episodes)
    if episodes is None:
        left = replace(left, camera_names=tuple(name for name in data.camera_names if name != lost))
    return replace(artefact, dataset=left)
