"""What is seen in rollouts, train against deployment: symptoms, which name no cause."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrasp.data.contract import Contract
from regrasp.data.dataset import Dataset
from regrasp.data.measures import closed_share
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.finding import Evidence
from regrasp.diagnosis.ranking import Symptom

SELDOM = 0.5
"""A gripper that is closed (or open) in less than this part of its training share closes seldom. Measured on the twin:
0.8 of it in healthy rollouts, 0.34 and less in those that failed."""


def symptoms(contract: Contract, train: Dataset, rollouts: Rollouts) -> Iterator[Symptom]:
    """What is seen in the rollouts, whatever its cause."""
    threshold, trained = contract.gripper_closed_threshold, contract.gripper_closed_share
    if threshold is None or not trained or not rollouts.episodes:
        return
    closed = np.array([closed_share(episode, threshold) for episode in rollouts.episodes])
    yield from _seldom("gripper-seldom-closes", "closed", closed, trained, threshold)
    yield from _seldom("gripper-seldom-opens", "open", 1.0 - closed, 1.0 - trained, threshold)


def _seldom(
    name: str, state: str, shares: NDArray[np.float64], trained: float, threshold: float
) -> Iterator[Symptom]:
    """The gripper is `state` in less than half of its training share, whichever episodes are drawn."""
    share, (low, high) = float(shares.mean()), interval_of_mean(shares)
    if high < SELDOM * trained:
        yield Symptom(
            name=name,
            summary=f"The gripper is {state} in {100 * share:.0f} % ({100 * low:.0f}-{100 * high:.0f} %) "
            f"of the frames; in training it was in {100 * trained:.0f} %.",
            evidence=(
                Evidence(f"{state}, deployed", 100 * share, 100 * SELDOM * trained, "%"),
                Evidence(f"{state}, trained", 100 * trained, None, "%"),
                Evidence("closed below", threshold, None, ""),
            ),
        )


def interval_of_mean(values: NDArray[np.float64], *, draws: int = 2000) -> tuple[float, float]:
    """95 % interval of a mean over episodes, by drawing episodes again (Efron 1979), reproducibly."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, size=(draws, len(values))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
