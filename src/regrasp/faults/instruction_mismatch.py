"""Rollouts or a station that are told something else than the training was."""

from dataclasses import replace

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.preflight import LiveView


def instruction_mismatch[Told: (LiveView, Rollouts)](
    artefact: Told, *, told: str = "Grasp a brain and put it in the bin."
) -> Told:
    """The same, under the instruction `told`."""
    if isinstance(artefact, LiveView):
        return replace(artefact, instruction=told)
    data = artefact.dataset
    episodes = tuple(replace(one, tasks=(told,), task_indices=0 * one.task_indices) for one in data.episodes)
    return replace(
        artefact,
        dataset=replace(data, episodes=episodes, tasks=(told,)),
        deployment=replace(artefact.deployment, task=told),
    )
