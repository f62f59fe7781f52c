"""Cameras whose first pictures look unlike those of the training."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrasp.data.contract import Contract
from regrasp.data.dataset import Dataset
from regrasp.data.measures import standardised
from regrasp.diagnosis.finding import Evidence, count
from regrasp.diagnosis.first_looks import Look, first_looks
from regrasp.diagnosis.ranking import Symptom
from regrasp.errors import RegraspError

type Array = NDArray[np.float64]

MOST_PICTURES = 40
"""Training episodes whose first pictures are decoded, evenly spread: 10 ms each."""

LEAST_SHARE = 0.3
"""Of the episodes must look unlike the training."""

MARGIN = 2.0
"""A picture may lie this many times as far from the nearest of the training as the training's own do at most. Sound
rollouts of the twin stay within 1.2, ones with the cameras swapped lie beyond 5."""

LIGHT_MARGIN = 1.0
"""How far brightness may leave the training's range, in that range; at least `LEAST_LIGHT`."""

LEAST_LIGHT = 12.0
"""Grey levels: 5 % of the scale, about what a camera's own exposure makes of one scene."""


def unfamiliar_pictures(contract: Contract, train: Dataset, deployed: Dataset) -> Iterator[Symptom]:
    """Cameras whose first pictures are unlike any of the training's, whatever the light, or in another light."""
    places = (
        np.unique(np.linspace(0, len(train.episodes) - 1, MOST_PICTURES).astype(int))
        if train.episodes
        else []
    )
    some = replace(train, episodes=tuple(train.episodes[place] for place in places))
    try:
        trained, seen = first_looks(some), first_looks(deployed)
    except RegraspError:  # a video that does not decode: the checks say so
        return
    for camera in contract.cameras:
        if camera.name in trained and camera.name in seen and len(trained[camera.name]) > 2:
            yield from _compared(
                camera.name, list(trained[camera.name].values()), list(seen[camera.name].values())
            )


def _compared(name: str, trained: list[Look], seen: list[Look]) -> Iterator[Symptom]:
    theirs, ours = (
        np.stack([standardised(look.colours).ravel() for look in looks]) for looks in (trained, seen)
    )
    apart = _unlikeness(theirs, theirs)
    np.fill_diagonal(apart, np.inf)
    limit = MARGIN * float(apart.min(axis=1).max())
    away = _unlikeness(ours, theirs).min(axis=1)
    light, usual = (np.array([look.grey.mean() for look in looks]) for looks in (seen, trained))
    slack = max(LIGHT_MARGIN * float(np.ptp(usual)), LEAST_LIGHT)
    low, high = float(usual.min()) - slack, float(usual.max()) + slack
    other, lit = away > limit, (light < low) | (light > high)
    if max(other.mean(), lit.mean()) < LEAST_SHARE:
        return
    told: list[str] = []
    if other.mean() >= LEAST_SHARE:
        told.append(
            f"shows another picture than in training in {other.sum()} of {count(len(other), 'episode')}"
        )
    if lit.mean() >= LEAST_SHARE:
        usually = f"in training {usual.min():.0f} to {usual.max():.0f}"
        told.append(
            f"is at a brightness of {np.median(light[lit]):.0f} in {lit.sum()} of {count(len(lit), 'episode')}, {usually}"
        )
    yield Symptom(
        "unfamiliar-pictures",
        f"Camera '{name}' {' and '.join(told)}.",
        (
            Evidence(
                "unlike the nearest training picture", round(float(np.median(away)), 3), round(limit, 3)
            ),
            Evidence(
                "brightness",
                round(float(np.median(light)), 1),
                round(high if np.median(light) > high else low, 1),
            ),
        ),
    )


def _unlikeness(one: Array, other: Array) -> Array:
    """One less the correlation of each pair of standardised pictures [n, cells], [n, m]: 0 for the same, to 2."""
    return 1.0 - one @ other.T / one.shape[1]
