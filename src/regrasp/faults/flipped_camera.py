"""A camera's pictures are mirrored or stand on their head in some episodes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from regrasp.data import Dataset
from regrasp.data.rollouts import Rollouts
from regrasp.faults.pictures import Picture, change_pictures, later_third

TURNS: Mapping[str, Callable[[Picture], Picture]] = {
    "left-right": lambda picture: picture[:, ::-1],
    "upside-down": lambda picture: picture[::-1],
    "half-turn": lambda picture: picture[::-1, ::-1],
}
"""What can happen to a picture without changing its size."""


def flipped_camera[Filmed: (Dataset, Rollouts)](
    dataset: Filmed,
    *,
    camera: str | None = None,
    episodes: Collection[int] | None = None,
    turn: str = "half-turn",
) -> Filmed:
    """In these episodes (the later third) a camera (the first) is mirrored `left-right`, `upside-down` or both.

    In rollouts, in all.
    """
    if isinstance(dataset, Rollouts):
        numbers = [episode.index for episode in dataset.episodes] if episodes is None else episodes
        return replace(
            dataset, dataset=flipped_camera(dataset.dataset, camera=camera, episodes=numbers, turn=turn)
        )
    return change_pictures(
        dataset,
        camera or dataset.camera_names[0],
        lambda picture, _: TURNS[turn](picture),
        later_third(dataset) if episodes is None else episodes,
    )
