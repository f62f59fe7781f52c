"""The dataset was recorded at another rate than it says.

## What it detects
Episodes whose timestamps, or whose videos, go at another rate than `fps` in `meta/info.json`.

## Why it matters
A policy learns motion by the frame and is run at `fps`. Demonstrations of 15 frames a second that are taken for
30 are played back at twice their speed; commands outrun the arm. Pictures that are looked up by time are those
of another moment, or none.

## How it decides
An episode's rate is the median over all its stretches of a quarter of its length: neither a hole nor jitter of
8 ms moves it by 2 %. It is compared with fps, and so is each video's frame rate, from its header. More than
`max_off` is reported; 29.97 for 30 is a thirtieth of that. Videos are compared where they are read. Only
episodes of at least `min_frames` frames are judged.

## What can fool it
LeRobot's recorder writes frame / fps and encodes at fps however slowly its loop went: that leaves no trace here.
The warnings of the recorder's log tell, and motions that look too fast in the video.

## How to fix it
Write the true rate into `meta/info.json`, if all episodes have it. Else record again, or resample.
"""

from collections.abc import Iterator

import numpy as np

from regrasp.data import Dataset
from regrasp.data.video import MissingDecoder, VideoError
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.video_headers import Stretch, stretches


@check(severity=Severity.ERROR, explains=("irregular-timestamps",))
def wrong_rate(dataset: Dataset, *, max_off: float = 0.03, min_frames: int = 10) -> Iterator[Finding]:
    """Report episodes whose timestamps go at another rate, then those whose videos do."""
    rates = _rates(dataset, min_frames)
    if not rates:
        raise Undecided(f"needs an episode of {min_frames} frames")
    wrong = {number: rate for number, rate in rates.items() if abs(rate / dataset.fps - 1) > max_off}
    if wrong:
        yield _finding(dataset, "Timestamps", wrong, len(rates), None, max_off)
    for camera in dataset.camera_names:
        slow = {
            one.episode: one.header.fps
            for one in _videos(dataset)
            if one.camera == camera and not isinstance(one.header, VideoError) and one.header.fps
            if one.episode not in wrong and abs(one.header.fps / dataset.fps - 1) > max_off
        }
        if slow:
            yield _finding(dataset, f"Videos of '{camera}'", slow, len(dataset.episodes), camera, max_off)


def _rates(dataset: Dataset, min_frames: int) -> dict[int, float]:
    """Frames per second of each episode by its timestamps; those that stand still have none."""
    rates: dict[int, float] = {}
    for episode in dataset.episodes:
        if episode.length >= min_frames and np.isfinite(episode.timestamps).all():
            far = episode.length // 4
            stretch_s = float(np.median(episode.timestamps[far:] - episode.timestamps[:-far]))
            if stretch_s > 0:
                rates[episode.index] = far / stretch_s
    return rates


def _videos(dataset: Dataset) -> tuple[Stretch, ...]:
    try:
        return stretches(dataset)
    except (Undecided, MissingDecoder):
        return ()


def _finding(
    dataset: Dataset, what: str, wrong: dict[int, float], judged: int, camera: str | None, max_off: float
) -> Finding:
    worst = max(wrong.values(), key=lambda rate: abs(rate / dataset.fps - 1))
    every = len(wrong) == judged
    which = "" if every else f" in {count(len(wrong), 'episode')} of {judged}"
    return Finding(
        summary=f"{what} go at {worst:.4g} frames per second{which}; meta/info.json says {dataset.fps:g}.",
        where=Where(tuple(sorted(wrong)), camera=camera),
        evidence=(Evidence("rate off by", 100 * abs(worst / dataset.fps - 1), 100 * max_off, "%"),),
        fix=Fix(
            f"Write fps {worst:.4g} into meta/info.json, or resample to {dataset.fps:g}."
            if every
            else "Resample these episodes, or keep them in a dataset of their own."
        ),
    )
