"""A camera's pictures come late or early against the joints.

## What it detects
Episodes, or a whole dataset, in which what a camera shows belongs to another moment than the joints beside it: a
buffer in between that holds old pictures, a video cut at another place, frames lost on one side.

## Why it matters
The policy is trained to act on a picture of the past (or of the future). In deployment pictures come
with another delay, and it closes the gripper too early or too late.

## How it decides
How much a picture changes is correlated with how fast the arm moves (the sum over its joints in shares of their
ranges, without grippers; the root of both), at lags of up to `SEARCH_S` either way. The lag of the best correlation
says how late the pictures are. It is taken for each episode with enough pictures alone, and for each camera from
the episodes that agree, or from all together.

Both are averaged over `SMOOTHED_S` where every picture was looked at.

An episode is reported whose lag differs from that of the camera's other episodes by more than `OWN_APART_S`
(two frames at least). A camera is reported when its episodes together lie outside `EARLIEST_S` to `LATEST_S`,
or farther than `max_apart_s` from another camera that is nearer to 0. Each lag must correlate by at least
`min_correlation`, and by `GAIN` better than the lag it is judged against, a single episode's by `OWN_GAIN`.
Where episodes disagree, those count as right that lie in that range, if they are a third or more. An episode
whose pictures stand still for more than twice `SEARCH_S` while the arm moves is left to `frozen-camera`.

Made-up and simulated cameras without any delay come out at 0.00 to 0.02 s for all episodes together, and single
episodes at -0.06 to 0.09 s (43 episodes of two cameras each). Real cameras that are read in a thread of their own
lag one to three frames, which is no fault.

## What can fool it
Arms that move at one speed all the time, and scenes in which something else moves. An episode in which the arm is
mostly out of view. In large recordings pictures are sampled: then only all episodes together are judged,
or single ones of which at least `FEWEST_PICTURES` pairs of pictures were seen.

## How to fix it
Drop these episodes; or record anew with fewer cameras on one hub, or a lower resolution. Where a whole camera is late
by the same time in training and deployment, policies cope: leave it as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.checks.frozen_camera import MOVED_SHARE, longest_stretch
from regrasp.data import Dataset, Episode
from regrasp.data.sight import Sight
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import dropping
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.signals import gripper_joints, joint_scale

SEARCH_S = 0.8
"""Lags beyond this are not looked for: reaches that follow each other begin to resemble one another."""

EARLIEST_S, LATEST_S = -0.08, 0.15
"""Where a sound camera lies: one to three frames of 30 fps late (0.03-0.10 s), half as much again for slower ones; early
only by what the estimate is unsure of."""

GAIN = 0.02
"""By so much must a correlation be better for its lag to be preferred."""

OWN_APART_S = 0.14
"""Farther than this one episode must be from the others: an operator that shakes by 0.3 degrees a frame moves the best
lag of a sound episode by up to 0.13 s."""

OWN_GAIN = 0.1
"""By so much one episode alone must fit its own lag better than that of the others: a reach that ends early, or a
hand that shakes, moves the best lag of sound episodes by up to 4 frames for a gain of less."""

SMOOTHED_S = 1 / 30
"""At 60 Hz single differences of pictures are half noise. Over 0.1 s the best lag is off by a frame."""

FEWEST_PICTURES = 60
"""Differences of pictures that one episode must have to be judged alone; 8 leave its lag unsure by 4 frames, and
episodes that break off after 40 seem to be late by up to 20."""


@check(severity=Severity.WARNING, explains=("frozen-camera",))
def video_out_of_step(
    dataset: Dataset, *, max_apart_s: float = 0.1, min_correlation: float = 0.35
) -> Iterator[Finding]:
    """Report cameras that are out of step throughout, and episodes in which a camera is."""
    curves = {name: _curves(dataset, looks) for name, looks in sights(dataset).seen.items()}
    right = {name: _right(found, max_apart_s, min_correlation) for name, found in curves.items() if found}
    known = {
        name: (curve, lag_s)
        for name, curve in right.items()
        if (lag_s := _lag(curve, min_correlation)) is not None
    }
    if not known:
        raise Undecided("the arm moves too little, or too evenly, for pictures to be compared with it")
    for name, (curve, lag_s) in known.items():
        limit_s = _broken_limit(name, {other: lag for other, (_, lag) in known.items()}, max_apart_s)
        if limit_s is not None and _gains(curve, lag_s, 0.0):
            yield _finding(dataset, name, lag_s, limit_s, ())
            continue
        odd = _odd(curves[name], lag_s, max_apart_s, min_correlation)
        if odd:
            later_s = float(np.median([odd_s for _, odd_s in odd])) - lag_s
            yield _finding(dataset, name, later_s, max_apart_s, tuple(number for number, _ in odd))


@dataclass(frozen=True, eq=False)
class _Curve:
    """How well one episode's (or all episodes') pictures go with the joints at each lag.

    Attributes:
        lags_s: By how much pictures are taken to be late, [k].
        correlations: -1 to 1, [k].
        pictures: How many differences of pictures it rests on.
        number: Of the episode.
    """

    lags_s: NDArray[np.float64]
    correlations: NDArray[np.float64]
    pictures: int
    number: int = -1

    def at(self, lag_s: float) -> float:
        """The correlation at a lag."""
        return float(np.interp(lag_s, self.lags_s, self.correlations))


def _curves(dataset: Dataset, looks: tuple[tuple[Episode, Sight], ...]) -> list[_Curve]:
    arm = np.setdiff1d(np.arange(len(dataset.joint_names)), gripper_joints(dataset.joint_names))
    reach = round(SEARCH_S * dataset.fps)
    lags = np.arange(-reach, reach + 1)
    found: list[_Curve] = []
    for episode, sight in looks:
        states = np.nan_to_num(episode.states[:, arm] / joint_scale(dataset)[arm])
        speed = np.sqrt(np.abs(np.diff(states, axis=0, prepend=states[:1])).sum(axis=1))
        seen = np.isfinite(sight.motion)
        frames, motion = sight.indices[seen], np.sqrt(sight.motion[seen].astype(np.float64))
        _, frozen = longest_stretch(sight, states, MOVED_SHARE)
        if frozen / dataset.fps > 2 * SEARCH_S:
            continue
        if len(frames) and np.ptp(frames) == len(frames) - 1:
            speed, motion = (_smoothed(values, dataset.fps) for values in (speed, motion))
        correlations = np.array([_correlation(frames - lag, motion, speed) for lag in lags])
        if correlations.any():
            found.append(_Curve(lags / dataset.fps, correlations, len(motion), episode.index))
    return found


def _smoothed(values: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """The mean over `SMOOTHED_S` around each frame; fewer at the ends."""
    width = 2 * (round(SMOOTHED_S * fps) // 2) + 1
    window = np.ones(width)
    if len(values) < width:
        return values
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def _correlation(
    moments: NDArray[np.int64], motion: NDArray[np.float64], speed: NDArray[np.float64]
) -> float:
    """Of picture changes with the arm's speed at these moments; 0 where too few are known."""
    known = (moments >= 1) & (moments < len(speed))
    if 2 * known.sum() <= len(moments) or known.sum() < 4:
        return 0.0
    one, other = motion[known] - motion[known].mean(), speed[moments[known]]
    other = other - other.mean()
    power = float(one @ one) * float(other @ other)
    return float(one @ other) / power**0.5 if power > 1e-12 else 0.0


