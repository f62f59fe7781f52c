"""Rollouts or a station whose camera exchanges red and blue."""

from collections.abc import Collection
from dataclasses import replace

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView
from regrasp.faults.pictures import change_pictures


def exchanged_colours[Filmed: (LiveView, Rollouts)](
    artefact: Filmed, *, camera: str | None = None, episodes: Collection[int] | None = None
) -> Filmed:
    """The same with red and blue exchanged in one camera (the first); of rollouts in these episodes (all)."""
    if isinstance(artefact, LiveView):
        name = camera or next(iter(artefact.images))
        return replace(artefact, images={**artefact.images, name: artefact.images[name][..., ::-1].copy()})
    data = artefact.dataset
    numbers = [episode.index for episode in data.episodes] if episodes is None else episodes
    name = camera or data.camera_names[0]
    return replace(
        artefact, dataset=change_pictures(data, name, lambda picture, _: picture[..., ::-1], numbers)
    )
