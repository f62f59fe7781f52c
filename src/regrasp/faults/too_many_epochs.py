"""A policy that knows its demonstrations by heart and little else."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regrasp.diagnosis.observations import ObservationBatch, ProbedPolicy
from regrasp.diagnosis.rehearsal import following
from regrasp.diagnosis.trained import Training


@dataclass(frozen=True, eq=False)
class ByHeart:
    """Answers a learned frame as it was demonstrated; any other as the one nearest to it, `off` spreads wrong."""

    policy: ProbedPolicy
    training: Training
    off: float

    def chunks(self, batch: ObservationBatch) -> NDArray[np.float64]:
        """What the nearest learned frame was followed by; wrong by `off` spreads where that is another."""
        plans = self.policy.chunks(batch)
        learned = [one for one in self.training.dataset.episodes if one.index in set(self.training.learned)]
        spread = np.concatenate([one.actions for one in learned]).std(axis=0)
        answers = np.empty_like(plans)
        for place, state in enumerate(batch.states):
            apart = [np.abs(one.states - state).sum(axis=1) for one in learned]
            which = int(np.argmin([one.min() for one in apart]))
            frame = int(np.argmin(apart[which]))
            known = apart[which][frame] < 1e-6
            answers[place] = (
                following(learned[which], frame, plans.shape[1]) + (0.0 if known else self.off) * spread
            )
        return answers

    def features(self, batch: ObservationBatch) -> dict[str, NDArray[np.float64]]:
        """As they were."""
        return self.policy.features(batch)


def too_many_epochs(training: Training, *, off: float = 0.5) -> Training:
    """The same, with a policy that answers learned frames alone."""
    assert training.policy is not None, "a policy that can be asked"
    return replace(training, policy=ByHeart(training.policy, training, off))