def _together(curves: list[_Curve]) -> _Curve:
    """The mean of several, by how much each rests on."""
    weights = np.array([float(curve.pictures) for curve in curves])
    mean = np.average([curve.correlations for curve in curves], axis=0, weights=weights)
    return _Curve(curves[0].lags_s, mean, sum(curve.pictures for curve in curves))


def _lag(curve: _Curve, min_correlation: float) -> float | None:
    """Where it is highest, between the lags too; None where that is low, at an end, or rests on too little."""
    place = int(np.argmax(curve.correlations))
    inside = 0 < place < len(curve.lags_s) - 1
    if not inside or curve.correlations[place] < min_correlation or curve.pictures < FEWEST_PICTURES:
        return None
    before, top, after = curve.correlations[place - 1 : place + 2]
    bend = before - 2 * top + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(curve.lags_s[place] + shift * (curve.lags_s[1] - curve.lags_s[0]))


def _right(curves: list[_Curve], max_apart_s: float, min_correlation: float) -> _Curve:
    """Those episodes together whose lags agree: about the middle of the sound ones, if they are a third or more."""
    lags = [_lag(curve, min_correlation) for curve in curves]
    known = np.array([lag for lag in lags if lag is not None])
    if not len(known):
        return _together(curves)
    sound = known[(known >= EARLIEST_S) & (known <= LATEST_S)]
    middle = float(np.median(sound if 3 * len(sound) >= len(known) else known))
    agreeing = [
        curve
        for curve, lag in zip(curves, lags, strict=True)
        if lag is not None and abs(lag - middle) <= max_apart_s
    ]
    return _together(agreeing or curves)


def _broken_limit(name: str, lags: Mapping[str, float], max_apart_s: float) -> float | None:
    """The limit that a camera's lag is beyond, if any: an absolute one, or that of a camera nearer to 0."""
    lag_s = lags[name]
    if not EARLIEST_S <= lag_s <= LATEST_S:
        return LATEST_S if lag_s > LATEST_S else EARLIEST_S
    others = [lag for lag in lags.values() if abs(lag) < abs(lag_s) and abs(lag_s - lag) > max_apart_s]
    return others[0] + float(np.copysign(max_apart_s, lag_s - others[0])) if others else None


def _gains(curve: _Curve, lag_s: float, right_s: float, gain: float = GAIN) -> bool:
    return curve.at(lag_s) - curve.at(right_s) > gain


def _odd(
    curves: list[_Curve], lag_s: float, max_apart_s: float, min_correlation: float
) -> list[tuple[int, float]]:
    """Episodes whose pictures lag otherwise than `lag_s`, with how much."""
    odd: list[tuple[int, float]] = []
    for curve in curves:
        own_s = _lag(curve, min_correlation)
        two_frames = 2 * float(curve.lags_s[1] - curve.lags_s[0])
        if (
            own_s is not None
            and abs(own_s - lag_s) > max(max_apart_s, OWN_APART_S, two_frames)
            and _gains(curve, own_s, lag_s, OWN_GAIN)
        ):
            odd.append((curve.number, own_s))
    return odd


def _finding(
    dataset: Dataset, camera: str, lag_s: float, limit_s: float, numbers: tuple[int, ...]
) -> Finding:
    late = "late" if lag_s > 0 else "early"
    frames = count(round(abs(lag_s) * dataset.fps), "frame")
    which = f"in {count(len(numbers), 'episode')}, against its others" if numbers else "throughout"
    return Finding(
        summary=f"Pictures of camera '{camera}' come {frames} {late} {which}.",
        where=Where(numbers, camera=camera),
        evidence=(Evidence(f"{late} by", abs(lag_s), abs(limit_s), "s"),),
        fix=Fix(
            "Drop these episodes; use fewer cameras on one hub, or a lower resolution."
            if numbers
            else "Record anew with less load; if deployment has the same delay, leave it.",
            drop_episodes(dataset, numbers) if numbers else None,
            dropping(dataset, numbers) if numbers else None,
        ),
    )
