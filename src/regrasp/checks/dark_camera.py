"""A camera shows nothing: black, white, or one even colour.

## What it detects
Stretches of an episode, or whole ones, in which a camera's picture has no structure: the lens is covered, the
exposure failed, the sensor is flooded with light.

## Why it matters
Such pictures carry nothing that a policy could act on, but every one of them is trained on: the policy learns
to go ahead without looking.

## How it decides
A picture is shrunk to 12 x 16 cells, whose means hardly feel a sensor's noise. It is empty when the middle nine
tenths of these means lie within `EMPTY_GREY_LEVELS` of 255 of each other, or when nine tenths of them are
burnt out (`BURNT_GREY_LEVEL` or more). A stretch of empty pictures that is longer than `max_empty_s` is
reported. In large recordings pictures are sampled, and the ends of a stretch are those of the samples.
*In a deployment* the first picture of each camera is judged in the same way. What it would have shown cannot be brought
back: `regrasp diagnose` blanks the camera in training starts instead, and measures how far the plan moves.

Live pictures are far from that: the emptiest of 2,141 frames of each of the simulated arm's cameras spread over
70 grey levels (front) and 41 (wrist, close above the table), and a tenth of the light leaves a tenth of it.

## What can fool it
A camera that looks at a bare wall or into the open sky has nothing to show, although it works. A scene so dark
that all of it lies within four grey levels counts as empty: a policy sees hardly more in it.

## How to fix it
Drop these episodes. Take the cap off the lens; fix the exposure by hand rather than let the camera find it anew;
keep windows and lamps out of the picture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.data import Dataset, Episode
from regrasp.data.episode import grid_means
from regrasp.data.rollouts import Rollouts
from regrasp.data.sight import CELLS, Sight
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.emptiness import EMPTY_GREY_LEVELS, empty, spread
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.first_looks import first_looks
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.signals import longest_run

if TYPE_CHECKING:
    from regrasp.data.contract import Contract


@check(severity=Severity.ERROR, explains=("frozen-camera", "changed-light", "moved-camera"))
def dark_camera(dataset: Dataset, *, max_empty_s: float = 0.2) -> Iterator[Finding]:
    """Report the longest empty stretch of each camera in each episode; wholly empty episodes together."""
    for name, looks in sights(dataset).seen.items():
        wholly: list[tuple[Episode, Sight]] = []
        for episode, sight in looks:
            first, last = _longest_empty(sight)
            if (last - first + 1) / episode.fps <= max_empty_s:
                continue
            if (first, last) == (sight.indices[0], sight.indices[-1]):
                wholly.append((episode, sight))
            else:
                yield _finding(dataset, name, [(episode, sight)], (first, last), max_empty_s)
        if wholly:
            yield _finding(dataset, name, wholly, None, max_empty_s)


@check(severity=Severity.ERROR, explains=("moved-camera", "changed-light"))
def dark_camera_live(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """Whether each camera of the policy shows anything now."""
    for name in contract.camera_names:
        if name not in live.images:
            continue
        cells = grid_means(live.images[name], CELLS).mean(axis=-1)[None]
        if empty(cells)[0]:
            colour = _of_level(float(np.median(cells)))
            yield Finding(
                summary=f"Camera '{name}' shows nothing but {colour}.",
                where=Where(camera=name),
                evidence=(
                    Evidence(
                        "grey levels between dark and bright", float(spread(cells)[0]), EMPTY_GREY_LEVELS
                    ),
                ),
                fix=Fix(
                    f"Uncover the lens of camera '{name}', switch the light on, and fix its exposure by hand."
                ),
            )


@check(severity=Severity.ERROR, explains=("moved-camera", "changed-light"))
def dark_camera_deployed(contract: "Contract", rollouts: Rollouts) -> Iterator[Finding]:
    """Whether each camera of the policy showed anything in the first picture of each rollout."""
    looks = first_looks(rollouts.dataset)
    for name in contract.camera_names:
        cells = {number: look.colours.mean(axis=-1) for number, look in looks.get(name, {}).items()}
        dark = {number: one for number, one in cells.items() if empty(one[None])[0]}
        if dark:
            colour = _of_level(float(np.median(list(dark.values()))))
            most = max(float(spread(one[None])[0]) for one in dark.values())
            yield Finding(
                summary=f"Camera '{name}' showed nothing but {colour} in {len(dark)} of "
                f"{count(len(cells), 'rollout')}.",
                where=Where(tuple(dark), camera=name),
                evidence=(Evidence("grey levels between dark and bright", most, EMPTY_GREY_LEVELS),),
                fix=Fix(
                    f"Uncover the lens of camera '{name}', switch the light on, and fix its exposure by hand."
                ),
            )


def _longest_empty(sight: Sight) -> tuple[int, int]:
    """First and last frame of the longest empty stretch, as far as it was looked at; (0, -1) if none."""
    start, length = longest_run(empty(sight.cells))
    return (int(sight.indices[start]), int(sight.indices[start + length - 1])) if length else (0, -1)


def _finding(
    dataset: Dataset,
    camera: str,
    looks: list[tuple[Episode, Sight]],
    frames: tuple[int, int] | None,
    max_empty_s: float,
) -> Finding:
    numbers = tuple(episode.index for episode, _ in looks)
    first, last = frames or (0, min(episode.length for episode, _ in looks) - 1)
    where_s = (last - first + 1) / dataset.fps
    throughout = "all through " + (count(len(looks), "episode") if len(looks) > 1 else "the episode")
    return Finding(
        summary=f"Camera '{camera}' shows nothing but {_colour(looks, (first, last))} "
        f"{throughout if frames is None else 'for a while'}.",
        where=Where(numbers, frames=frames, camera=camera),
        evidence=(
            Evidence("nothing to see for", where_s, max_empty_s, "s"),
            Evidence(
                "grey levels between dark and bright", _most_spread(looks, (first, last)), EMPTY_GREY_LEVELS
            ),
        ),
        fix=Fix(
            "Drop what was recorded so; uncover the lens, and fix the exposure by hand.",
            drop_episodes(dataset, numbers),
            dropping(dataset, numbers),
        ),
    )


def _within(looks: list[tuple[Episode, Sight]], frames: tuple[int, int]) -> NDArray[np.float32]:
    """Cells of the empty pictures, [n, 12, 16]."""
    first, last = frames
    return np.concatenate(
        [sight.cells[(sight.indices >= first) & (sight.indices <= last)] for _, sight in looks]
    )


def _most_spread(looks: list[tuple[Episode, Sight]], frames: tuple[int, int]) -> float:
    return float(np.median(spread(_within(looks, frames))))


def _colour(looks: list[tuple[Episode, Sight]], frames: tuple[int, int]) -> str:
    return _of_level(float(np.median(_within(looks, frames))))


def _of_level(level: float) -> str:
    return "black" if level < 40 else "white" if level > 215 else "one even grey"
