"""The policy is asked again with the gripper measured the other way round."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from regrasp.data.measures import gripper_index
from regrasp.diagnosis.gripper_signals import contract_ends, starts_inverted
from regrasp.diagnosis.observations import STATE
from regrasp.diagnosis.probe import Case, Intervention, probe


@probe(cause="inverted-gripper")
def gripper_sense(case: Case) -> Iterator[Intervention]:
    """Where most rollouts start with a gripper that the training knows inverted only."""
    place = gripper_index(case.contract.joint_names)
    if place is None:
        return
    joint, states = case.contract.joints[place], case.observed.states.copy()
    if np.median([starts_inverted(joint, float(value)) for value in states[:, place]]) < 0.5:
        return
    states[:, place] = sum(contract_ends(joint)) - states[:, place]
    yield Intervention(
        name="gripper measured the other way round",
        inputs=(STATE,),
        batch=replace(case.observed, states=states),
        command=None,
    )
