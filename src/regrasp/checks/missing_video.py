"""A video is missing, cannot be read, or is not as long as the table says.

## What it detects
A video file that is not there, is empty, is no video, cannot be decoded at some place, or ends before the
episode that it should show; and in datasets with one video for each episode, one that goes on after its
episode.

## Why it matters
LeRobot stops in the middle of training at the first picture that it cannot find. A video that is longer than
its episode has lost its rows: from there on, pictures show another moment than the joints.

## How it decides
Each file's header is read, which takes half a millisecond, and its end compared with where the episode ends:
more than half a frame too early is too short, more than `max_longer_s` too late is too long. Files whose own
frame rate differs from that of the dataset are left to `wrong-rate`, episodes whose table lost rows to
`wrong-counts`. Those pictures that other checks look at must decode.

## What can fool it
A damaged place between the pictures that are looked at in a long recording. A decoder that is not installed
leaves this undecided; it is no fault of the dataset.

## How to fix it
Copy or download the file again (`git lfs pull` where only a pointer came). If it is lost, drop its episodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from regrasp.data import Dataset
from regrasp.data.video import VideoError
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.sights import sights
from regrasp.diagnosis.video_headers import Stretch, stretches

SAME_RATE_SHARE = 0.03
"""A video's rate within this share of the dataset's is the same, as in `wrong-rate`."""


@dataclass(frozen=True)
class _Bad:
    """What is wrong with one camera in one episode, and by how many seconds where that can be said."""

    camera: str
    episode: int
    what: str
    off_s: float | None = None


@check(severity=Severity.ERROR)
def missing_video(dataset: Dataset, *, max_longer_s: float = 0.1) -> Iterator[Finding]:
    """Report for each camera the episodes whose video is missing, unreadable, too short or too long."""
    if not dataset.camera_names:
        return
    gone = [
        _Bad(camera, episode, dataset.unavailable.get(camera, "no file"))
        for camera, numbers in dataset.without_video.items()
        for episode in numbers
    ]
    yield from _findings(dataset, gone, "has no video", 0.0)
    judged = [bad for stretch in _stretches(dataset, gone) if (bad := _judge(dataset, stretch, max_longer_s))]
    unreadable = [bad for bad in judged if bad.off_s is None]
    yield from _findings(dataset, unreadable, "has a video that cannot be read", 0.0)
    short = [bad for bad in judged if bad.off_s is not None and bad.off_s < 0]
    yield from _findings(dataset, short, "has a video that ends too early", 0.5 / dataset.fps)
    long = [bad for bad in judged if bad.off_s is not None and bad.off_s > 0]
    yield from _findings(dataset, long, "has a video that is longer than the episode", max_longer_s)
    known = {(bad.camera, bad.episode) for bad in (*gone, *judged)}
    broken = [
        _Bad(camera, episode, reason)
        for camera, unseen in sights(dataset, cameras=0).unseen.items()
        for episode, reason in unseen.items()
        if (camera, episode) not in known
    ]
    yield from _findings(dataset, broken, "has pictures that cannot be decoded", 0.0)


def _stretches(dataset: Dataset, gone: list[_Bad]) -> tuple[Stretch, ...]:
    """Those of the videos that are there; nothing is left to say where all are gone."""
    try:
        return stretches(dataset)
    except Undecided:
        if gone:
            return ()
        raise


def _judge(dataset: Dataset, stretch: Stretch, max_longer_s: float) -> _Bad | None:
    header, segment = stretch.header, stretch.segment
    if isinstance(header, VideoError):
        return _Bad(stretch.camera, stretch.episode, str(header))
    if not header.end_s or abs(header.fps / dataset.fps - 1) > SAME_RATE_SHARE:
        return None
    off_s = header.end_s - segment.start_s - segment.length / dataset.fps
    alone = dataset.version != "v3.0"
    if off_s < -0.5 / dataset.fps or (alone and off_s > max_longer_s and not _lost_rows(dataset, stretch)):
        return _Bad(stretch.camera, stretch.episode, str(segment.path.name), off_s)
    return None


def _lost_rows(dataset: Dataset, stretch: Stretch) -> bool:
    """Whether the episode's record says that it is longer than its table."""
    declared = dataset.declared.lengths.get(stretch.episode) if dataset.declared else None
    return declared is not None and declared > stretch.segment.length


def _findings(dataset: Dataset, all_bad: list[_Bad], what: str, limit_s: float) -> Iterator[Finding]:
    """One finding for each camera."""
    for camera in dict.fromkeys(bad.camera for bad in all_bad):
        group = [bad for bad in all_bad if bad.camera == camera]
        episodes = tuple(sorted(bad.episode for bad in group))
        worst = max(group, key=lambda bad: abs(bad.off_s or 0.0))
        evidence = (
            Evidence("episodes without pictures", len(group), 0)
            if worst.off_s is None
            else Evidence("video longer by" if worst.off_s > 0 else "missing", abs(worst.off_s), limit_s, "s")
        )
        said = worst.what.removesuffix(".")
        yield Finding(
            summary=f"Camera '{camera}' {what} in {count(len(group), 'episode')}: {said}.",
            where=Where(episodes, camera=camera),
            evidence=(evidence,),
            fix=Fix(
                "Copy or download the file again; if it is lost, drop these episodes.",
                drop_episodes(dataset, episodes),
            ),
        )
