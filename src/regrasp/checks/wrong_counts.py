"""The metadata count other frames or episodes than the tables hold.

## What it detects
Totals in `meta/info.json`, lengths of episodes, episode numbers and stretches of video that disagree with the
rows that are there: rows that were lost or added, episodes without a record, a gap or a repetition in the
numbering.

## Why it matters
LeRobot finds an episode's frames by counting. One lost row shifts all that follow: action chunks run over
into the next episode, pictures belong to another moment than the joints, and `episodes=[...]` picks the wrong
ones. All of it happens without a message.

## How it decides
Counts must agree exactly. The stretch of video that a record gives an episode may differ from its frames by
`max_video_frames`: encoders round. Lengths that differ explain a total or a video that differs in the same
way, and only they are reported then.

## What can fool it
Nothing is reported that is not there; which of two numbers is right cannot be known from here.

## How to fix it
Where rows were lost, drop the episodes or copy the dataset again. Where only a number is wrong,
`regrasp fix` writes what the tables hold.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from regrasp.data import Dataset
from regrasp.data.declared import Declared
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Undecided, Where, check
from regrasp.diagnosis.finding import count, number_ranges
from regrasp.diagnosis.fix import drop_episodes
from regrasp.diagnosis.repair import RepairCounts, dropping


@check(severity=Severity.ERROR)
def wrong_counts(dataset: Dataset, *, max_video_frames: float = 1.5) -> Iterator[Finding]:
    """Report lengths, then numbering, then totals, then stretches of video that do not fit the tables."""
    if dataset.declared is None:
        raise Undecided("needs all episodes to be read, because the metadata count them all")
    lengths = {episode.index: episode.length for episode in dataset.episodes}
    off = {
        n: said - lengths[n] for n, said in dataset.declared.lengths.items() if said != lengths.get(n, said)
    }
    yield from _lengths(dataset, off)
    yield from _numbering(dataset)
    yield from _unlisted(dataset.declared)
    yield from _totals(dataset, dataset.declared)
    yield from _videos(dataset, dataset.declared, off, max_video_frames)


def _lengths(dataset: Dataset, off: Mapping[int, int]) -> Iterator[Finding]:
    """`off` is how many frames more each record says than its table has, where they differ."""
    if off:
        worst = max(off, key=lambda number: abs(off[number]))
        there = next(e.length for e in dataset.episodes if e.index == worst)
        lost = [number for number, more in off.items() if more > 0]
        yield Finding(
            summary=(
                f"{count(len(off), 'episode')} {'has' if len(off) == 1 else 'have'} other lengths than recorded: "
                f"episode {worst} has {count(there, 'row')}, its record says {there + off[worst]}."
            ),
            where=Where(tuple(sorted(off))),
            evidence=(Evidence("rows that differ", sum(map(abs, off.values())), 0),),
            fix=Fix(
                "Copy the dataset again; if rows were lost for good, drop these episodes.",
                drop_episodes(dataset, off),
                dropping(dataset, lost) if lost else None,
            ),
        )


def _numbering(dataset: Dataset) -> Iterator[Finding]:
    numbers = [episode.index for episode in dataset.episodes]
    repeated = tuple(sorted(number for number, times in Counter(numbers).items() if times > 1))
    if repeated:
        yield Finding(
            summary=f"Episodes {number_ranges(repeated)} are listed more than once.",
            where=Where(repeated),
            evidence=(Evidence("episodes listed twice", len(repeated), 0),),
            fix=Fix("Copy the dataset again, or restore meta/episodes from the recording."),
        )
    missing = _gaps(set(numbers))
    if missing:
        after = tuple(sorted(number for number in set(numbers) if number > missing[0]))
        yield Finding(
            summary=(
                f"The numbering of the episodes has a gap: there is no episode {number_ranges(missing[:20])}"
                f"{' and so on' if len(missing) > 20 else ''}, and LeRobot takes the next one for it."
            ),
            where=Where(after),
            evidence=(Evidence("numbers left out", max(numbers) + 1 - len(set(numbers)), 0),),
            fix=Fix("Number the episodes anew from 0.", repair=RepairCounts()),
        )


def _gaps(numbers: set[int], most: int = 21) -> tuple[int, ...]:
    """The first `most` numbers below the largest that do not occur.

    Example:
        >>> _gaps({0, 1, 4}), _gaps({0, 1})
        ((2, 3), ())
    """
    missing: list[int] = []
    expected = 0
    for number in sorted(numbers):
        missing.extend(range(expected, min(number, expected + most)))
        expected = number + 1
    return tuple(missing[:most])


def _unlisted(declared: Declared) -> Iterator[Finding]:
    if declared.unlisted:
        yield Finding(
            summary=(
                f"The tables hold {count(sum(declared.unlisted.values()), 'row')} of episodes that meta/ does not "
                f"list: {number_ranges(tuple(declared.unlisted)[:20])}."
            ),
            where=Where(tuple(sorted(declared.unlisted))),
            evidence=(Evidence("rows without a record", sum(declared.unlisted.values()), 0),),
            fix=Fix("Copy meta/ again: it is older than the tables."),
        )


def _totals(dataset: Dataset, declared: Declared) -> Iterator[Finding]:
    """Totals that fit neither the tables nor, for want of rows, the episodes' own records."""
    unlisted = sum(declared.unlisted.values())
    frames = {dataset.frames, dataset.frames + unlisted, sum(declared.lengths.values())}
    episodes = {len(dataset.episodes), len(dataset.episodes) + len(declared.unlisted)}
    wrong = [
        f"{said} {what} instead of {there}"
        for what, said, fitting, there in (
            ("episodes", declared.episodes, episodes, len(dataset.episodes)),
            ("frames", declared.frames, frames, dataset.frames),
        )
        if said is not None and said not in fitting
    ]
    if wrong:
        off = abs((declared.frames or dataset.frames) - dataset.frames)
        listed = len(dataset.episodes)
        yield Finding(
            summary=f"meta/info.json counts {' and '.join(wrong)}.",
            where=Where(),
            evidence=(
                Evidence("frames that differ", off, 0),
                Evidence("episodes that differ", abs((declared.episodes or listed) - listed), 0),
            ),
            fix=Fix("Write the counts that the tables have.", repair=RepairCounts()),
        )


def _videos(
    dataset: Dataset, declared: Declared, off: Mapping[int, int], max_frames: float
) -> Iterator[Finding]:
    for camera, seconds in declared.video_s.items():
        frames_off = {
            episode.index: abs(seconds[episode.index] * dataset.fps - episode.length)
            for episode in dataset.episodes
            if episode.index in seconds and episode.index not in off
        }
        wrong = tuple(sorted(number for number, frames in frames_off.items() if frames > max_frames))
        if wrong:
            worst = max(wrong, key=lambda number: frames_off[number])
            yield Finding(
                summary=(
                    f"The records give camera '{camera}' {seconds[worst]:.2f} s of video in episode {worst}, "
                    "which is not as long as its table."
                ),
                where=Where(wrong, camera=camera),
                evidence=(Evidence("video off by", frames_off[worst], max_frames, "frames"),),
                fix=Fix(
                    "Copy the dataset again; if rows were lost for good, drop these episodes.",
                    drop_episodes(dataset, wrong),
                ),
            )
