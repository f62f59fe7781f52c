"""What the cameras of a dataset show: every check of pictures reads it here, and each video is decoded once."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Camera, Dataset, Episode
from regrasp.data.sight import Sight, see
from regrasp.data.video import MissingDecoder, VideoError
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.signals import once_per_dataset

BUDGET_S = 30.0
"""Longest estimated decoding on one core; beyond it frames are sampled. 10,000 frames of 640 x 480 take 11."""

FRAME_MS, MEGAPIXEL_MS = 0.05, 3.4
"""Decoding and shrinking a picture of AV1 takes FRAME_MS and MEGAPIXEL_MS times its size: measured 0.12 ms at
128 x 128 and 1.1 at 640 x 480 on one core."""

PAIR_COST_FRAMES = 4
"""A frame and the next one, jumped to, cost as much as decoding so many in a row."""

FEWEST_PAIRS = 8
"""Of each camera in each episode, however many there are."""


@dataclass(frozen=True, eq=False)
class Sights:
    """Thumbnails of all cameras.

    Attributes:
        seen: By camera, each episode whose pictures could be decoded with what it shows.
        unseen: By camera and episode, why its pictures could not be decoded.
        whole: Whether every frame was looked at; else pairs of neighbouring frames, evenly spread.
    """

    seen: Mapping[str, tuple[tuple[Episode, Sight], ...]]
    unseen: Mapping[str, Mapping[int, str]]
    whole: bool

    def of(self, *cameras: str) -> list[tuple[Episode, tuple[Sight, ...]]]:
        """The episodes in which all of these cameras could be seen, with what each shows."""
        by_episode = [{episode.index: sight for episode, sight in self.seen[name]} for name in cameras]
        return [
            (episode, tuple(known[episode.index] for known in by_episode))
            for episode, _ in self.seen[cameras[0]]
            if all(episode.index in known for known in by_episode)
        ]


def sights(dataset: Dataset, cameras: int = 1) -> Sights:
    """What the cameras show; Undecided where fewer than `cameras` of them can be looked at."""
    if len(dataset.camera_names) < cameras:
        raise Undecided(f"needs {count(cameras, 'camera')}, got {len(dataset.camera_names)}")
    found = _sights(dataset)
    if sum(bool(seen) for seen in found.seen.values()) < cameras:
        reasons = [f"camera '{name}': {reason}" for name, reason in dataset.unavailable.items()]
        reasons += [reason for unseen in found.unseen.values() for reason in unseen.values()]
        others = f", and {count(len(reasons) - 1, 'more camera')} likewise" if len(reasons) > 1 else ""
        raise Undecided(reasons[0] + others if reasons else "no episode has pictures of a camera")
    return found


@once_per_dataset
def _sights(dataset: Dataset) -> Sights:
    cameras = [(e, name, camera) for e in dataset.episodes for name, camera in e.cameras.items()]
    whole = _cost_s([camera for _, _, camera in cameras]) <= BUDGET_S
    pairs = 0 if whole else _affordable_pairs([camera for _, _, camera in cameras])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = pool.map(lambda entry: _look(entry[2], pairs), cameras)
        found = list(zip(cameras, looks, strict=True))
    seen: dict[str, list[tuple[Episode, Sight]]] = {name: [] for name in dataset.camera_names}
    unseen: dict[str, dict[int, str]] = {name: {} for name in dataset.camera_names}
    for (episode, name, _), look in found:
        if isinstance(look, Sight):
            seen[name].append((episode, look))
        else:
            unseen[name][episode.index] = str(look)
    return Sights({name: tuple(looks) for name, looks in seen.items()}, unseen, whole)


def _look(camera: Camera, pairs: int) -> Sight | VideoError:
    """What the camera shows; kept with it, so that a dataset that shares its pictures need not decode them."""
    known = vars(camera).setdefault("_looks", {})
    if pairs not in known:
        try:
            known[pairs] = see(camera, _sampled(camera.length, pairs) if pairs else range(camera.length))
        except MissingDecoder:
            raise
        except VideoError as error:
            return error
    return known[pairs]


def _sampled(length: int, pairs: int) -> NDArray[np.int64]:
    """Frames of pairs of neighbours, evenly spread from the first frame to the last."""
    firsts = np.linspace(0, max(length - 2, 0), pairs).round().astype(np.int64)
    return np.unique(np.minimum(np.concatenate([firsts, firsts + 1]), length - 1))


def _cost_s(cameras: list[Camera]) -> float:
    return sum(camera.length * _frame_s(camera) for camera in cameras)


def _frame_s(camera: Camera) -> float:
    return (FRAME_MS + MEGAPIXEL_MS * camera.height * camera.width / 1e6) / 1000


def _affordable_pairs(cameras: list[Camera]) -> int:
    return max(int(BUDGET_S / (PAIR_COST_FRAMES * sum(map(_frame_s, cameras)))), FEWEST_PAIRS)
