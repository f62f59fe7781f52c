"""Three severities of every fault: mild (the least that still matters), middling, bad.

For each defect a function of (dataset, level) that gives the fault's options and the episodes that are damaged;
`(None, ())` where the fault makes no sense in that dataset.
"""

from collections.abc import Callable

import numpy as np

from regrasp.data import Dataset

EVERYWHERE = "every episode"

type Plan = Callable[[Dataset, int], tuple[dict[str, object] | None, object]]

NOT_HERE = (None, ())
UNIT = "unit"


def some(dataset: Dataset, level: int) -> tuple[int, ...]:
    """One episode, a tenth, a quarter of them: never the first."""
    numbers = [episode.index for episode in dataset.episodes]
    wanted = (1, max(len(numbers) // 10, 1), max(len(numbers) // 4, 1))[level]
    return tuple(numbers[int(place)] for place in np.linspace(1, len(numbers) - 1, wanted).round())


def degree(dataset: Dataset) -> float:
    """One degree in the unit of the dataset's arm."""
    return np.pi / 180 if np.ptp(dataset.actions[:, 1]) < 2 * np.pi else 1.0


def nan_values(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "first": 10, "last": (10, 12, 40)[level]}, numbers


def frozen_camera(dataset, level):
    numbers = some(dataset, level)
    first = int(0.3 * min(e.length for e in dataset.episodes))
    seconds = (1.0, 2.0, 30.0)[level]
    last = first + round(seconds * dataset.fps)
    shortest = min(e.length for e in dataset.episodes) - 1
    return {"episodes": numbers, "first": first, "last": min(last, shortest)}, numbers


def idle_gripper(dataset, level):
    if dataset.joint_names[-1] != "gripper":
        return NOT_HERE
    numbers = some(dataset, level)
    return {"episodes": numbers, "low": None if level else 45.0 * gripper_unit(dataset)}, numbers


def gripper_unit(dataset: Dataset) -> float:
    """One percent of opening in the dataset's unit."""
    return np.pi / 180 if degree(dataset) < 1 else 1.0


def jerky_motion(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "degrees": (5.0, 7.0, 12.0)[level] * degree(dataset)}, numbers


def near_duplicate_instructions(dataset, level):
    numbers = some(dataset, level)
    text = dataset.tasks[0]
    wording = (text + " ", text.lower() if text != text.lower() else text.upper(), text[:-1])[level]
    return {"episodes": numbers, "wording": wording}, numbers


def scattered_starts(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "degrees": (25.0, 35.0, 50.0)[level] * degree(dataset)}, numbers


def swapped_cameras(dataset, level):
    numbers = [episode.index for episode in dataset.episodes]
    share = (1, len(numbers) // 3, len(numbers) // 2)[level]
    swapped = tuple(numbers[-max(share, 1) :])
    return {"episodes": swapped}, swapped


def unfollowed_joint(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "joint": (1, 2, 1)[level]}, numbers


SEVERITIES: dict[str, Plan] = {
    name.replace("_", "-"): plan
    for name, plan in list(globals().items())
    if callable(plan) and getattr(plan, "__annotations__", None) == {}
}
