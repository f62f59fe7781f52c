"""Where the object lay: in rollouts, against where the training had it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.rollouts import Rollouts, read_outcomes
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.coverage import grasp_places, known_grasps, object_places, require_positions
from regrasp.stats import Rate
from regrasp.stats.coverage import nearest_m

USUAL_QUANTILE = 0.99
"""One in a hundred places of the training lies farther from all others than this limit."""

FEWEST_TRAINED, FEWEST_ROLLOUTS = 5, 5


@dataclass(frozen=True, eq=False)
class Placed:
    """Rollouts by the place of their object.

    `places` [N, 2] in metres, base frame, `away_m` [N] from the nearest of the training's, `limit_m` what is usual
    between those, `success` [N], `episodes` [N] their numbers.
    """

    places: NDArray[np.float64]
    away_m: NDArray[np.float64]
    limit_m: float
    success: NDArray[np.bool_]
    episodes: tuple[int, ...]

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Which lay farther from every training place than these lie from each other, [N]."""
        return self.away_m > self.limit_m

    @property
    def inside_rate(self) -> Rate:
        """Success where the training had the object."""
        return Rate.of(self.success[~self.outside].tolist())

    @property
    def outside_rate(self) -> Rate:
        """Success elsewhere."""
        return Rate.of(self.success[self.outside].tolist())

    @cached_property
    def chance(self) -> float:
        """How likely failures would lie so much farther away, by chance: Mann and Whitney (1947), one-sided."""
        failed, succeeded = self.away_m[~self.success], self.away_m[self.success]
        if not len(failed) or not len(succeeded):
            return 1.0
        from scipy.stats import mannwhitneyu

        found: Any = mannwhitneyu(failed, succeeded, alternative="greater")
        return float(found.pvalue)


def placed(training: Dataset, learned: Collection[int], rollouts: Rollouts) -> Placed:
    """The rollouts whose object's place was noted and that were scored; Undecided with fewer than five."""
    outcomes = {one.episode: one for one in rollouts.outcomes if one.success is not None}
    episodes, places = object_places(rollouts.dataset, outcomes)
    if len(places) < FEWEST_ROLLOUTS:
        raise Undecided(
            f"needs {FEWEST_ROLLOUTS} scored rollouts with the place of their object noted, got {len(places)}"
        )
    trained = trained_places(training, learned)
    if len(trained) < FEWEST_TRAINED:
        raise Undecided(f"needs {FEWEST_TRAINED} places in the training, got {len(trained)}")
    between = [nearest_m(trained[[i]], np.delete(trained, i, axis=0))[0] for i in range(len(trained))]
    return Placed(
        places=places,
        away_m=nearest_m(places, trained),
        limit_m=float(np.quantile(between, USUAL_QUANTILE)),
        success=np.array([bool(outcomes[one].success) for one in episodes]),
        episodes=episodes,
    )


def trained_places(training: Dataset, learned: Collection[int]) -> NDArray[np.float64]:
    """Where the object lay in the demonstrations that were learned, [M, 2]: as noted, else where the hand closed."""
    shown = replace(training, episodes=tuple(one for one in training.episodes if one.index in set(learned)))
    found = read_outcomes(training.path)
    noted = {} if found is None else {one.episode: one for one in found[0]}
    _, places = object_places(shown, noted)
    if len(places) >= FEWEST_TRAINED:
        return places
    require_positions(training)
    kept, tips = grasp_places(known_grasps(training))
    return tips[[grasp.episode in set(learned) for grasp in kept]][:, :2]
