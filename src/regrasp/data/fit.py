"""Whether datasets can be mixed into one: what does not fit, and what fits but differs."""

import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Camera, Episode, grid_means
from regrasp.data.joint_units import body_unit
from regrasp.data.measures import first_pictures, instruction_frames, likeness
from regrasp.errors import DatasetError

FURTHEST_DEGREES = 400.0
"""Joints that go further than this are in servo ticks (0..4095); the furthest degrees in five recordings are 195."""

FURTHEST_RADIANS = 2 * np.pi
"""Body joints that all stay within this in a whole dataset are in radians: in degrees an arm that moves less than
6 degrees from zero in each of its joints grasps nothing."""

START_SLACK = 0.01
"""Share of a joint's span by which the starts of two parts may differ however narrow they are: 2 degrees in 200,
the backlash and droop of a resting SO-101."""

START_DEVIATIONS = 4.0
"""Starts of one set-up differ by more than this once in 16,000 joints, were they normal."""

LIKENESS_SLACK = 0.1
"""By how much less alike two parts may be than the episodes within one part are.

Halves of six made-up recordings with two cameras were never less alike than their own episodes are (0.97 and up,
against 0.93), so the slack is room for what a real scene changes from one day to the next.
"""


def misfits(parts: Sequence[Dataset]) -> list[str]:
    """Why these datasets cannot be one, each in a sentence with what to do; compared with the first of them."""
    first, *others = parts
    return [text for other in others for text in _misfits_of(first, other)]


def differences(parts: Sequence[Dataset]) -> list[tuple[str, str]]:
    """What will show in a policy trained on all of them: (name, sentence); pictures are looked at."""
    first, *others = parts
    found: list[tuple[str, str]] = []
    for other in others:
        found += [("instructions", text) for text in _other_instructions(first, other)]
        found += [("start-pose", text) for text in _other_starts(first, other)]
        found += [("cameras", text) for text in _other_views(first, other)]
    return found


def _misfits_of(a: Dataset, b: Dataset) -> Iterator[str]:
    if a.robot_type != b.robot_type:
        yield (
            f"robot: {a.name} was recorded with {a.robot_type}, {b.name} with {b.robot_type}; expected one robot. "
            "If it is the same arm, write the same robot_type into meta/info.json of a copy."
        )
    if a.fps != b.fps:
        yield (
            f"fps: {a.name} has {a.fps:g} frames a second, {b.name} {b.fps:g}; expected the same, because an action "
            "lasts one frame. Record again at one rate."
        )
    names_fit = True
    for what, one, other in (
        ("joints", a.joint_names, b.joint_names),
        ("joints that are commanded", a.names_of_actions, b.names_of_actions),
    ):
        if one != other and names_fit:
            names_fit = False
            order = "the same in another order" if sorted(one) == sorted(other) else "other names"
            yield (
                f"{what}: {a.name} has {', '.join(one)}; {b.name} has {order}: {', '.join(other)}; expected the same "
                "in the same order. Record with the same robot, or rename and reorder the columns of a copy."
            )
    if names_fit:
        yield from _units_misfit(a, b)
    yield from _cameras_misfit(a, b)
    yield from _columns_misfit(a, b)


def scale_of(values: NDArray[np.float64]) -> str | None:
    """What the size of joint values [n, J] tells of their unit: "ticks", "radians" or "degrees or -100..100".

    None where nothing moves, or nothing is a number.

    Example:
        >>> scale_of(np.array([[-1.7, 1.2], [0.3, 1.5]])), scale_of(np.array([[2048.0, 900.0], [2100.0, 800.0]]))
        ('radians', 'ticks')
    """
    sizes = np.abs(values[np.isfinite(values).all(axis=1)])
    if not sizes.size or not np.ptp(sizes, axis=0).any():
        return None
    furthest = float(np.quantile(sizes.max(axis=1), 0.995))
    if furthest > FURTHEST_DEGREES:
        return "ticks"
    return "radians" if furthest <= FURTHEST_RADIANS else "degrees or -100..100"


def _units_misfit(a: Dataset, b: Dataset) -> Iterator[str]:
    try_this = "Record in one unit, or convert one of them with 'regrasp fix' where it finds mixed-units."
    grippers = [place for place, name in enumerate(a.joint_names) if "gripper" in name]
    body = [place for place in range(len(a.joint_names)) if place not in grippers]
    for what, places in (("joints", body), ("gripper", grippers)):
        one, other = (scale_of(part.states[:, places]) if places else None for part in (a, b))
        if what == "joints" and one == other == "degrees or -100..100":
            one, other = (_known(part) for part in (a, b))
        if one is not None and other is not None and one != other:
            yield f"units: the {what} of {a.name} are in {one}, of {b.name} in {other}; expected the same. {try_this}"


