"""In which unit a dataset's body joints are: degrees, -100..100, or one that the numbers do not tell."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.data.measures import body_joints

type JointUnit = Literal["deg", "-100..100", "unknown"]

ENCODER_STEPS_DEG = (360 / 4095, 360 / 4096)
"""One count of the servo's encoder in degrees: as LeRobot 0.6.1 converts it (`FeetechMotorsBus`), and as it is.

On the scale of -100..100 a count is 200 divided by the calibrated range, which differs from joint to joint:
0.049 to 0.113 in two recordings, against 0.0879 in all joints of two in degrees.
"""

ON_STEP = 0.05
"""How near to whole counts values lie that are counts, as a share of one; float32 alone leaves 0.001."""

MIN_VALUES = 20
"""A joint that moves by fewer steps, or takes fewer values, does not tell: by chance a few lie on any grid."""

FULL_SCALE = 100.5
"""LeRobot's other scale ends at 100, because the driver clips it."""


def body_unit(dataset: Dataset) -> JointUnit:
    """The unit of all joints but the gripper, in every episode.

    "deg" where measured values are whole counts of the encoder in degrees, or go beyond what -100..100 can
    hold. "-100..100" where they are whole counts of another step. "unknown" where neither is so: too short,
    resampled, in radians, or mixed.
    """
    if not dataset.episodes:
        return "unknown"
    whole = {_in_steps_of_degrees(episode) for episode in dataset.episodes} - {None}
    if whole == {True}:
        return "deg"
    body = _body(dataset.states, dataset.joint_names)
    if True in whole or not np.isfinite(body).any():
        return "unknown"
    if _beyond_full_scale(body):
        return "deg" if all(_spread(episode) > 2 * np.pi for episode in dataset.episodes) else "unknown"
    columns = _telling(body) if np.nanmax(np.abs(body)) > 2 * np.pi else []
    own_steps = bool(columns) and all(_is_grid(column, _step(column)) for column in columns)
    return "-100..100" if own_steps else "unknown"


def _in_steps_of_degrees(episode: Episode) -> bool | None:
    """None for an episode that is too short or too still to tell."""
    step = encoder_step_deg(episode)
    return None if step is None else step > 0


def encoder_step_deg(episode: Episode) -> float | None:
    """Which of `ENCODER_STEPS_DEG` body joints are counted in; 0.0 for neither, None when it does not tell."""
    body = _body(episode.states, episode.joint_names)
    body = body[np.isfinite(body).all(axis=1)]
    if not len(body):
        return None
    telling = np.ptp(body, axis=0) > MIN_VALUES * ENCODER_STEPS_DEG[1]
    if not telling.any():
        return None
    return next((step for step in ENCODER_STEPS_DEG if _on_steps(body[:, telling], step)), 0.0)


def _on_steps(body: NDArray[np.float64], step: float) -> bool:
    """Whether all values of each joint but a few lie whole steps from its first."""
    counts = (body - body[0]) / step
    on_step = np.abs(counts - np.rint(counts)) < ON_STEP
    return bool((on_step.mean(axis=0) > 0.98).all())


def _telling(body: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The different values of each joint that has enough of them, rising."""
    columns = [np.unique(column[np.isfinite(column)]) for column in body.T]
    return [column for column in columns if len(column) >= MIN_VALUES]


def _is_grid(values: NDArray[np.float64], step: float) -> bool:
    """Whether rising values lie whole steps apart, all but a few."""
    counts = np.diff(values) / step
    counts = counts[counts > ON_STEP]  # float32 may tell two readings of one count apart
    return len(counts) > 0 and bool(np.mean(np.abs(counts - np.round(counts)) < ON_STEP) > 0.98)


def _step(values: NDArray[np.float64]) -> float:
    """The smallest distance between neighbours that float32 does not make."""
    gaps = np.diff(values)
    return float(gaps[gaps > 1e-3].min(initial=np.inf))


def _beyond_full_scale(body: NDArray[np.float64]) -> bool:
    furthest = float(np.nanmax(np.abs(body), initial=0.0))
    return FULL_SCALE < furthest <= 200.0


def _spread(episode: Episode) -> float:
    """How far the joint that moves most moves."""
    body = _body(episode.states, episode.joint_names)
    return float(np.ptp(np.nan_to_num(body), axis=0).max(initial=0.0))


def _body(values: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.float64]:
    return values[:, body_joints(names)]
