"""What is measured of a dataset for its contract: instructions, the gripper, what a camera sees."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode

LONGEST_SAMPLE = 200
"""At most this many episodes are looked at for fingerprints, evenly spread over the dataset."""

MOVING_GRIPPER = 10.0
"""A gripper that moves less than this between its 2 % and 98 % quantile has no open and closed mode: a tenth
of its range, above the droop and jitter of a resting gripper (1-3).
"""


def gripper_index(joint_names: tuple[str, ...]) -> int | None:
    """Place of the gripper among the joints; None when no joint is called that.

    Example:
        >>> gripper_index(("shoulder_pan", "gripper")), gripper_index(("wheel",))
        (1, None)
    """
    places = [place for place, name in enumerate(joint_names) if "gripper" in name]
    return places[-1] if places else None


def body_joints(joint_names: Sequence[str]) -> list[int]:
    """Places of all joints that are no gripper, of both arms where there are two.

    Example:
        >>> body_joints(("left_pan", "left_gripper", "right_pan", "right_gripper"))
        [0, 2]
    """
    return [place for place, name in enumerate(joint_names) if "gripper" not in name]


def gripper_threshold(dataset: Dataset) -> float | None:
    """Gripper position below which it counts as closed; None when the data show no open and closed.

    The threshold of Otsu (1979) on the measured position of all frames: the one that parts them into the
    two tightest groups.
    """
    place = gripper_index(dataset.joint_names)
    if place is None or not dataset.episodes:
        return None
    positions = np.concatenate([episode.states[:, place] for episode in dataset.episodes])
    positions = positions[np.isfinite(positions)]
    in_radians = np.nanmedian(np.ptp(dataset.states, axis=0)) < 2 * np.pi
    least = MOVING_GRIPPER * (np.pi / 180 if in_radians else 1.0)
    if len(positions) == 0 or np.ptp(np.quantile(positions, [0.02, 0.98])) < least:
        return None
    return round(otsu_threshold(positions), 3)


def otsu_threshold(values: NDArray[np.float64]) -> float:
    """The cut that leaves the least variance within the two sides; middle of the best stretch of cuts.

    Example:
        >>> round(otsu_threshold(np.array([0.0, 1, 2, 30, 31, 32])))
        16
    """
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high, 257)
    counts, _ = np.histogram(values, bins=edges)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(float)
    above = below[-1] + counts[-1] - below
    mass = np.cumsum(counts * centres)
    difference = mass[:-1] / np.maximum(below, 1) - (mass[-1] - mass[:-1]) / np.maximum(above, 1)
    between = below * above * difference**2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float((edges[1:-1][best[0]] + edges[1:-1][best[-1]]) / 2)


def closed_share(episode: Episode, threshold: float) -> float:
    """Share of an episode's frames with the gripper below the threshold."""
    place = gripper_index(episode.joint_names)
    if place is None or episode.length == 0:
        return float("nan")
    return float(np.mean(episode.states[:, place] < threshold))


def instruction_frames(dataset: Dataset) -> dict[str, int]:
    """Instruction -> frames under it, the most frequent first."""
    frames = Counter[str]()
    for episode in dataset.episodes:
        for index, count in zip(*np.unique(episode.task_indices, return_counts=True), strict=True):
            frames[dataset.tasks[int(index)]] += int(count)
    return dict(frames.most_common())


def likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """How alike two pictures on a grid [rows, columns, 3] are, whatever the light: -1 to 1, 1 for the same.

    The correlation of their cells after each colour has lost its mean and its contrast, so that a change of
    brightness, contrast or colour temperature of the whole picture does not count.
    """
    first, second = standardised(one), standardised(other)
    return float(np.mean(first * second))


def first_pictures(dataset: Dataset, camera: str) -> NDArray[np.uint8] | None:
    """The first picture of up to `LONGEST_SAMPLE` episodes, uint8 [n, h, w, 3]; None when there are none."""
    episodes = [episode for episode in dataset.episodes if camera in episode.cameras]
    if not episodes:
        return None
    chosen = np.unique(np.linspace(0, len(episodes) - 1, min(len(episodes), LONGEST_SAMPLE)).astype(int))
    return np.concatenate([episodes[place].cameras[camera].frames([0]) for place in chosen])


def standardised(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each colour with mean 0 and deviation 1; a colour without contrast becomes 0."""
    centred = picture - picture.mean(axis=(0, 1))
    deviation = centred.std(axis=(0, 1))
    return centred / np.where(deviation > 0.5, deviation, np.inf)