def _known(dataset: Dataset) -> str | None:
    unit = body_unit(dataset)
    return {"deg": "degrees", "-100..100": "-100..100"}.get(unit)


def _cameras_misfit(a: Dataset, b: Dataset) -> Iterator[str]:
    if set(a.camera_names) != set(b.camera_names):
        one, other = (", ".join(part.camera_names) or "none" for part in (a, b))
        yield (
            f"cameras: {a.name} has {one}; {b.name} has {other}; expected the same names. Leave out the others with "
            "'lerobot-edit-dataset --operation.type=remove_feature', or rename them in a copy."
        )
        return
    for name in a.camera_names:
        sizes = [_size(part, name) for part in (a, b)]
        if sizes[0] and sizes[1] and sizes[0] != sizes[1]:
            yield (
                f"cameras: '{name}' has {sizes[0][0]} x {sizes[0][1]} pixels in {a.name} and {sizes[1][0]} x "
                f"{sizes[1][1]} in {b.name}; expected the same size. Record again with one size."
            )


def _size(dataset: Dataset, name: str) -> tuple[int, int] | None:
    """Height and width of a camera's pictures; None where no episode has any."""
    cameras: list[Camera] = [episode.cameras[name] for episode in dataset.episodes if name in episode.cameras]
    return (cameras[0].height, cameras[0].width) if cameras else None


def _columns_misfit(a: Dataset, b: Dataset) -> Iterator[str]:
    """Columns that only one of them has, such as the `intervention` of a corrected rollout."""
    for one, other in ((a, b), (b, a)):
        more = sorted(set(one.episodes[0].extras) - set(other.episodes[0].extras))
        if more:
            names = json.dumps(more)
            yield (
                f"columns: {one.name} has {', '.join(more)}, {other.name} has not; expected the same. Try "
                f"'lerobot-edit-dataset --operation.type=remove_feature --operation.feature_names={names}' on a "
                f"copy of {one.name}."
            )


def _other_instructions(a: Dataset, b: Dataset) -> Iterator[str]:
    one, other = instruction_frames(a), instruction_frames(b)
    new = [text for text in other if text not in one]
    if new and one:
        said = ", ".join(f'"{text}"' for text in new)
        yield f'{b.name} says {said}; {a.name} says "{next(iter(one))}": each is a task of its own.'


def _other_starts(a: Dataset, b: Dataset) -> Iterator[str]:
    if len(a.episodes) < 2 or len(b.episodes) < 2:
        return
    starts = [_starts(part.episodes) for part in (a, b)]
    spans = np.ptp(np.vstack([a.states, b.states]), axis=0)
    medians = [np.median(start, axis=0) for start in starts]
    deviation = np.max([_deviation(start) for start in starts], axis=0)
    limits = np.maximum(START_DEVIATIONS * deviation, START_SLACK * spans)
    apart = np.abs(medians[1] - medians[0])
    beyond = [place for place in np.argsort(-apart) if apart[place] > limits[place]]
    if beyond:
        joints = "; ".join(
            f"'{a.joint_names[i]}' at {medians[0][i]:.1f} and {medians[1][i]:.1f} (limit {limits[i]:.1f} apart)"
            for i in beyond
        )
        yield f"the episodes of {a.name} and {b.name} start at different poses: {joints}."


def _starts(episodes: Sequence[Episode]) -> NDArray[np.float64]:
    return np.array([episode.states[0] for episode in episodes])


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviation of each column as its quartiles tell it, which a stray start does not move."""
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    return (high - low) / 1.349


def _other_views(a: Dataset, b: Dataset) -> Iterator[str]:
    """Cameras whose first pictures are less alike between the parts than within each."""
    for name in a.camera_names:
        try:
            pictures = [_first_grids(part, name) for part in (a, b)]
        except DatasetError as error:
            yield f"camera '{name}' could not be compared: {error}"
            continue
        one, other = pictures
        if one is None or other is None:
            continue
        across = likeness(one.mean(axis=0), other.mean(axis=0))
        limit = min(_lowest_within(one), _lowest_within(other)) - LIKENESS_SLACK
        if across < limit:
            yield (
                f"camera '{name}' sees another scene, or from elsewhere, in {b.name} than in {a.name}: "
                f"likeness {across:.2f} (limit {limit:.2f})."
            )


def _first_grids(dataset: Dataset, name: str) -> NDArray[np.float64] | None:
    pictures = first_pictures(dataset, name)
    return None if pictures is None else np.array([grid_means(picture) for picture in pictures])


def _lowest_within(grids: NDArray[np.float64]) -> float:
    """How alike the least alike first pictures of a part are to the part's mean picture; 5 % may be less."""
    mean = grids.mean(axis=0)
    return float(np.quantile([likeness(grid, mean) for grid in grids], 0.05))
