"""Probes: put one thing right in what a policy saw, ask it again, and measure whether that was it.

A probe looks at the first observation of each rollout, which no failure has touched yet: once a rollout has
gone wrong, its later frames lie where no demonstration ever was, and putting them right proves nothing.

Two numbers come of it. How far each input lies from the training data, before and after, measured in the
policy's own features (Mahalanobis distance, covariance shrunk after Ledoit & Wolf 2004), because that is what
the policy has to work with. And how far its plan moves, in units of its own spread over training starts:
a policy that plans the same either way does not care.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode, camera_name, grid_means

if TYPE_CHECKING:
    from regrasp.data.contract import Contract
    from regrasp.data.rollouts import Rollouts

type Array = NDArray[np.float64]

STATE, INSTRUCTION = "state", "instruction"
"""Names of the inputs that are no cameras."""

MOST_STARTS = 100
"""Starts that are taken of each side, evenly spread: more moves no median, and every one is decoded."""

HEALTHY_QUANTILE = 0.99
"""A distance that one in a hundred training starts exceeds, each measured against the others."""

SMALLEST_SPREAD_DEG = 0.5
"""Joints of the training starts count as spread at least this far: five steps of the encoder, about the
backlash of a servo at rest."""

SAME_WORDS = 0.01
"""Instructions closer than this, in lengths of the trained one's embedding, read the same to the policy."""

COARSE = (6, 8)
"""Grid for the pictures of a policy that shows no features: 144 numbers a camera."""

BACK = 0.8
"""Share of the excess distance that must go for "put right". Measured on the twin, the right intervention
takes away all of it, the best wrong one two thirds."""

CARES_SPREADS = 0.25
"""A plan that moves less than this, in its own spread over training starts, is taken for unmoved: a policy
whose plans differ by a quarter of what two sound starts make them differ does the same task."""

PROBES_PACKAGE = "regrasp.probes"

PLAN_MOVES = "the plan moves {:.2f} of its spread over training starts"
"""What changes when an input is put right."""


@dataclass(frozen=True, eq=False)
class ObservationBatch:
    """States [n, J] in the dataset's units, pictures by LeRobot's key uint8 [n, h, w, 3], n instructions."""

    states: Array
    images: Mapping[str, NDArray[np.uint8]]
    tasks: list[str]

    def __len__(self) -> int:
        return len(self.states)

    def at(self, places: NDArray[np.int64]) -> "ObservationBatch":
        """Some of the observations."""
        images = {key: pictures[places] for key, pictures in self.images.items()}
        return ObservationBatch(self.states[places], images, [self.tasks[place] for place in places])


class ProbedPolicy(Protocol):
    """A policy that can be asked many things at once, offline."""

    def chunks(self, batch: ObservationBatch) -> Array:
        """Action chunks in the dataset's units, [n, chunk, J]; the same for the same batch."""
        ...

    def features(self, batch: ObservationBatch) -> dict[str, Array]:
        """What the policy makes of each input alone: key of a camera, or "instruction" -> [n, d]."""
        ...


@dataclass(frozen=True, eq=False)
class Case:
    """What a probe works on: the contract, training starts, and the first observations of the rollouts.

    `lacking` are keys of cameras that the rollouts lack: they are black in what was observed. Probes of how the
    policy was run also read the `rollouts` that the observations come from, and ask the policy by the `reference`;
    those of what was commanded read the demonstrations as they were `shown`.
    """

    contract: "Contract"
    train: ObservationBatch
    observed: ObservationBatch
    lacking: frozenset[str] = frozenset()
    rollouts: "Rollouts | None" = None
    reference: "Reference | None" = None
    shown: Dataset | None = None

    @classmethod
    def of(
        cls,
        contract: "Contract",
        train: ObservationBatch,
        observed: ObservationBatch,
        rollouts: "Rollouts | None" = None,
        reference: "Reference | None" = None,
        shown: Dataset | None = None,
    ) -> "Case":
        """With a black picture for each camera of the training that was not observed."""
        lacking = frozenset(train.images) - frozenset(observed.images)
        images = {
            key: observed.images.get(key, np.zeros((len(observed), *pictures.shape[1:]), np.uint8))
            for key, pictures in train.images.items()
        }
        return cls(contract, train, replace(observed, images=images), lacking, rollouts, reference, shown)

    def at(self, places: NDArray[np.int64]) -> "Case":
        """The same with those episodes alone that stand at these places in the batch."""
        rollouts = self.rollouts
        if rollouts is not None:
            sampled = sampled_episodes(rollouts.dataset)
            chosen = tuple(sampled[place] for place in places)
            rollouts = replace(rollouts, dataset=replace(rollouts.dataset, episodes=chosen))
        return replace(self, observed=self.observed.at(places), rollouts=rollouts)


