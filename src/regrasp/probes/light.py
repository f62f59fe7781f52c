"""The policy is asked again with colours and contrast of its cameras matched to the training.

Light that was too bright for a camera cannot be taken out of its pictures; so training starts are lit as the rollouts
were, too, and it is seen whether the rollouts lie among those.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from regrasp.data.episode import camera_name, grid_means
from regrasp.diagnosis.first_looks import light_of
from regrasp.diagnosis.probe import Case, Intervention, probe

type Pictures = NDArray[np.uint8]
"""[n, h, w, 3]."""

MEASURES = ("brightness", "red over blue", "contrast")
"""As `light_of` gives them."""

LEAST_FACTOR = 1.15
"""A brightness, colour temperature or contrast that changed by less is left: half of the smallest limit of the check,
as a logarithm, so that whether it matters is the policy's to say."""

LEAST_BEYOND = 1.05
"""A brightness or colour temperature that no training start had is tried from this factor on; an arm that starts
elsewhere changes the brightness of its pictures by less. A policy of the simulated arm that was trained under one lamp
failed from all of 30 starts with a tenth less light."""

LEAST_DEVIATION = 1.0
"""Grey levels; a picture with less has nothing that could be stretched."""


@probe(cause="changed-light")
def light(case: Case) -> Iterator[Intervention]:
    """Cameras whose light has changed: all rollouts alike, and each picture by itself."""
    changes = {key: _change(case.observed.images[key], case.train.images[key]) for key in case.train.images}
    clearly = tuple(key for key, change in changes.items() if change is _Change.CLEAR)
    at_all = tuple(key for key, change in changes.items() if change is not _Change.NONE)
    for cameras in dict.fromkeys((clearly, at_all)):
        if cameras:
            yield from _forms(case, cameras)


def _forms(case: Case, changed: Sequence[str]) -> Iterator[Intervention]:
    """The light of these cameras put right."""
    seen, trained = case.observed.images, case.train.images
    names = tuple(camera_name(key) for key in changed)
    lit = ", ".join(f"{camera_name(key)} ({_in_words(seen[key], trained[key])})" for key in changed)
    relit = {key: _as_lit(trained[key], seen[key]) for key in changed}
    yield Intervention(
        name=f"light of {lit} as in training, in training starts",
        inputs=names,
        batch=case.train,
        command=None,
        without=replace(case.train, images={**trained, **relit}),
    )
    for how in ("", " picture by picture"):
        matched = {key: _matched(seen[key], trained[key], each=bool(how)) for key in changed}
        yield Intervention(
            name=f"light of {lit} matched to the training{how}",
            inputs=names,
            batch=replace(case.observed, images={**seen, **matched}),
            command=None,
        )


class _Change(Enum):
    """How much the light of a camera differs from the training's."""

    NONE = 0
    UNSEEN = 1
    CLEAR = 2


def _change(pictures: Pictures, trained: Pictures) -> _Change:
    """Whether the usual light is clearly another one, or of a brightness or colour that no training start had."""
    now, then = _lights(pictures), _lights(trained)
    usual = np.median(then, axis=0)
    away = np.abs(np.median(now, axis=0) - usual)
    if (away > np.log(LEAST_FACTOR)).any():
        return _Change.CLEAR
    unseen = away > np.maximum(np.abs(then - usual).max(axis=0), np.log(LEAST_BEYOND))
    return _Change.UNSEEN if unseen[:2].any() else _Change.NONE


def _in_words(pictures: Pictures, trained: Pictures) -> str:
    """What has changed most, as a factor."""
    away = np.median(_lights(pictures), axis=0) - np.median(_lights(trained), axis=0)
    most = int(np.argmax(np.abs(away)))
    return f"{MEASURES[most]} times {np.exp(away[most]):.2f}"


def _lights(pictures: Pictures) -> NDArray[np.float64]:
    """Brightness, colour temperature and contrast of each picture, logarithms, [n, 3]."""
    return np.array([list(light_of(grid_means(one)).values()) for one in pictures])


def _matched(pictures: Pictures, trained: Pictures, *, each: bool) -> Pictures:
    """Pictures with the usual mean and deviation of each colour in training; as a whole, or each by itself."""
    mean, deviation = (np.median(values, axis=0) for values in _colours(trained))
    own_mean, own_deviation = _colours(pictures)
    if not each:
        own_mean, own_deviation = (np.median(values, axis=0)[None] for values in (own_mean, own_deviation))
    gain = deviation / np.maximum(own_deviation, LEAST_DEVIATION)
    lit = mean + gain[:, None, None] * (pictures - own_mean[:, None, None])
    return np.clip(np.round(lit), 0, 255).astype(np.uint8)


def _as_lit(pictures: Pictures, seen: Pictures) -> Pictures:
    """Pictures with each colour's values spread as in those seen: also where light was too bright for the camera."""
    lit = np.empty_like(pictures)
    shares = np.linspace(0, 1, 257)
    for colour in range(3):
        then, now = (np.quantile(values[..., colour], shares) for values in (pictures, seen))
        steps, places = np.unique(then, return_index=True)
        lit[..., colour] = np.round(np.interp(pictures[..., colour], steps, now[places]))
    return lit


def _colours(pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each colour in each picture, [n, 3] both."""
    return pictures.mean(axis=(1, 2)), pictures.std(axis=(1, 2))
