"""Two spellings of one instruction.

## What it detects
Instructions that differ only in case, spaces, punctuation or look-alike characters; and a rare one that is
a slip of the pen away from a frequent one.

## Why it matters
A policy that reads language learns each spelling as a task of its own, from the demonstrations of that
spelling alone. LeRobot stores them as separate tasks without a word, also when datasets are merged. At
deployment one of the two is typed, and what was learned under the other is lost.

## How it decides
*Written alike*: equal once case, spaces (also missing ones), punctuation and accents are set aside and Cyrillic and Greek
letters are read as the Latin ones they look like.

*A slip*: all words are equal but one; that one has at least `min_letters` letters, is one letter longer,
shorter, different or swapped, and its instruction has at most `rare_share` of the frames of the other. Words
with a digit are never slips, nor are those of scripts without small letters, such as Chinese, where one sign is
a word; and balanced pairs such as "cube" and "tube" are taken at their word.

## What can fool it
A rare task that is meant to differ by one letter ("Pick up the tube" in a set full of cubes).

## How to fix it
Give both the same wording; LeRobot's `modify_tasks` does it. Then deploy with exactly that wording.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.fix import replace_instructions
from regrasp.diagnosis.repair import ReplaceInstructions

LOOK_ALIKES = str.maketrans(
    "авекмнорстухіјѕԁԛԝαβεικνορτυχγ",
    "abekmhopctyxijsdqwabeikvoptuxy",
)
"""Small Cyrillic and Greek letters, and the Latin ones that they are taken for (Unicode TR 39, by eye)."""

MOST_COMPARED = 50
"""Of the instructions that differ in one word at one place, the most frequent that each is compared with."""


@check(severity=Severity.WARNING)
def near_duplicate_instructions(
    dataset: Dataset, *, min_letters: int = 4, rare_share: float = 0.4
) -> Iterator[Finding]:
    """Report each pair of instructions that are most likely meant to be one."""
    frames = _frames_of_each(dataset)
    ordered = sorted(frames, key=lambda text: (-frames[text], text))
    plain = [_plain(text) for text in ordered]
    for first, second in _candidates(plain):
        one, other = ordered[first], ordered[second]
        alike = "".join(plain[first]) == "".join(plain[second])
        rare = frames[other] <= rare_share * frames[one]
        if alike or (rare and _is_slip(plain[first], plain[second], min_letters)):
            yield _finding(dataset, frames, one, other, alike)


def _candidates(plain: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Pairs of places, the more frequent first, with the same letters or with all words equal but one.

    Each is paired with at most `MOST_COMPARED` more frequent ones of a kind, so a thousand take no second.
    """
    alike: dict[object, list[int]] = {}
    for place, words in enumerate(plain):
        alike.setdefault("".join(words), []).append(place)
        for left_out in range(len(words)):
            alike.setdefault((left_out, *words[:left_out], None, *words[left_out + 1 :]), []).append(place)
    pairs = {
        (first, second)
        for places in alike.values()
        for number, second in enumerate(places)
        for first in places[: min(number, MOST_COMPARED)]
    }
    return sorted(pairs)


def _frames_of_each(dataset: Dataset) -> dict[str, int]:
    """Number of frames under each instruction that is used and not empty."""
    indices = np.concatenate([episode.task_indices for episode in dataset.episodes])
    counts = np.bincount(indices, minlength=len(dataset.tasks))
    return {text: int(n) for text, n in zip(dataset.tasks, counts, strict=True) if n and _plain(text)}


def _plain(text: str) -> tuple[str, ...]:
    r"""The words of an instruction without case, accents, punctuation, invisible and look-alike characters.

    Example:
        >>> _plain("Pick_up  the \u0441ube.") == _plain("pick up the cube")
        True
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold()).translate(LOOK_ALIKES)
    visible = (c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
    return tuple("".join(c if c.isalnum() else " " for c in visible).split())


def _is_slip(first: tuple[str, ...], second: tuple[str, ...], min_letters: int) -> bool:
    if len(first) != len(second):
        return False
    different = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    if len(different) != 1:
        return False
    ((left, right),) = different
    letters_only = all(c.isalpha() and unicodedata.category(c) != "Lo" for c in left + right)
    return letters_only and max(len(left), len(right)) >= min_letters and _one_letter_apart(left, right)


def _one_letter_apart(left: str, right: str) -> bool:
    """Whether one inserted, missing, different or swapped letter makes the words equal.

    Example:
        >>> [_one_letter_apart("cube", other) for other in ("cub", "cubes", "tube", "cbue", "cone")]
        [True, True, True, True, False]
    """
    short, long = sorted((left, right), key=len)
    if len(long) == len(short):
        places = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
        swapped = len(places) == 2 and places[1] == places[0] + 1 and sorted(left) == sorted(right)
        return len(places) == 1 or swapped
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def _finding(dataset: Dataset, frames: dict[str, int], one: str, other: str, alike: bool) -> Finding:
    what = "is written in two ways" if alike else "has a slip in it"
    episodes = tuple(episode.index for episode in dataset.episodes if other in episode.tasks)
    return Finding(
        summary=f"An instruction {what}: {_shown(other)} beside {_shown(one)}.",
        where=Where(episodes),
        evidence=(Evidence("frames under the rarer wording", frames[other], 0),),
        fix=Fix(
            f"Write {_shown(one)} in all of them, unless they are meant to differ.",
            replace_instructions(dataset, {other: one}),
            ReplaceInstructions({other: one}, sure=alike),
        ),
    )


def _shown(text: str) -> str:
    r"""The text in quotes, with characters spelled out that look like others or like nothing.

    Example:
        >>> _shown("the \u0441ube")
        '"the \\u0441ube"'
    """
    return '"' + "".join(f"\\u{ord(c):04x}" if _deceives(c) else c for c in text) + '"'


def _deceives(character: str) -> bool:
    small = character.casefold()
    unseen = unicodedata.category(character) in ("Cf", "Cc", "Zs") and character != " "
    return unseen or small.translate(LOOK_ALIKES) != small
