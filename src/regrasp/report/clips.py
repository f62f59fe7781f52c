"""One labelled clip per episode: both cameras, the commands of all joints, the monitor's scores, and the outcome."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regrasp.control.monitor import UNCALIBRATED
from regrasp.data.atomic import write_bytes
from regrasp.data.episode import Episode
from regrasp.data.rollouts import Outcome, Rollouts, Ticks
from regrasp.errors import DatasetError
from regrasp.report.pictures import enlarged, mp4, shrunk
from regrasp.report.pixel_font import text

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

VIEW = 240
"""Height of each picture, pixels."""

TRACE = 96
"""Height of each panel of traces, pixels."""

BAR = 22
"""Height of the lines of text, pixels."""

BACKGROUND = (18, 20, 24)
FAINT, BRIGHT, GOOD, BAD, NEUTRAL = (
    (70, 74, 82),
    (228, 230, 235),
    (96, 205, 120),
    (240, 98, 86),
    (240, 190, 80),
)

JOINT_COLOURS = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167), (213, 94, 0),
)  # fmt: skip
"""Okabe and Ito's palette, which colour-blind people can tell apart."""

SHOWN_SCORES = ("far_state", "chunk_disagreement", "reversals", "stall", "saturation")
"""Scores that are drawn, each against its own largest value."""


def write_clips(rollouts: Rollouts, into: Path, *, contract: "Contract | None" = None) -> list[Path]:
    """Write the clips of all episodes; gives the files.

    Args:
        rollouts: With pictures.
        into: Folder for one file per episode, or an `.mp4` file for all of them, one after the other.
        contract: Puts the policy and its training into the title.

    Raises:
        DatasetError: No picture of an episode can be decoded.
    """
    clips = [
        clip(episode, rollouts.ticks.of(episode.index), rollouts.outcome_of(episode.index), _title(rollouts, contract))
        for episode in rollouts.episodes
    ]  # fmt: skip
    fps = rollouts.dataset.fps
    if into.suffix == ".mp4":
        write_bytes(into, mp4(np.concatenate(clips), fps))
        return [into]
    files = [into / f"episode-{episode.index:03d}.mp4" for episode in rollouts.episodes]
    for file, frames in zip(files, clips, strict=True):
        write_bytes(file, mp4(frames, fps))
    return files


def clip(episode: Episode, ticks: Ticks, outcome: Outcome | None, title: str) -> NDArray[np.uint8]:
    """The frames of one clip, uint8 [T, h, w, 3]; height and width are even."""
    if not episode.cameras:
        raise DatasetError(
            f"Found no pictures in episode {episode.index}; expected at least one camera. Roll out with cameras."
        )
    views = [fitted(enlarged(camera.frames())) for camera in episode.cameras.values()]
    pictures = np.concatenate(views, axis=2)
    frames, _, width, _ = pictures.shape
    width += width % 2
    height = BAR + VIEW + BAR + TRACE + BAR + TRACE + BAR
    film = np.full((frames, height + height % 2, width, 3), BACKGROUND, np.uint8)
    top = BAR
    film[:, top : top + VIEW, : pictures.shape[2]] = pictures
    _label(film, title, 6, 4, BRIGHT, scale=2)
    left = 0
    for name, view in zip(episode.cameras, views, strict=True):
        _label(film, name, left + 6, top + VIEW - 18, BRIGHT, scale=2)
        left += view.shape[2]
    top += VIEW
    _legend(film, episode.joint_names, top + 8)
    _traces(film, _joint_traces(episode), JOINT_COLOURS, top + BAR)
    top += BAR + TRACE
    scores = {name: ticks.scores[name] for name in SHOWN_SCORES if name in ticks.scores}
    _legend(film, [_named(name, values) for name, values in scores.items()] or ["no monitor"], top + 8)
    _traces(film, [_share(name, values) for name, values in scores.items()], JOINT_COLOURS, top + BAR)
    _mark_interventions(film, ticks, top + BAR)
    _verdicts(film, episode, ticks, outcome, top + BAR + TRACE + 4)
    return film


def _title(rollouts: Rollouts, contract: "Contract | None") -> str:
    task = rollouts.task or "no instruction"
    return f"{contract.policy_type}: {task}" if contract else task


