"""How far what a policy is shown lies from what it was trained with, in the policy's own features.

The Mahalanobis distance, with a covariance shrunk after Ledoit & Wolf (2004), to the starts of the training; and how
far plans lie apart, in units of their own spread over those starts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import camera_name, grid_means
from regrasp.diagnosis.observations import INSTRUCTION, STATE, Array, ObservationBatch, ProbedPolicy
from regrasp.errors import CheckpointError
from regrasp.stats.resampling import interval_of_median
from regrasp.stats.shift import exceeding_by_chance

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

HEALTHY_QUANTILE = 0.99
"""A distance that one in a hundred training starts exceeds, each measured against the others."""

SMALLEST_SPREAD_DEG = 0.5
"""Joints of the training starts count as spread at least this far: five steps of the encoder, about the
backlash of a servo at rest."""

ENCODER_STEP_DEG = 0.09
"""Training starts that are all the same pose are not nearer to each other than an SO-101 can tell."""

SAME_WORDS = 0.01
"""Instructions closer than this, in lengths of the trained one's embedding, read the same to the policy."""

COARSE = (6, 8)
"""Grid for the pictures of a policy that shows no features: 144 numbers a camera."""


@dataclass(frozen=True)
class InputDistance:
    """How far one input lies from the training data, medians over episodes; `limit` is the healthy level.

    `chance` is how often as many episodes lie beyond it where nothing differs, given how few they and the starts are.
    """

    name: str
    before: float
    after: float
    healthy: float
    limit: float
    interval: tuple[float, float]
    chance: float = 0.0

    @property
    def disturbed(self) -> bool:
        """Whether it lay outside the healthy level."""
        return self.before > self.limit

    @property
    def relief(self) -> float:
        """Share of the excess that was taken away; 1 is back at the healthy level, below 0 is worse."""
        if not self.disturbed:
            return 0.0
        if self.after <= self.limit:
            return 1.0
        return (self.before - self.after) / (self.before - self.healthy)

    def to_json(self) -> dict[str, object]:
        """As it stands in a diagnosis."""
        return {
            "input": self.name,
            "before": round(self.before, 3),
            "before95": [round(limit, 3) for limit in self.interval],
            "after": round(self.after, 3),
            "healthy": round(self.healthy, 3),
            "limit": round(self.limit, 3),
        }


@dataclass(frozen=True, eq=False)
class Reference:
    """How far healthy inputs lie from each other, and how much healthy plans differ."""

    policy: ProbedPolicy
    train: ObservationBatch
    contract: "Contract"

    @cached_property
    def _measures(self) -> "dict[str, _Measure]":
        features = self._features(self.train)
        _require_numbers(features.values())
        cameras = {name: _Mahalanobis(values) for name, values in features.items() if name != INSTRUCTION}
        return {**cameras, STATE: _Nearest(self.train.states), INSTRUCTION: self._words(features)}

    @cached_property
    def plan_spread(self) -> Array:
        """Deviation of each joint's plan over training starts, [J]; at least a twentieth of its travel's."""
        plans = self.policy.chunks(self.train)
        _require_numbers((plans,))
        travel = np.array([joint.state_std for joint in self.contract.joints])
        spread = np.sqrt(np.mean(plans.var(axis=0), axis=0))
        return np.maximum(spread, np.maximum(0.05 * travel, 1e-6))

    def distances(self, batch: ObservationBatch) -> dict[str, Array]:
        """Input -> distance of each observation to the training data, [n]."""
        features = self._features(batch)
        seen = {
            name: self._measures[name].of(values)
            for name, values in features.items()
            if name in self._cameras
        }
        words = features.get(INSTRUCTION, self._told(batch))
        return {
            **seen,
            STATE: self._measures[STATE].of(batch.states),
            INSTRUCTION: self._measures[INSTRUCTION].of(words),
        }

    def distances_to(self, changed: ObservationBatch, observed: ObservationBatch) -> dict[str, Array]:
        """Input -> distance of each observation to the training starts as `changed` shows them, [n].

        What the change does to the starts on average is taken out of the observations, so that the training's own
        spread stays the measure even where the change leaves none, as a covered lens does.
        """
        seen, starts, altered = (self._features(batch) for batch in (observed, self.train, changed))
        distances = self.distances(observed)
        for name in self._cameras:
            away = altered[name].mean(axis=0) - starts[name].mean(axis=0)
            distances[name] = self._measures[name].of(seen[name] - away)
        return distances

    def healthy(self, name: str) -> tuple[float, float]:
        """Median and limit of an input's distance over training starts."""
        own = self._measures[name].own
        return float(np.median(own)), max(
            float(np.quantile(own, HEALTHY_QUANTILE)), self._measures[name].floor
        )

    def inputs(self, batch: ObservationBatch) -> tuple[InputDistance, ...]:
        """How far each input lies from the training data with nothing changed."""
        distances = self.distances(batch)
        return tuple(self.distance(name, values, values) for name, values in distances.items())

    def distance(self, name: str, before: Array, after: Array) -> InputDistance:
        """An input's distances [n] before and after, beside the healthy level."""
        healthy, limit = self.healthy(name)
        median, then = float(np.median(before)), float(np.median(after))
        own, beyond = self._measures[name].own, int((before > limit).sum())
        chance = exceeding_by_chance(beyond, len(before), len(own), int((own > limit).sum()) + 1)
        return InputDistance(name, median, then, healthy, limit, interval_of_median(before), chance)

    def plan_moved(self, before: Array, after: Array) -> Array:
        """How far each plan [n, chunk, J] moved, root mean square over time and joints in spreads, [n]."""
        return np.sqrt(np.mean(((after - before) / self.plan_spread) ** 2, axis=(1, 2)))

    def worst_moved(self, before: Array, after: Array) -> Array:
        """How far the joint moved that moved most, root mean square over time in spreads, [n]."""
        return np.sqrt(np.mean(((after - before) / self.plan_spread) ** 2, axis=1)).max(axis=1)

    @cached_property
    def _cameras(self) -> tuple[str, ...]:
        return tuple(camera_name(key) for key in self.train.images)

    def _features(self, batch: ObservationBatch) -> dict[str, Array]:
        """The policy's features by input; a camera that it gives none for, as its picture on a grid."""
        own = {camera_name(key): values for key, values in self.policy.features(batch).items()}
        for key, pictures in batch.images.items():
            if camera_name(key) not in own:
                own[camera_name(key)] = _on_a_grid(pictures)
        return own

    def _words(self, features: Mapping[str, Array]) -> "_Measure":
        return _Words(features.get(INSTRUCTION, self._told(self.train)))

    def _told(self, batch: ObservationBatch) -> Array:
        """Without an embedding: 1 for an instruction of the training, 0 for another; [n, 1]."""
        known = set(self.contract.instructions)
        return np.array([[1.0 if task in known else 0.0] for task in batch.tasks])


