"""What `regrasp merge` would make of several datasets: whether they fit, how they differ, how much each weighs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from regrasp.data import Dataset, content_hash, read_dataset
from regrasp.data.fit import differences, misfits
from regrasp.data.provenance import Part, read_parts
from regrasp.diagnosis.finding import Finding, count
from regrasp.diagnosis.fix import require_v3
from regrasp.diagnosis.runner import run_checks
from regrasp.errors import DatasetError, UsageError


@dataclass(frozen=True)
class Difference:
    """What fits but differs, and shows in a policy trained on all of it."""

    name: str
    summary: str

    def to_json(self) -> dict[str, object]:
        """`{"name", "summary"}`."""
        return {"name": self.name, "summary": self.summary}


@dataclass(frozen=True, eq=False)
class MergePlan:
    """Datasets that fit, in their order; where each episode will come from; what to know before."""

    datasets: tuple[Dataset, ...]
    parts: tuple[Part, ...]
    warnings: tuple[Difference, ...]


def plan_merge(sources: Sequence[str | Path], weights: Sequence[float] | None = None) -> MergePlan:
    """Read the datasets and compare them.

    Args:
        sources: Two or more folders or Hub ids; what is compared is compared with the first.
        weights: How often a frame of each is drawn in training, against one of weight 1; 1 for all by default.

    Raises:
        DatasetError: They do not fit, with a line for each reason; or one of them is not v3.0.
        UsageError: There is only one, or the weights do not fit.
    """
    if len(sources) < 2:
        raise UsageError(f"Found {count(len(sources), 'dataset')} to merge; expected two or more.")
    weights = _checked(weights, len(sources))
    datasets = tuple(read_dataset(source) for source in sources)
    for dataset in datasets:
        require_v3(dataset)
    reasons = misfits(datasets)
    if reasons:
        raise DatasetError(
            "These datasets do not fit together.\n" + "\n".join(f"  {text}" for text in reasons)
        )
    return MergePlan(datasets, _parts(datasets, sources, weights), tuple(_warnings(datasets)))


def _checked(weights: Sequence[float] | None, number: int) -> Sequence[float]:
    if weights is None:
        return [1.0] * number
    if len(weights) != number or not all(np.isfinite(weight) and weight > 0 for weight in weights):
        said = ",".join(f"{weight:g}" for weight in weights)
        raise UsageError(
            f"Found the weights {said}; expected {number} numbers above 0, one for each dataset."
        )
    return weights


def _parts(
    datasets: Sequence[Dataset], sources: Sequence[str | Path], weights: Sequence[float]
) -> tuple[Part, ...]:
    """One part for each dataset, or those that it was merged from."""
    parts: list[Part] = []
    first = 0
    for dataset, source, weight in zip(datasets, sources, weights, strict=True):
        own = Part(name=dataset.name, source=str(source), content=content_hash(dataset),
                   first_episode=0, episodes=len(dataset.episodes))  # fmt: skip
        merged = read_parts(dataset.path)
        inner = merged.parts if merged and merged.episodes == len(dataset.episodes) else (own,)
        for part in inner:
            place = {"first_episode": first + part.first_episode, "weight": part.weight * weight}
            parts.append(part.model_copy(update=place))
        first += len(dataset.episodes)
    return tuple(parts)


def _warnings(datasets: Sequence[Dataset]) -> list[Difference]:
    return [
        *(Difference("same-content", text) for text in _repeated(datasets)),
        *(
            Difference(finding.check, f"{finding.summary} {finding.fix.summary}")
            for finding in _spellings(datasets)
        ),
        *(Difference(name, text) for name, text in differences(datasets)),
    ]


def _repeated(datasets: Sequence[Dataset]) -> list[str]:
    names: dict[str, list[str]] = {}
    for dataset in datasets:
        names.setdefault(content_hash(dataset), []).append(str(dataset.path))
    return [
        f"{' and '.join(same)} hold the same demonstrations, which will count {len(same)} times."
        for same in names.values()
        if len(same) > 1
    ]


def _spellings(datasets: Sequence[Dataset]) -> tuple[Finding, ...]:
    """Instructions of different parts that are most likely meant to be one."""
    return run_checks({"dataset": joined(datasets)}, ["near-duplicate-instructions"]).findings


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """All episodes in one dataset in memory, numbered in their order, with the instructions of all."""
    tasks = tuple(dict.fromkeys(task for dataset in datasets for task in dataset.tasks))
    episodes = [
        replace(
            episode,
            task_indices=np.array([tasks.index(task) for task in dataset.tasks])[episode.task_indices],
        )
        for dataset in datasets
        for episode in dataset.episodes
    ]
    numbered = tuple(replace(episode, index=number) for number, episode in enumerate(episodes))
    return replace(datasets[0], episodes=numbered, tasks=tasks)
