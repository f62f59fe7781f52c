"""Which episodes a policy is not shown, so that it can be asked about what it has not learned by heart.

LeRobot holds out the last ones; where the object was moved along the table while recording, these lie in one
corner. Here they are spread over where the arm starts and grasps.
"""

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.grasps import find_grasps
from regrasp.data.measures import gripper_index

SHARE = 0.1
FEWEST, MOST = 3, 12
"""Episodes held out: a tenth, three at least, since an interval over episodes needs them, and no more than twelve."""

NEEDED = 20
"""With fewer episodes none is held out by default: every one is needed to learn from."""


def held_out_count(episodes: int) -> int:
    """How many episodes of a dataset are held out by default.

    Example:
        >>> [held_out_count(n) for n in (19, 20, 70, 241)]
        [0, 3, 7, 12]
    """
    return 0 if episodes < NEEDED else min(MOST, max(FEWEST, round(SHARE * episodes)))


def choose_held_out(dataset: Dataset, count: int) -> tuple[int, ...]:
    """Numbers of `count` episodes spread over starts and grasps, of each instruction its share, in order.

    Episodes are parted into `count` groups that lie close together, and the middle one of each group is taken:
    the outermost episodes stay in training, which could not foretell them without.
    """
    places = _places(dataset)
    chosen: list[int] = []
    for rows, share in _shares(dataset, count):
        chosen += [rows[place] for place in _middles(places[rows], share)]
    return tuple(sorted(dataset.episodes[row].index for row in chosen))


def _places(dataset: Dataset) -> NDArray[np.float64]:
    """Where each episode starts and grasps, [episodes, 2 (J - 1)]: all joints but the gripper, in their own unit.

    They are not scaled to one spread: a joint that hardly differs between episodes shall hardly count.
    """
    starts = np.stack([episode.states[0] for episode in dataset.episodes])
    grasps: dict[int, NDArray[np.float64]] = {}
    for grasp in find_grasps(dataset):
        grasps.setdefault(grasp.episode, grasp.pose)
    usual = np.median(np.stack(list(grasps.values())), axis=0) if grasps else np.zeros(starts.shape[1])
    poses = np.stack([grasps.get(episode.index, usual) for episode in dataset.episodes])
    arm = [place for place in range(starts.shape[1]) if place != gripper_index(dataset.joint_names)]
    return np.nan_to_num(np.concatenate([starts[:, arm], poses[:, arm]], axis=1))


def _shares(dataset: Dataset, count: int) -> list[tuple[list[int], int]]:
    """Rows of the episodes of each instruction, and how many of them are held out; as even as can be."""
    by_task: dict[str, list[int]] = {}
    for row, episode in enumerate(dataset.episodes):
        by_task.setdefault(episode.tasks[0] if episode.tasks else "", []).append(row)
    groups = list(by_task.values())
    wanted = [count * len(rows) / len(dataset.episodes) for rows in groups]
    shares = [int(number) for number in wanted]
    for place in sorted(range(len(groups)), key=lambda g: shares[g] - wanted[g])[: count - sum(shares)]:
        shares[place] += 1
    return list(zip(groups, shares, strict=True))


def _middles(places: NDArray[np.float64], count: int) -> list[int]:
    """Rows of the middle place of each of `count` groups."""
    if count <= 0:
        return []
    centres = places[_far_apart(places, count)]
    for _ in range(20):
        group = _distances(places, centres).argmin(axis=1)
        centres = np.stack(
            [places[group == g].mean(axis=0) if (group == g).any() else centres[g] for g in range(count)]
        )
    middles: list[int] = []
    for column in _distances(places, centres).T:
        middles.append(next(int(row) for row in np.argsort(column, kind="stable") if int(row) not in middles))
    return middles


def _far_apart(places: NDArray[np.float64], count: int) -> list[int]:
    """Rows each of which lies farthest from those before; begins with the most central one."""
    rows = [int(np.argmin(_distances(places, places.mean(axis=0)[None])[:, 0]))]
    distance = _distances(places, places[rows])[:, 0]
    while len(rows) < count:
        rows.append(int(np.argmax(distance)))
        distance = np.minimum(distance, _distances(places, places[rows[-1:]])[:, 0])
    return rows


def _distances(places: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of each place to each other one, [N, M]."""
    return ((places[:, None] - others[None]) ** 2).sum(axis=-1)
