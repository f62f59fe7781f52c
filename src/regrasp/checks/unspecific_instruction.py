"""An instruction does not say in words what to do.

## What it detects
An instruction that is an identifier (`pick_and_place`, `PickCube`, `owner/dataset`), a placeholder (`task`,
`test 2`) or a single word. As a remark: a word that was written twice in a row.

## Why it matters
Policies that read language were trained on sentences. An identifier falls apart into pieces that they never saw
as a request, so what they know of cubes, bins and grasping is not called up; and two tasks that are called `task`
cannot be told apart. ACT does not read instructions and does not care.

## How it decides
*Identifier*: no blank in it, and letters joined by `_`, `-`, `/`, `.` or by a capital inside, or followed by
digits. *Placeholder*: every word is one of those that name a recording and not an action. *Single word*: one word
of an alphabet that puts blanks between words; Chinese, Japanese, Thai and others do not, and are sentences. *Written
twice*: a word follows itself, or two forms of "be" and "have" follow each other ("is has been").

## What can fool it
A language in which one word is a whole request ("Aufräumen!") is told apart by its mark at the end alone.

## How to fix it
Write in one sentence what is done, with what, and where; LeRobot's `modify_tasks` changes it. Then deploy with
exactly that sentence.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.finding import count

# fmt: off
PLACEHOLDERS = frozenset([
    "a", "an", "my", "new", "the", "this", "n", "task", "tasks", "test", "tests", "testing", "tested",
    "trial", "demo", "demos", "demonstration", "dataset", "data", "set", "episode", "episodes", "recording",
    "record", "recorded", "sample", "example", "default", "debug", "dummy", "todo", "tbd", "none", "null",
    "nan", "na", "untitled", "unnamed", "unknown", "undefined", "description", "instruction", "prompt",
    "single", "placeholder", "foo", "bar", "asdf", "xxx", "so", "lerobot", "robot", "arm", "run", "try",
    "v",
])
# fmt: on
"""Words that name a recording or nothing at all; an instruction needs another one."""

SCRIPTS_WITHOUT_BLANKS = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
)
"""Beginnings of Unicode's names of letters that are written without blanks between words, or may be."""

JOINED = re.compile(r"\w[_/\-.:]+\w|[a-z][A-Z]|[A-Za-z]\d")
"""What joins the parts of an identifier."""

FORMS_OF_BE_AND_HAVE = frozenset(["is", "are", "was", "were", "has", "have", "had"])


@check(severity=Severity.WARNING)
def unspecific_instruction(dataset: Dataset) -> Iterator[Finding]:
    """Report each instruction that is no request, and as a remark those with a word too many."""
    used = {text for episode in dataset.episodes for text in episode.tasks}
    found: dict[tuple[str, Severity | None], list[str]] = {}
    for text in (text for text in dict.fromkeys(dataset.tasks) if text in used):
        if (what := _unspecific(text)) is not None:
            found.setdefault((f"is {what}", None), []).append(text)
        elif (doubled := _written_twice(text)) is not None:
            found.setdefault((f'has a word too many, "{doubled}"', Severity.INFO), []).append(text)
    for (what, severity), texts in found.items():
        yield _finding(dataset, texts, what, severity)


def _unspecific(text: str) -> str | None:
    """What stands in place of a request; None where it may be one.

    Example:
        >>> [_unspecific(t) for t in ("pick_and_place", "test 2", "Grasp", "Grab the brain")]
        ['an identifier', 'a placeholder', 'a single word', None]
    """
    bare = text.strip()
    words = re.findall(r"[^\W\d_]+", bare.casefold())
    if not any(c.isalnum() for c in bare) or any(map(_without_blanks, bare)):
        return None
    if set(words) <= PLACEHOLDERS:
        return "a placeholder"
    if re.search(r"\s", bare):
        return None
    if JOINED.search(bare):
        return "an identifier"
    return None if bare.endswith("!") else "a single word"


def _without_blanks(character: str) -> bool:
    return not character.isascii() and unicodedata.name(character, "").startswith(SCRIPTS_WITHOUT_BLANKS)


def _written_twice(text: str) -> str | None:
    """Two words in a row of which one is too many.

    Example:
        >>> _written_twice("until the screw is has been screwed in"), _written_twice("Had it had to")
        ('is has', None)
    """
    words = re.findall(r"\w+|[^\w\s]", text.casefold())
    for one, other in pairwise(words):
        verbs = one != other and {one, other} <= FORMS_OF_BE_AND_HAVE
        if verbs or (one == other and len(one) > 1 and one.isalpha() and one not in ("that", "had")):
            return f"{one} {other}"
    return None


def _finding(dataset: Dataset, texts: list[str], what: str, severity: Severity | None) -> Finding:
    concerned = set(texts)
    episodes = tuple(episode.index for episode in dataset.episodes if concerned.intersection(episode.tasks))
    short = texts[0] if len(texts[0]) <= 60 else f"{texts[0][:57]}..."
    others = f", like {count(len(texts) - 1, 'other')}"
    return Finding(
        severity=severity,
        summary=(
            f"The instruction '{short}' of {count(len(episodes), 'episode')} {what}."
            if len(texts) == 1
            else f"The instruction '{short}' {what}{others}, in {count(len(episodes), 'episode')}."
        ),
        where=Where(episodes),
        evidence=(Evidence("episodes", len(episodes), 0),),
        fix=Fix(
            "Write in one sentence what is done, with what, and where; ACT alone does not read it."
            if severity is None
            else "Correct it in all episodes, and deploy with the corrected sentence."
        ),
    )
