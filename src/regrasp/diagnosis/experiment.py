"""Experiments: put one thing right in a training or its checkpoint, ask the policy again, and see what it changes.

Probes (`probe.py`) change what a policy saw. What went wrong in training is not in what it saw: here the policy
itself is another one, with other statistics or from another step of the run, or rollouts that differ in one thing
are held against each other. What comes of it is told in the same form.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.finding import Finding
from regrasp.diagnosis.observations import ObservationBatch, ProbedPolicy
from regrasp.diagnosis.probe import ProbeResult, load_probes
from regrasp.diagnosis.reference import InputDistance, Reference
from regrasp.diagnosis.rehearsal import Answers
from regrasp.diagnosis.trained import Training
from regrasp.errors import CheckpointError
from regrasp.stats.resampling import interval_of_median


@dataclass(frozen=True, eq=False)
class Setting:
    """What an experiment works with: the training, the rollouts, what was found, and the policy where it can be asked.

    `observed` are the first observations of the rollouts; None, as `reference`, where the policy cannot be asked.
    """

    training: Training
    rollouts: Rollouts
    findings: Sequence[Finding]
    reference: Reference | None = None
    observed: ObservationBatch | None = None


type ExperimentFunction = Callable[[Setting], ProbeResult | None]

_registered: dict[str, ExperimentFunction] = {}


def experiment(*, cause: str) -> Callable[[ExperimentFunction], ExperimentFunction]:
    """Register the experiment that speaks for a cause; it is made where a finding suspects that cause."""

    def register(function: ExperimentFunction) -> ExperimentFunction:
        _registered[cause] = function
        return function

    return register


def run_experiments(setting: Setting) -> tuple[ProbeResult, ...]:
    """Those of the causes that were found; one that cannot be made, as without a whole checkpoint, has no result."""
    load_probes()
    causes = sorted({finding.check for finding in setting.findings} & set(_registered))
    made: list[ProbeResult] = []
    for cause in causes:
        with suppress(CheckpointError):
            one = _registered[cause](setting)
            made += [] if one is None else [one]
    return tuple(made)


def another_policy(
    setting: Setting,
    other: ProbedPolicy,
    *,
    probe: str,
    cause: str,
    intervention: str,
    command: str | None,
    what: str,
    errors: tuple[Answers, Answers],
    healthy: float,
    limit: float,
) -> ProbeResult | None:
    """The result of putting another policy in the place of the one that failed; `errors` are before and after.

    None where the policy cannot be asked.
    """
    if setting.reference is None or setting.observed is None:
        return None
    before, after = errors
    plans = setting.reference.policy.chunks(setting.observed), other.chunks(setting.observed)
    moved = setting.reference.plan_moved(*plans)
    each = np.array(list(before.by_episode.values()))
    error = InputDistance(what, before.error, after.error, healthy, limit, interval_of_median(each))
    return ProbeResult(
        probe=probe,
        cause=cause,
        intervention=intervention,
        distances=(error,),
        moved=float(np.median(moved)),
        moved95=interval_of_median(moved),
        episodes=len(moved),
        command=command,
    )