class _Measure(Protocol):
    """A distance to the training data; `own` holds that of each training start to the others."""

    own: Array
    floor: float

    def of(self, values: Array) -> Array: ...


class _Mahalanobis:
    """Distance to a cloud in units of its own shape."""

    floor = 0.0

    def __init__(self, cloud: Array) -> None:
        self._mean, self._precision = _shape_of(cloud)
        self.own = self._held_out(cloud)

    def of(self, values: Array) -> Array:
        return _mahalanobis(values, self._mean, self._precision)

    @staticmethod
    def _held_out(cloud: Array, folds: int = 5) -> Array:
        """Each point's distance to a cloud that it had no part in shaping."""
        if len(cloud) < 2 * folds:
            return _mahalanobis(cloud, *_shape_of(cloud))
        own = np.empty(len(cloud))
        for fold in range(folds):
            held = np.arange(len(cloud)) % folds == fold
            own[held] = _mahalanobis(cloud[held], *_shape_of(cloud[~held]))
        return own


class _Nearest:
    """Distance to the nearest training start, root mean square over joints in spreads."""

    floor = ENCODER_STEP_DEG / SMALLEST_SPREAD_DEG

    def __init__(self, starts: Array) -> None:
        self._spread = np.maximum(starts.std(axis=0), SMALLEST_SPREAD_DEG)
        self._starts = starts / self._spread
        between = self._table(starts)
        np.fill_diagonal(between, np.inf)
        self.own = between.min(axis=1) if len(starts) > 1 else np.zeros(1)

    def of(self, values: Array) -> Array:
        return self._table(values).min(axis=1)

    def _table(self, values: Array) -> Array:
        apart = (values / self._spread)[:, None] - self._starts[None]
        return np.sqrt(np.mean(apart**2, axis=2))


class _Words:
    """Distance to the nearest training instruction, in lengths of its embedding."""

    floor = SAME_WORDS

    def __init__(self, embeddings: Array) -> None:
        self._known = np.unique(embeddings.round(6), axis=0)
        self.own = self.of(embeddings)

    def of(self, values: Array) -> Array:
        lengths = np.maximum(np.linalg.norm(self._known, axis=1), 1e-9)
        apart = np.linalg.norm(values[:, None] - self._known[None], axis=2) / lengths
        return apart.min(axis=1)


def _require_numbers(answers: Iterable[Array]) -> None:
    """Refuse a policy that answers its own training starts with NaN: there is nothing to compare with."""
    if not all(np.isfinite(one).all() for one in answers):
        raise CheckpointError(
            "The policy answers the starts of its own training with what is no number; expected angles. Its weights are "
            "damaged, or the training diverged: take an earlier checkpoint."
        )


def _shape_of(cloud: Array) -> tuple[Array, Array]:
    """Mean and inverse covariance, shrunk so that it can be inverted whatever the number of points."""
    from sklearn.covariance import LedoitWolf

    fitted = LedoitWolf().fit(cloud)
    return np.asarray(fitted.location_), np.asarray(fitted.get_precision())


def _mahalanobis(values: Array, mean: Array, precision: Array) -> Array:
    apart = values - mean
    return np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", apart, precision, apart), 0.0))


def _on_a_grid(pictures: NDArray[np.uint8]) -> Array:
    return np.stack([grid_means(picture, COARSE).ravel() for picture in pictures])
