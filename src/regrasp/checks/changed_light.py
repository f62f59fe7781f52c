"""Some episodes were recorded in other light, or the light has changed since the training.

## What it detects
Episodes whose pictures are clearly brighter or darker than the rest, or of another colour temperature, or with
more or less contrast: the lamp was off, the blind down, the camera set its exposure or white balance anew.

## Why it matters
A policy that saw one light meets another as something new. Half a dataset in each is worth more than either, as long
as it is meant: deploying in the light of the few is what fails.

## How it decides
Of each camera and episode three numbers are taken from the median over moments: mean grey (brightness), red
over blue (colour temperature), and deviation over mean (contrast). A camera that stands still is measured where its
picture keeps still; a camera on the arm over its whole picture, with limits half as wide again. Numbers are
compared as factors. Episodes are sorted by each number, and parted where a gap is wider than half of the limit;
those outside the largest part that lie from its median by more than the limit, and by five times the
spread of that part, are reported. Daylight that drifts over the episodes leaves no gap, and is not reported.

*In a deployment* the same three numbers of the first picture are compared with those of the contract's
fingerprint; not the contrast of a camera on the arm. `regrasp diagnose` gives the pictures of rollouts the colours and
contrast of the training, and asks the policy again; already from a brightness or colour temperature on that no training
start had and that lies 5 % from the usual one.

Limits are the smallest changes that are told (`info`); from twice as far, as a logarithm, on it is a warning. A
brightness of 1.3 is the change that a single step of ACT and SmolVLA hardly felt on an SO-101 (so-labbench, light
+-30 %); nobody has measured where success ends, so that the step to a warning is a choice. A policy of the
simulated arm that was trained under one lamp failed from all of 30 starts with a tenth less light; trained with
`--augment light`, from none.

## What can fool it
A large bright object in a few episodes. A camera on the arm that looks at other things in a few episodes. A camera
with automatic exposure hides a change of light in its mean, and shows it in contrast or colour.

## How to fix it
Keep them if the light will vary in deployment; then record more of both. Else drop them, or train with
`--augment light`. Fix exposure and white balance by hand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset
from regrasp.data.episode import grid_means
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.first_looks import light_of, looks_of
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.views import Views, views

if TYPE_CHECKING:
    from regrasp.data.contract import CameraContract, Contract

STILL_GREY_LEVELS = 4.0
"""Pixels that vary by less within most episodes show the place; still ones of the simulated camera vary by 0.9."""

FEWEST_STILL = 0.1
"""Share of the picture that must keep still to be judged alone; else the whole picture is."""

ON_THE_ARM = 1.5
"""Limits of a camera on the arm are so much wider, as logarithms: what it looks at changes its brightness too."""

SPREADS = 5.0
"""So many (robust) standard deviations from the other episodes are no scatter: 1 of 1.7 million if Gaussian."""


@check(severity=Severity.INFO)
def changed_light(
    dataset: Dataset,
    *,
    max_brightness: float = 1.3,
    max_warmth: float = 1.25,
    max_contrast: float = 1.4,
) -> Iterator[Finding]:
    """Report episodes whose light differs from the rest; those that differ in several cameras together."""
    limits = {"brightness": max_brightness, "warmth": max_warmth, "contrast": max_contrast}
    known = views(dataset)
    if max((len(one.views) for one in known.values()), default=0) < 3:
        raise Undecided("needs 3 episodes to tell which of them are odd")
    changed: dict[tuple[int, ...], list[_Changed]] = {}
    for one in known.values():
        if len(one.views) > 2:
            for numbers, change in _changed(one, limits):
                changed.setdefault(numbers, []).append(change)
    for numbers, changes in changed.items():
        yield _finding(dataset, numbers, changes)


@check(severity=Severity.INFO)
def changed_light_live(
    contract: "Contract",
    live: LiveView,
    *,
    max_brightness: float = 1.3,
    max_warmth: float = 1.25,
    max_contrast: float = 1.4,
) -> Iterator[Finding]:
    """The light of what each camera shows now, against that of the training."""
    limits = {"brightness": max_brightness, "warmth": max_warmth, "contrast": max_contrast}
    known = [camera for camera in contract.cameras if camera.name in live.images and camera.fingerprint]
    if contract.cameras and not known:
        raise Undecided("needs a contract with fingerprints of the cameras")
    changes = [
        _Changed(camera.name, beyond)
        for camera in known
        if (beyond := _since_training(camera, _on_its_grid(camera, live.images[camera.name]), limits))
    ]
    if changes:
        yield Finding(
            summary=f"The light is another than in training: {_in_words(changes)}.",
            where=Where(camera=changes[0].camera if len(changes) == 1 else None),
            evidence=_evidence(changes),
            fix=Fix(
                "Light the place as in training; fix exposure and white balance by hand; or train with "
                "`--augment light`."
            ),
            severity=_severity(changes),
        )


@check(severity=Severity.INFO)
def changed_light_deployed(
    contract: "Contract",
    rollouts: Rollouts,
    *,
    max_brightness: float = 1.3,
    max_warmth: float = 1.25,
    max_contrast: float = 1.4,
) -> Iterator[Finding]:
    """The light of what each camera showed first in each rollout, against that of the training."""
    limits = {"brightness": max_brightness, "warmth": max_warmth, "contrast": max_contrast}
    together: dict[tuple[int, ...], list[_Changed]] = {}
    for camera, looks in looks_of(contract, rollouts.dataset):
        beyond = {number: _since_training(camera, look.colours, limits) for number, look in looks.items()}
        for kind in dict.fromkeys(_ways(factors) for factors in beyond.values() if factors):
            alike = {number: factors for number, factors in beyond.items() if _ways(factors) == kind}
            together.setdefault(tuple(alike), []).append(_usual(camera.name, list(alike.values())))
    for numbers, changes in together.items():
        yield Finding(
            summary=f"The light was another than in training in {len(numbers)} of "
            f"{count(len(rollouts.episodes), 'rollout')}: {_in_words(changes)}.",
            where=Where(numbers, camera=changes[0].camera if len(changes) == 1 else None),
            evidence=_evidence(changes),
            fix=Fix(
                "Light the place as in training; fix exposure and white balance by hand; or train with "
                "`--augment light`."
            ),
            severity=_severity(changes),
        )


type _Factors = Mapping[str, tuple[float, float]]
"""Measure -> by which factor it changed, and the limit."""


def _ways(factors: _Factors) -> tuple[tuple[str, bool], ...]:
    """What has changed, and whether there is more of it: brighter and darker are not the same change."""
    return tuple((name, factor > 1) for name, (factor, _) in factors.items())


def _usual(camera: str, each: list[_Factors]) -> "_Changed":
    """The median change over episodes in which the same measures changed in the same way."""
    return _Changed(
        camera,
        {
            name: (float(np.median([one[name][0] for one in each])), limit)
            for name, (_, limit) in each[0].items()
        },
    )


def _on_its_grid(camera: "CameraContract", picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return grid_means(picture, (camera.rows, camera.columns))


def _since_training(
    camera: "CameraContract", colours: NDArray[np.float64], limits: Mapping[str, float]
) -> _Factors:
    """What has changed by more than its limit since the training."""
    now, then = light_of(colours), light_of(camera.picture)
    if (
        camera.rides
    ):  # what it looks at changes with the start pose, and a median of many has less contrast than one
        limits = {name: limit**ON_THE_ARM for name, limit in limits.items() if name != "contrast"}
    factors = {name: (float(np.exp(now[name] - then[name])), limit) for name, limit in limits.items()}
    return {name: pair for name, pair in factors.items() if abs(np.log(pair[0])) > np.log(pair[1])}


@dataclass(frozen=True)
class _Changed:
    """In which camera what changed, and by which factors; with the limit."""

    camera: str
    factors: _Factors

    @property
    def large(self) -> bool:
        """Whether some factor is beyond the square of its limit."""
        return any(abs(np.log(factor)) > 2 * np.log(limit) for factor, limit in self.factors.values())


def _changed(one: Views, limits: Mapping[str, float]) -> Iterator[tuple[tuple[int, ...], _Changed]]:
    """Episodes of a camera that differ in the same measures, with their factors."""
    measures = _measures(one)
    if not one.fixed:
        limits = {name: limit**ON_THE_ARM for name, limit in limits.items()}
    odd = {name: _odd(measures[name], float(np.log(limit))) for name, limit in limits.items()}
    together = np.array([odd[name] for name in limits])
    for kind in np.unique(together[:, together.any(axis=0)], axis=1).T:
        places = np.flatnonzero((together == kind[:, None]).all(axis=0))
        factors = {
            name: (_factor(measures[name], odd[name], places), limits[name])
            for name, is_odd in zip(limits, kind, strict=True)
            if is_odd
        }
        yield tuple(one.views[place].number for place in places), _Changed(one.camera, factors)


def _factor(values: NDArray[np.float64], odd: NDArray[np.bool_], places: NDArray[np.intp]) -> float:
    """Of these places against those that are not odd."""
    return float(np.exp(np.median(values[places]) - np.median(values[~odd])))


def _measures(one: Views) -> dict[str, NDArray[np.float64]]:
    """Logarithms of brightness, colour temperature and contrast of each episode, [n] each."""
    mask = _still(one)
    pictures = np.array([view.still[mask] for view in one.views])  # [n, pixels, 3]
    each = [light_of(picture) for picture in pictures]
    return {name: np.array([light[name] for light in each]) for name in WORDS}


def _still(one: Views) -> NDArray[np.bool_]:
    """Where the camera sees the place alone, [48, 64]; everywhere for a camera on the arm."""
    still = np.median([view.change for view in one.views], axis=0) < STILL_GREY_LEVELS
    return still if one.fixed and still.mean() >= FEWEST_STILL else np.ones_like(still)


def _odd(values: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Which of these stand apart from most others by more than the limit, [n]."""
    order = np.argsort(values, kind="stable")
    part = np.zeros(len(values), dtype=np.int64)
    part[order[1:]] = np.cumsum(np.diff(values[order]) > limit / 2)
    sizes = np.bincount(part)
    # Of parts of one size, that of the earliest episode counts as right.
    main = part == part[int(np.argmax(sizes[part]))]
    middle = float(np.median(values[main]))
    spread = 1.4826 * float(np.median(np.abs(values[main] - middle)))
    return ~main & (np.abs(values - middle) > max(limit, SPREADS * spread))


