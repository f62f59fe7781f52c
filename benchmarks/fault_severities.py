"""Three severities of every fault: mild (the least that still matters), middling, bad.

For each defect a function of (dataset, level) that gives the fault's options and the episodes that are damaged;
`(None, ())` where the fault makes no sense in that dataset.
"""

from collections.abc import Callable

import numpy as np

from regrasp.data import Dataset
from regrasp.data.joint_units import body_unit

EVERYWHERE = "every episode"

type Plan = Callable[[Dataset, int], tuple[dict[str, object] | None, object]]

NOT_HERE = (None, ())


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


def missing_video(dataset, level):
    if not dataset.camera_names:
        return NOT_HERE
    numbers = some(dataset, level)
    return {"episodes": numbers}, numbers


def wrong_counts(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "rows": (1, 5, 20)[level]}, numbers


def stale_statistics(dataset, level):
    unit = float(np.median(dataset.actions.std(axis=0)))
    scale, offset = ((0.9, 0.1 * unit), (0.45, 0.5 * unit), (3.0, 2 * unit))[level]
    return {"scale": scale, "offset": offset}, EVERYWHERE


def averaged_quantiles(dataset, level):
    features = (("observation.state",), ("action",), ("observation.state", "action"))[level]
    return {"features": features}, EVERYWHERE


def overflowed_image_statistics(dataset, level):
    if not any(name.startswith("observation.image") for name in dataset.stats):
        return NOT_HERE
    return {"std": (0.02, 0.005, 0.0)[level]}, EVERYWHERE


