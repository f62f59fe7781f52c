"""A policy that has hardly learned: it answers much the same, whatever it sees."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.observations import ObservationBatch, ProbedPolicy
from regrasp.diagnosis.trained import Training


@dataclass(frozen=True, eq=False)
class Dull:
    """A policy of which a share of each answer is the usual answer."""

    policy: ProbedPolicy
    share: float

    def chunks(self, batch: ObservationBatch) -> NDArray[np.float64]:
        """Drawn towards their mean over the batch and the chunk."""
        plans = self.policy.chunks(batch)
        return plans + self.share * (plans.mean(axis=(0, 1)) - plans)

    def features(self, batch: ObservationBatch) -> dict[str, NDArray[np.float64]]:
        """As they were."""
        return self.policy.features(batch)


def too_few_epochs(training: Training, *, share: float = 0.9) -> Training:
    """The same, with a policy that has learned little of it."""
    assert training.policy is not None, "a policy that can be asked"
    return replace(training, policy=Dull(training.policy, share))
