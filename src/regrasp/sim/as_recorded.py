"""How the twin was set up when the demonstrations of a policy were recorded, as far as they show it."""

from collections.abc import Iterable

import numpy as np

from regrasp.data.contract import Contract
from regrasp.data.rollouts import Outcome
from regrasp.data.station import TwinOptions
from regrasp.sim.scene import AREA_CENTRE, AREAS
from regrasp.sim.tasks import TASKS

SCATTERED_DEG = 15.0
"""Starts whose shoulder_pan deviates by more were scattered: 3 degrees from home, 36 where they are scattered."""


def as_recorded(contract: Contract, outcomes: Iterable[Outcome]) -> TwinOptions:
    """The twin's options when the data of `contract` were recorded, of which these are the outcomes.

    The task is told by the instruction, the area by where the object lay, the pictures' size by the cameras, and the
    starts by how far they are apart.
    """
    tasks = [task.name for task in TASKS.values() if task.instruction in contract.instructions]
    sizes = {side for camera in contract.cameras for side in (camera.width, camera.height)}
    pan = [joint.start_std for joint in contract.joints if joint.name == "shoulder_pan"]
    return TwinOptions(
        area=_area(outcomes),
        task=tasks[0] if len(tasks) == len(contract.instructions) == 1 else None,
        size=sizes.pop() if len(sizes) == 1 else None,
        starts=("scattered" if pan[0] > SCATTERED_DEG else "home") if pan else None,
    )


def _area(outcomes: Iterable[Outcome]) -> str | None:
    """The smallest area that holds every place of the object, or the largest; None where no place is noted."""
    places = [
        (one.initial["object_x_m"], one.initial["object_y_m"])
        for one in outcomes
        if {"object_x_m", "object_y_m"} <= set(one.initial)
    ]
    if not places:
        return None
    reached = np.abs(np.array(places) - AREA_CENTRE).max()
    holding = [name for name, side in AREAS.items() if reached <= side / 2]
    return min(holding, key=AREAS.__getitem__) if holding else max(AREAS, key=AREAS.__getitem__)