@dataclass(frozen=True, eq=False)
class Intervention:
    """Observations in which one thing was put right. `inputs` are those it touched, by name.

    `command` carries it out on the station, as `regrasp rollout CHECKPOINT --station STATION --OPTION VALUE`;
    None where no command does. What cannot be put right in what was observed is done to training starts: `batch` are
    the starts as they are, `without` the same as the rollouts saw the world. Then it is measured how far the
    observations lie from those, and how much the plan differs between the two. `enough` is the share of the excess
    distance that must go for "put right"; less than `BACK` where the intervention can only be an approximate one.
    `commands_off` [J] is by how much lower than wanted commands arrived in the rollouts, where they did: then the joint
    counts whose way changes most.
    """

    name: str
    inputs: tuple[str, ...]
    batch: ObservationBatch
    command: str | None
    without: ObservationBatch | None = None
    enough: float = BACK
    commands_off: Array | None = None


@dataclass(frozen=True, eq=False)
class Measurement:
    """How the policy was run, put right, where no input changes: the probe has measured what comes of it itself.

    `distances` are how far what it measured lies from the training, before and after; `moved` [n] is how much
    changes, and `moving` what that is, as in "the plan moves {:.2f} of its spread". `command` as in `Intervention`.
    """

    name: str
    distances: "tuple[InputDistance, ...]"
    moved: Array
    moving: str
    command: str | None


type ProbeFunction = Callable[[Case], Iterator[Intervention | Measurement]]


@dataclass(frozen=True)
class Probe:
    """A registered intervention, and the cause that it speaks for."""

    name: str
    cause: str
    function: ProbeFunction


_registered: dict[str, Probe] = {}


def probe(*, cause: str) -> Callable[[ProbeFunction], ProbeFunction]:
    """Register a function under its file's name."""

    def register(function: ProbeFunction) -> ProbeFunction:
        name = function.__module__.rpartition(".")[2].replace("_", "-")
        _registered[name] = Probe(name, cause, function)
        return function

    return register


def load_probes() -> tuple[Probe, ...]:
    """Every probe, from its file."""
    package = importlib.import_module(PROBES_PACKAGE)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{PROBES_PACKAGE}.{module.name}")
    return tuple(_registered[name] for name in sorted(_registered))


@dataclass(frozen=True)
class InputDistance:
    """How far one input lies from the training data, medians over episodes; `limit` is the healthy level."""

    name: str
    before: float
    after: float
    healthy: float
    limit: float
    interval: tuple[float, float]

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