def fitted(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures of the height of a view: made smaller, or with a dark edge below."""
    shown = shrunk(pictures, VIEW)
    fitted = np.full((len(shown), VIEW, shown.shape[2], 3), BACKGROUND, np.uint8)
    fitted[:, : shown.shape[1]] = shown
    return fitted


def _joint_traces(episode: Episode) -> list[NDArray[np.float64]]:
    """Measured joints, each between its own lowest and highest value in the episode; 0 to 1."""
    low, high = np.nanmin(episode.states, axis=0), np.nanmax(episode.states, axis=0)
    spans = np.maximum(high - low, 1.0)
    return list(((episode.states - low) / spans).T)


def _share(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A score as a share of its limit or, without one, of its largest value; 0 to 1."""
    known = values[np.isfinite(values)]
    largest = max(float(known.max()), 1e-9) if len(known) else 1.0
    return np.clip(values / max(largest, UNCALIBRATED.limits.get(name, largest)), 0.0, 1.0)


def _named(name: str, values: NDArray[np.float64]) -> str:
    known = values[np.isfinite(values)]
    return f"{name.replace('_', ' ')} {known.max():.2g}" if len(known) else name.replace("_", " ")


def _traces(
    film: NDArray[np.uint8],
    traces: Sequence[NDArray[np.float64]],
    colours: Sequence[tuple[int, int, int]],
    top: int,
) -> None:
    """Draw each trace over the whole width, bright up to the present frame and faint after it."""
    frames, _, width, _ = film.shape
    film[:, top + TRACE - 1] = FAINT
    columns = np.arange(width)
    at = np.minimum(columns * frames // width, frames - 1)
    for trace, colour in zip(traces, colours, strict=False):
        values = np.nan_to_num(trace[np.minimum(at, len(trace) - 1)])
        rows = top + TRACE - 4 - np.round(values * (TRACE - 8)).astype(int)
        dim = np.array(colour) // 3
        for column, row, frame in zip(columns, rows, at, strict=True):
            film[:frame, row : row + 2, column] = dim
            film[frame:, row : row + 2, column] = colour
    now = np.minimum(np.arange(frames) * width // frames, width - 1)
    film[np.arange(frames), top : top + TRACE, now] = BRIGHT


def _mark_interventions(film: NDArray[np.uint8], ticks: Ticks, top: int) -> None:
    """A red foot below each tick in which the gate changed the command."""
    frames, _, width, _ = film.shape
    for tick in np.flatnonzero(ticks.intervened[:frames]):
        left, right = tick * width // frames, max((tick + 1) * width // frames, tick * width // frames + 1)
        film[tick:, top + TRACE - 4 : top + TRACE, left:right] = BAD


def _verdicts(
    film: NDArray[np.uint8], episode: Episode, ticks: Ticks, outcome: Outcome | None, top: int
) -> None:
    """Time and gate below each frame, and the outcome on the last half second of pictures."""
    changed = np.cumsum(ticks.intervened) if len(ticks) else np.zeros(len(film), int)
    for frame in range(len(film)):
        count = int(changed[min(frame, len(changed) - 1)])
        said = f"episode {episode.index}  {frame / episode.fps:4.1f} s  gate {count}"
        _label(film[frame : frame + 1], said, 6, top, BRIGHT, scale=2)
    verdict, colour = _verdict(outcome)
    last = max(0, len(film) - max(1, round(0.5 * episode.fps)))
    _label(film[last:], verdict, 6, BAR + 8, colour, scale=2)
    film[last:, BAR : BAR + 3] = colour


def _verdict(outcome: Outcome | None) -> tuple[str, tuple[int, int, int]]:
    if outcome is None or outcome.success is None:
        return "not scored", NEUTRAL
    ended = f" ({outcome.ended})" if outcome.ended == "gate-closed" else ""
    return ("success", GOOD) if outcome.success else (f"failure{ended}", BAD)


def _legend(film: NDArray[np.uint8], names: Sequence[str], top: int) -> None:
    """Names side by side, in two lines where one is too short."""
    widths = [text(name).shape[1] + 10 for name in names]
    first, one_line = 6, sum(widths) <= film.shape[2] - 6
    left, top = first, top if one_line else top - 5
    for name, width, colour in zip(names, widths, JOINT_COLOURS, strict=False):
        if left > first and left + width > film.shape[2]:
            left, top = first, top + 10
        _label(film, name, left, top, colour)
        left += width


def _label(
    film: NDArray[np.uint8],
    words: str,
    left: int,
    top: int,
    colour: tuple[int, int, int],
    scale: int = 1,
) -> None:
    """Write words into all frames, cut at the edge."""
    left = min(max(left, 0), film.shape[2])
    mask = text(words, scale)[:, : film.shape[2] - left]
    film[:, top : top + mask.shape[0], left : left + mask.shape[1]][:, mask] = colour
