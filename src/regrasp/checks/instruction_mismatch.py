"""The policy is told something else than it was trained with.

## What it detects
An instruction, about to be used or recorded in rollouts, that is not letter for letter one of those in the
training data. Other case, a space too many and letters that only look the same count as another instruction.

## Why it matters
A policy that reads its instruction has learned what to do under these very words. Under others it does
something else, or half of it. The project that Regrasp comes from trained with "Grab the brain", deployed
with "Grasp a brain and put it in the bin.", and its gripper never closed; with the right words back, 0 %
became 33 %. A small policy of ours, trained on one instruction, falls from 20/20 to 13/20 and to 10/20 with
the distance of the words.

## How it decides
By comparison of the whole strings. The nearest training instruction is offered: the one with the most words
and letters in common.

## What can fool it
A policy that does not read instructions (LeRobot's ACT and diffusion policies) does the same under any; then
this is a warning only, and `regrasp diagnose` measures its effect. A policy that really generalises over
words may do well under a new one: override the check by name, and count.

## How to fix it
Deploy with the instruction that is offered, or record demonstrations under the new one.
"""

import difflib
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from regrasp.data.measures import instruction_frames
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.check import Undecided, check
from regrasp.diagnosis.finding import Evidence, Finding, Severity, Where
from regrasp.diagnosis.fix import Fix
from regrasp.diagnosis.preflight import LiveView

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

DEAF = frozenset({"act", "diffusion", "vqbet", "tdmpc"})
"""Policies of LeRobot 0.6.1 whose configuration takes no language."""

LOOK_ALIKES = str.maketrans(
    "асеорхуіјѕһԁɡӏΑΒΕΗΙΚΜΝΟΡΤΧАВЕКМНОРСТХ’‘“”–—", "aceopxyijshdglABEHIKMNOPTXABEKMHOPCTX''\"\"--"
)
"""Cyrillic and Greek letters, quotes and dashes that look like Latin ones (Unicode's confusables, UTS 39)."""


@check(severity=Severity.ERROR)
def instruction_mismatch(contract: "Contract", live: LiveView) -> Iterator[Finding]:
    """The instruction about to be used, against those of the training."""
    yield from _mismatch(contract, live.instruction, Where())


@check(severity=Severity.ERROR)
def instruction_mismatch_deployed(contract: "Contract", rollouts: Rollouts) -> Iterator[Finding]:
    """Each instruction under which rollouts were recorded, against those of the training."""
    for text in instruction_frames(rollouts.dataset) or [rollouts.task]:
        episodes = tuple(episode.index for episode in rollouts.episodes if text in episode.tasks)
        yield from _mismatch(contract, text, Where(episodes=episodes))


def _mismatch(contract: "Contract", text: str, where: Where) -> Iterator[Finding]:
    if contract.recovered:
        raise Undecided("the checkpoint's own files do not tell the instructions of its training")
    if not any(contract.instructions):
        raise Undecided("the contract holds no instruction; make it again from a dataset that has one")
    if text in contract.instructions:
        return
    nearest = nearest_instruction(text, contract.instructions)
    deaf = contract.policy_type in DEAF
    yield Finding(
        severity=Severity.WARNING if deaf else None,
        summary=f"Told '{text}', trained with '{nearest}'{_difference(text, nearest)}."
        + (f" A policy of type {contract.policy_type} does not read it." if deaf else ""),
        where=where,
        evidence=(
            Evidence("likeness to it", round(instruction_likeness(text, nearest), 3), 1.0),
            Evidence("frames trained with it", contract.instructions[nearest]),
        ),
        fix=Fix(
            f"Deploy with '{nearest}', or record demonstrations under the other words.",
            f"regrasp rollout CHECKPOINT --station STATION --task {shlex.quote(nearest)}",
        ),
    )


def nearest_instruction(text: str, known: Mapping[str, int] | Iterable[str]) -> str:
    """The known instruction with the most words and letters in common; of equals the first.

    Example:
        >>> nearest_instruction("grasp a brain", ["Put the cup away", "Grab the brain"])
        'Grab the brain'
    """
    return max(known, key=lambda instruction: instruction_likeness(text, instruction))


def instruction_likeness(one: str, other: str) -> float:
    """0 for nothing in common, 1 for the same string: words shared and letters shared, half each.

    Strings that only case, spaces, marks or look-alikes tell apart come to 0.99.
    """
    if one == other:
        return 1.0
    plain, against = _plain(one), _plain(other)
    words, others = set(plain.split()), set(against.split())
    shared = len(words & others) / max(len(words | others), 1)
    letters = difflib.SequenceMatcher(None, plain, against, autojunk=False).ratio()
    return min(0.99, (shared + letters) / 2)


def _difference(text: str, nearest: str) -> str:
    """How two instructions differ, when it is a small thing that the eye misses."""
    if not text.strip():
        return " (the instruction is empty)"
    spaced, other = " ".join(text.split()), " ".join(nearest.split())
    if spaced == other:
        return " (they differ in spaces only)"
    if text.casefold() == nearest.casefold():
        return " (they differ in capitals only)"
    if _latin(spaced) == _latin(other):
        return " (they differ in letters that look alike)"
    if _plain(text) == _plain(nearest):
        return " (they differ in capitals, spaces, marks or look-alike letters only)"
    return ""


def _latin(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(LOOK_ALIKES)


def _plain(text: str) -> str:
    """Small Latin letters and digits, single spaces, no marks."""
    letters = (letter if letter.isalnum() else " " for letter in _latin(text).casefold())
    return " ".join("".join(letters).split())
