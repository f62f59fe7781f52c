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
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data.dataset import Dataset
from regrasp.data.episode import camera_name
from regrasp.diagnosis.observations import INSTRUCTION, STATE, Array, ObservationBatch, sampled_episodes
from regrasp.diagnosis.reference import InputDistance, Reference
from regrasp.stats.resampling import interval_of_median

if TYPE_CHECKING:
    from regrasp.data.contract import Contract
    from regrasp.data.rollouts import Rollouts

BACK = 0.8
"""Share of the excess distance that must go for "put right". Measured on the twin, the right intervention
takes away all of it, the best wrong one two thirds."""

SURE = 0.001
"""So seldom may as many episodes lie beyond the healthy level where nothing differs; many inputs are looked at."""

CARES_SPREADS = 0.25
"""A plan that moves less than this, in its own spread over training starts, is taken for unmoved: a policy
whose plans differ by a quarter of what two sound starts make them differ does the same task."""

PROBES_PACKAGE = "regrasp.probes"

PLAN_MOVES = "the plan moves {:.2f} of its spread over training starts"
"""What changes when an input is put right."""


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
    def by_chance(self) -> bool:
        """Whether every input that it found outside the healthy level may be there by chance."""
        return all(distance.chance >= SURE for distance in self.distances if distance.disturbed)

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
