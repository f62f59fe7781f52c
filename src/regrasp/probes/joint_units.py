"""The policy is asked again with the joints converted from another unit into that of its training."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS, LIMITS
from regrasp.data.measures import body_joints
from regrasp.diagnosis.observations import STATE
from regrasp.diagnosis.probe import Case, Intervention, probe
from regrasp.diagnosis.unit_signals import COUNTS, DEGREES_PER, FITS_BETTER, MIDDLE_COUNT, RADIANS

type Pose = NDArray[np.float64]


@probe(cause="unit-mismatch")
def joint_units(case: Case) -> Iterator[Intervention]:
    """Every unit from which the joints, converted, come to lie clearly nearer to the training; the gripper stays."""
    names = case.contract.joint_names
    body = body_joints(names)
    trained = next((case.contract.joints[place].unit for place in body), "unknown")
    units = _units(names)
    for unit, (into_degrees, _) in units.items():
        if unit != trained and trained in units:
            states = case.observed.states.copy()
            states[:, body] = units[trained][1](into_degrees(states[:, body]))
            if _away(states, case) > FITS_BETTER * _away(case.observed.states, case):
                continue
            yield Intervention(
                name=f"joints converted from {unit} to {trained}",
                inputs=(STATE,),
                batch=replace(case.observed, states=states),
                command=None,
            )


def _away(states: Pose, case: Case) -> float:
    """How far states [n, J] lie from the middle of the training's starts, on average."""
    return float(np.abs(states - np.median(case.train.states, axis=0)).mean())


def _units(names: tuple[str, ...]) -> Mapping[str, tuple[Callable[[Pose], Pose], Callable[[Pose], Pose]]]:
    """Unit -> how poses of the body [n, J] become degrees, and how degrees become poses in it.

    LeRobot's scale is one of the calibrated range, which rollouts do not hold: the SO-101's limits stand for it.
    """
    radian, count = DEGREES_PER[RADIANS], DEGREES_PER[COUNTS]
    known: dict[str, tuple[Callable[[Pose], Pose], Callable[[Pose], Pose]]] = {
        "deg": (lambda pose: pose, lambda pose: pose),
        "rad": (lambda pose: pose * radian, lambda pose: pose / radian),
        "counts": (lambda pose: (pose - MIDDLE_COUNT) * count, lambda pose: pose / count + MIDDLE_COUNT),
    }
    if tuple(name.removesuffix(".pos") for name in names) == JOINTS:
        low, high = LIMITS[:-1].T
        known["-100..100"] = (
            lambda pose: low + (pose + 100) / 200 * (high - low),
            lambda pose: 200 * (pose - low) / (high - low) - 100,
        )
    return known