def _finding(dataset: Dataset, numbers: tuple[int, ...], changes: list[_Changed]) -> Finding:
    cameras = " and ".join(f"'{change.camera}'" for change in changes)
    several = f"Cameras {cameras} see" if len(changes) > 1 else f"Camera {cameras} sees"
    return Finding(
        summary=f"{several} {count(len(numbers), 'episode')} in other light: {_in_words(changes)}.",
        where=Where(numbers, camera=changes[0].camera if len(changes) == 1 else None),
        evidence=_evidence(changes),
        fix=Fix(
            "Keep them if the light will vary, and record more of both; else drop them. Fix exposure and white "
            "balance by hand.",
            drop_episodes(dataset, numbers),
        ),
        severity=_severity(changes),
    )


def _evidence(changes: list[_Changed]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(f"{name} of '{change.camera}' times", factor, limit if factor > 1 else 1 / limit)
        for change in changes
        for name, (factor, limit) in change.factors.items()
    )


def _severity(changes: list[_Changed]) -> Severity:
    return Severity.WARNING if any(change.large for change in changes) else Severity.INFO


WORDS = {
    "brightness": ("brighter", "darker"),
    "warmth": ("redder", "bluer"),
    "contrast": ("of more contrast", "of less contrast"),
}


def _in_words(changes: list[_Changed]) -> str:
    """`darker and bluer`; each measure once."""
    told = [
        WORDS[name][0 if factor > 1 else 1]
        for change in changes
        for name, (factor, _) in change.factors.items()
    ]
    return " and ".join(dict.fromkeys(told))