def duplicate_episodes(dataset, level):
    numbers = [episode.index for episode in dataset.episodes]
    share = (1, max(len(numbers) // 10, 1), max(len(numbers) // 4, 1))[level]
    copies = dict(zip(numbers[-share:], numbers[:share], strict=True))
    options = ({"trimmed": 5}, {"rounding": 1e-6}, {})[level]
    return {"copies": copies, **options}, tuple(copies)


def irregular_timestamps(dataset, level):
    numbers = some(dataset, level)
    options = ({"hole_s": 0.0, "jitter_s": 0.008}, {"hole_s": 0.3}, {"hole_s": 2.0, "jitter_s": 0.02})[level]
    return {"episodes": numbers, **options}, numbers


def wrong_rate(dataset, level):
    return {"rate_hz": dataset.fps * (0.9, 0.5, 2.0)[level]}, EVERYWHERE


def dropped_frames(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "frames": max(round((0.2, 0.4, 0.8)[level] * dataset.fps), 2)}, numbers


def video_out_of_step(dataset, level):
    if not dataset.camera_names:
        return NOT_HERE
    frames = round((5, 10, -15)[level] / 30 * dataset.fps)
    numbers = (some(dataset, 2), EVERYWHERE, some(dataset, 1))[level]
    everyone = tuple(episode.index for episode in dataset.episodes)
    return {"episodes": everyone if numbers is EVERYWHERE else numbers, "frames": frames}, numbers


def empty_instruction(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "wording": (" . ", "  ", "")[level]}, numbers


def unspecific_instruction(dataset, level):
    numbers = (some(dataset, 0), some(dataset, 2), EVERYWHERE)[level]
    everyone = tuple(episode.index for episode in dataset.episodes)
    wording = ("Pick", "task_1", "pick_and_place")[level]
    return {"episodes": everyone if numbers is EVERYWHERE else numbers, "wording": wording}, numbers


def mixed_units(dataset, level):
    if dataset.robot_type != "so101_follower" or degree(dataset) < 1:
        return NOT_HERE
    if level == 0 and body_unit(dataset) != "deg":
        return NOT_HERE
    numbers = some(dataset, level)
    return {"episodes": numbers, "unit": ("-100..100", "counts", "radians")[level]}, numbers


def out_of_limits(dataset, level):
    if dataset.robot_type not in ("so101_follower", "so101_twin") or degree(dataset) < 1:
        return NOT_HERE
    numbers = some(dataset, level)
    return {"episodes": numbers, "degrees": (20.0, 40.0, 90.0)[level]}, numbers


def inverted_gripper(dataset, level):
    if dataset.joint_names[-1] != "gripper":
        return NOT_HERE
    numbers = some(dataset, level)
    return {"episodes": numbers, "opened": 100.0 * gripper_unit(dataset)}, numbers


def calibration_offset(dataset, level):
    everyone = tuple(episode.index for episode in dataset.episodes)
    numbers = (some(dataset, 0), some(dataset, 2), everyone[-max(len(everyone) // 3, 1) :])[level]
    return {"episodes": numbers, "degrees": (8.0, 12.0, 25.0)[level] * degree(dataset)}, numbers


def clipped_actions(dataset, level):
    everyone = tuple(episode.index for episode in dataset.episodes)
    numbers = (everyone[::3], everyone[::2], EVERYWHERE)[level]
    return {"episodes": everyone if numbers is EVERYWHERE else numbers}, numbers


def copied_actions(dataset, level):
    numbers = (some(dataset, 0), some(dataset, 2), EVERYWHERE)[level]
    everyone = tuple(episode.index for episode in dataset.episodes)
    return {"episodes": everyone if numbers is EVERYWHERE else numbers, "later": (1, 0, 0)[level]}, numbers


def action_lag(dataset, level):
    numbers = (some(dataset, 1), EVERYWHERE, EVERYWHERE)[level]
    everyone = tuple(episode.index for episode in dataset.episodes)
    seconds = (0.3, 0.4, -0.3)[level]
    return {"episodes": everyone if numbers is EVERYWHERE else numbers, "seconds": seconds}, numbers


def idle_stretches(dataset, level):
    numbers = some(dataset, level)
    seconds = float(np.median([episode.length / episode.fps for episode in dataset.episodes]))
    share = (6.0 / seconds, 10.0 / seconds, 20.0 / seconds)[level]
    return {"episodes": numbers, "share": share, "at": ("start", "end", "middle")[level]}, numbers


def truncated_episodes(dataset, level):
    numbers = some(dataset, level)
    return {"episodes": numbers, "share": (0.45, 0.35, 0.2)[level]}, numbers


def timer_ended_episodes(dataset, level):
    return {"share": (0.9, 0.75, 1.5)[level]}, EVERYWHERE


def outlier_episodes(dataset, level):
    numbers = some(dataset, 0)
    return {"episodes": numbers, "times": (3, 4, 6)[level]}, numbers


def thin_coverage(dataset, level):
    if dataset.joint_names[-1] != "gripper" or len(dataset.episodes) < 8:
        return NOT_HERE
    return {"places": (2, 2, 1)[level]}, EVERYWHERE


def dark_camera(dataset, level):
    if not dataset.camera_names:
        return NOT_HERE
    numbers = some(dataset, level)
    options = ({"level": 6.0, "remains": 0.02, "first": 30}, {"level": 2.0, "last": 60}, {"level": 253.0})[
        level
    ]
    return {"episodes": numbers, **options}, numbers


def moved_camera(dataset, level):
    if not dataset.camera_names:
        return NOT_HERE
    numbers = some(dataset, 2)
    options = ({"right": 0.04}, {"right": 0.0, "turn_deg": 4.0}, {"right": 0.1, "down": 0.05})[level]
    return {"episodes": numbers, **options}, numbers


def changed_light(dataset, level):
    if not dataset.camera_names:
        return NOT_HERE
    numbers = some(dataset, 2)
    options = ({"brightness": 0.65}, {"brightness": 1.0, "warmth": 1.6}, {"brightness": 0.4})[level]
    return {"episodes": numbers, **options}, numbers


def flipped_camera(dataset, level):
    if not dataset.camera_names:
        return NOT_HERE
    numbers = some(dataset, level)
    return {"episodes": numbers, "turn": ("left-right", "upside-down", "half-turn")[level]}, numbers


SEVERITIES: dict[str, Plan] = {
    name.replace("_", "-"): plan
    for name, plan in list(globals().items())
    if getattr(plan, "__module__", "") == __name__ and getattr(plan, "__annotations__", None) == {}
}