@dataclass(frozen=True)
class ProbeResult:
    """What became of one intervention. `moved` is how far the plan moved, in spreads over training starts.

    `simulated` says that the difference was put into training starts: the distances after it are to those.
    `moving` says what moved.
    """

    probe: str
    cause: str
    intervention: str
    distances: tuple[InputDistance, ...]
    moved: float
    moved95: tuple[float, float]
    episodes: int
    command: str | None
    simulated: bool = False
    enough: float = BACK
    moving: str = PLAN_MOVES

    @property
    def disturbed(self) -> bool:
        """Whether an input that it touches lay outside the healthy level."""
        return any(distance.disturbed for distance in self.distances)

    @property
    def put_right(self) -> bool:
        """Whether an input was disturbed, and enough of that was taken away."""
        return self.disturbed and self.relief >= self.enough

    @property
    def relief(self) -> float:
        """The smallest share of excess taken away from an input that was disturbed; 0 when none was."""
        return min((distance.relief for distance in self.distances if distance.disturbed), default=0.0)

    def to_json(self) -> dict[str, object]:
        """As it stands in a diagnosis."""
        return {
            "name": self.probe,
            "intervention": self.intervention,
            "inputs": [distance.to_json() for distance in self.distances],
            "relief": round(self.relief, 3),
            "plan_moved": round(self.moved, 3),
            "plan_moved95": [round(limit, 3) for limit in self.moved95],
            "episodes": self.episodes,
            "simulated": self.simulated,
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
        cameras = {name: _Mahalanobis(values) for name, values in features.items() if name != INSTRUCTION}
        return {**cameras, STATE: _Nearest(self.train.states), INSTRUCTION: self._words(features)}

    @cached_property
    def plan_spread(self) -> Array:
        """Deviation of each joint's plan over training starts, [J]; at least a twentieth of its travel's."""
        plans = self.policy.chunks(self.train)
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
        return InputDistance(name, median, then, healthy, limit, interval_of_median(before))

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


def run_all(
    probes: Iterable[Probe], case: Case, reference: Reference, affected: Mapping[str, Sequence[int]]
) -> tuple[ProbeResult, ...]:
    """Every probe; and once more, beside what the others put right, those after which the plan hardly moved.

    One cause can hide how much another matters: a policy whose arm stands where it never was may plan the same whatever
    a camera shows.
    """
    tried = [(one, found) for one in probes if (found := _tried(one, case, reference, affected))]
    right = [form for _, (result, form) in tried if result.put_right and result.moved >= CARES_SPREADS]
    beside = replace(case, observed=_with_inputs_of(right, case.observed))
    results: list[ProbeResult] = []
    for one, (result, _) in tried:
        if right and result.put_right and result.moved < CARES_SPREADS and not result.simulated:
            again = _tried(one, beside, reference, affected)
            if again is not None and again[0].put_right:
                result = again[0]
        results.append(result)
    return tuple(results)


def run_probe(
    one: Probe, case: Case, reference: Reference, affected: Mapping[str, Sequence[int]] | None = None
) -> ProbeResult | None:
    """Try every form of an intervention and give the one that helps most; None when it has nothing to try.

    `affected` may name, for a cause, the places in the batch that it touches; the others are left out.
    """
    found = _tried(one, case, reference, affected)
    return None if found is None else found[0]


def _tried(
    one: Probe, case: Case, reference: Reference, affected: Mapping[str, Sequence[int]] | None
) -> tuple[ProbeResult, Intervention | Measurement] | None:
    """The form that helps most, and what came of it."""
    places = np.array((affected or {}).get(one.cause) or range(len(case.observed)), dtype=np.int64)
    if len(places) == 0:
        return None
    part = case.at(places)
    forms = list(one.function(part))
    if not forms:
        return None
    before = _Answer.of(part.observed, reference)
    results = [(_measured(one, form, part.observed, before, reference), form) for form in forms]
    return max(results, key=lambda pair: (pair[0].relief, _total_relief(pair[0])))


def _with_inputs_of(
    forms: Iterable[Intervention | Measurement], observed: ObservationBatch
) -> ObservationBatch:
    """The observations with the inputs that these interventions put right in all of them."""
    for form in forms:
        if isinstance(form, Measurement) or form.without is not None or len(form.batch) != len(observed):
            continue
        touched = {key: form.batch.images[key] for key in observed.images if camera_name(key) in form.inputs}
        observed = ObservationBatch(
            form.batch.states if STATE in form.inputs else observed.states,
            {**observed.images, **touched},
            form.batch.tasks if INSTRUCTION in form.inputs else observed.tasks,
        )
    return observed


def first_observations(dataset: Dataset, contract: "Contract", task: str | None = None) -> ObservationBatch:
    """The first observation of up to `MOST_STARTS` episodes, with the instruction that was in force."""
    episodes = sampled_episodes(dataset)
    images = {
        camera.key: np.concatenate([episode.cameras[camera.name].frames([0]) for episode in episodes])
        for camera in contract.cameras
        if all(camera.name in episode.cameras for episode in episodes)
    }
    tasks = [task or dataset.tasks[int(episode.task_indices[0])] for episode in episodes]
    return ObservationBatch(np.stack([episode.states[0] for episode in episodes]), images, tasks)


def sampled_episodes(dataset: Dataset) -> tuple[Episode, ...]:
    """Up to `MOST_STARTS` episodes, evenly spread."""
    count = len(dataset.episodes)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_STARTS)).round().astype(int))
    return tuple(dataset.episodes[place] for place in places)


def interval_of_median(values: Array, *, draws: int = 500) -> tuple[float, float]:
    """95 % interval of a median over episodes, by drawing episodes again (Efron 1979), reproducibly."""
    if len(values) == 0:
        return float("nan"), float("nan")
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(values, size=(draws, len(values))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)


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

    floor = 0.0

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


@dataclass(frozen=True, eq=False)
class _Answer:
    """What the policy makes of a batch: each input's distances [n], and plans [n, chunk, J]."""

    distances: Mapping[str, Array]
    plans: Array

    @classmethod
    def of(cls, batch: ObservationBatch, reference: Reference) -> "_Answer":
        return cls(reference.distances(batch), reference.policy.chunks(batch))


def _measured(
    one: Probe,
    form: Intervention | Measurement,
    batch: ObservationBatch,
    observed: _Answer,
    reference: Reference,
) -> ProbeResult:
    if isinstance(form, Measurement):
        return ProbeResult(
            probe=one.name,
            cause=one.cause,
            intervention=form.name,
            distances=form.distances,
            moved=float(np.median(form.moved)),
            moved95=interval_of_median(form.moved),
            episodes=len(form.moved),
            command=form.command,
            moving=form.moving,
        )
    before = observed
    after = _Answer.of(form.batch, reference)
    if form.commands_off is not None:
        moved = reference.worst_moved(observed.plans - form.commands_off, after.plans)
    elif form.without is None:
        moved = reference.plan_moved(observed.plans, after.plans)
    else:
        moved = reference.plan_moved(reference.policy.chunks(form.without), after.plans)
        after = replace(after, distances=reference.distances_to(form.without, batch))
    return ProbeResult(
        probe=one.name,
        cause=one.cause,
        intervention=form.name,
        distances=tuple(
            reference.distance(name, before.distances[name], after.distances[name]) for name in form.inputs
        ),
        moved=float(np.median(moved)),
        moved95=interval_of_median(moved),
        episodes=len(moved),
        command=form.command,
        simulated=form.without is not None,
        enough=form.enough,
    )


def _total_relief(result: ProbeResult) -> float:
    return sum(distance.before - distance.after for distance in result.distances)


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
