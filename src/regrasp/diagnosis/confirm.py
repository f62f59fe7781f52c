"""Whether a cause is one, settled by rollouts: put right, does the policy succeed on the very starts it failed on?

All causes that may be one are put right together first. If that helps, one after the other is left as it was: what
the success does not miss was no cause. So two causes are both found where neither alone, put right, helps.

A cause is cleared only where the starts show that it matters little. Where they are too few to tell, or where the policy
fails whatever is put right, so that something else may hide it, it is not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from regrasp.diagnosis.address import Address, is_rollout
from regrasp.diagnosis.ranking import Cause, Diagnosis, Rerun, Status
from regrasp.errors import UsageError
from regrasp.stats import Rate, Sequential, compare_paired, sequential_pairs

MOST_STARTS = 60
"""Paired starts at the most. They tell a success of 60 % from one of 95 % nine times in ten."""

STEP = 10
"""Starts between two looks at the evidence."""

NEGLIGIBLE = 0.15
"""A cause is cleared when putting it right gains less than this share of the starts, by the upper end of the interval;
`MOST_STARTS` that end alike with and without leave 6 points."""

FAILS = 0.5
"""A policy that surely succeeds in less than half of the starts fails still."""

type Deployment = Mapping[str, str]
"""Options of `regrasp rollout` by name without dashes."""

type Trial = Callable[[Deployment, Sequence[int]], Sequence[bool]]
"""Runs the policy under these options from the starts of these numbers; whether each succeeded."""


def confirm(diagnosis: Diagnosis, trial: Trial, *, most_starts: int = MOST_STARTS) -> Diagnosis:
    """The diagnosis after the experiment that separates its causes, on a station that can be run again by itself.

    Causes and suspects become `confirmed`, or are `cleared` where success does not depend on them; those of which the
    starts tell too little stay what they were, and are only suspected where the policy fails either way.

    Raises:
        UsageError: `most_starts` is below `STEP`.
    """
    if most_starts < STEP:
        raise UsageError(f"Found {most_starts} starts to confirm with; expected at least {STEP}.")
    unproven = diagnosis.verdict is None
    tested = [cause for cause in diagnosis.causes if _can_be_rerun(cause, diagnosis.address, unproven)]
    if not tested:
        return diagnosis
    runs = _Runs(diagnosis, trial, most_starts)
    judged = _judged(tested, runs)
    causes = [judged.get(cause.name, cause) for cause in diagnosis.causes]
    return replace(diagnosis, causes=tuple(sorted(causes, key=lambda one: (one.status.rank, -one.score))))


def _can_be_rerun(cause: Cause, address: Address, unproven: bool) -> bool:
    """Whether it may be the cause, and its command changes how the same policy is run.

    Where nothing is proven, a difference that hardly moves the plan of the first frames may be it all the same: a policy
    may care later.
    """
    asked = (Status.CAUSE, Status.SUSPECTED, *([Status.NO_EFFECT] if unproven and cause.findings else []))
    if cause.status not in asked or not is_rollout(cause.command):
        return False
    return address.options_after((cause.name, cause.command)) != dict(address.options)


def _judged(tested: Sequence[Cause], runs: "_Runs") -> dict[str, Cause]:
    together = runs.compared((), tested)
    if together.decision != "better":
        how = "Put right" if len(tested) == 1 else "Put right with the others"
        return {cause.name: _not_confirmed(cause, runs.rerun((), tested), how) for cause in tested}
    if len(tested) == 1:
        return {tested[0].name: _confirmed(tested[0], runs.rerun((), tested))}
    judged: dict[str, Cause] = {}
    needed = list(tested)
    for cause in reversed(tested):  # the least likely first
        others = [other for other in needed if other is not cause]
        if runs.compared(others, needed).decision == "better":
            judged[cause.name] = _confirmed(cause, runs.rerun(others, needed))
        else:
            judged[cause.name] = _not_confirmed(
                cause, runs.rerun(others, needed), "Put right beside the others"
            )
            if judged[cause.name].status is Status.CLEARED:
                needed = others
    if any(cause.status is Status.CONFIRMED for cause in judged.values()):
        return judged
    rerun = runs.rerun((), tested)
    return judged | {cause.name: _confirmed(cause, rerun, "Put right together") for cause in needed}


class _Runs:
    """Outcomes by what was put right, each start run once."""

    def __init__(self, diagnosis: Diagnosis, trial: Trial, most_starts: int) -> None:
        self._address, self._trial, self._most = diagnosis.address, trial, most_starts
        self._known: dict[tuple[str, ...], list[bool]] = {}

    def compared(self, a: Sequence[Cause], b: Sequence[Cause]) -> Sequential:
        """The policy with the causes `b` put right against that with `a`: until it is decided, or starts run out.

        It is decided, too, that there is hardly a gain.
        """
        count = STEP
        while True:
            before, after = self._outcomes(a, count), self._outcomes(b, count)
            found = sequential_pairs(before, after)
            settled = _hopeless(found, self._most) and _gain95(before, after)[1] <= NEGLIGIBLE
            if found.decision != "undecided" or settled or count == self._most:
                return found
            count = min(count + STEP, self._most)

    def rerun(self, a: Sequence[Cause], b: Sequence[Cause]) -> Rerun:
        """What the comparison came to, with as many starts as both have."""
        before, after = (self._known[_key(causes)] for causes in (a, b))
        pairs = min(len(before), len(after))
        before, after = before[:pairs], after[:pairs]
        evidence = sequential_pairs(before, after).evidence
        return Rerun(Rate.of(before), Rate.of(after), evidence, _gain95(before, after))

    def _outcomes(self, right: Sequence[Cause], count: int) -> list[bool]:
        """With these causes put right, from the first `count` starts."""
        known = self._known.setdefault(_key(right), [])
        if len(known) < count:
            options = self._address.options_after(*((cause.name, cause.command) for cause in right))
            known.extend(self._trial(options, range(len(known), count)))
        return known[:count]


def _key(causes: Sequence[Cause]) -> tuple[str, ...]:
    return tuple(sorted(cause.name for cause in causes))


def _hopeless(found: Sequential, most: int) -> bool:
    """Whether even wins in all pairs that are left would not decide it."""
    left = most - found.pairs
    best = sequential_pairs(
        [False] * (found.only_b + left) + [True] * found.only_a,
        [True] * (found.only_b + left) + [False] * found.only_a,
    )
    return best.decision != "better"


def _gain95(before: Sequence[bool], after: Sequence[bool]) -> tuple[float, float]:
    return compare_paired(before, after).difference95


def _confirmed(cause: Cause, rerun: Rerun, how: str = "Put right") -> Cause:
    said = f"{how}, the policy succeeds in {rerun.put_right} instead of {rerun.without} of the same starts."
    hardly = "In the first frames alone its plan hardly moves."
    told = f"{said} {hardly if cause.status is Status.NO_EFFECT else cause.reason}"
    return replace(cause, status=Status.CONFIRMED, score=1.0, reason=told, rerun=rerun)


def _not_confirmed(cause: Cause, rerun: Rerun, how: str) -> Cause:
    """Cleared, if the starts show that it matters little; else what it was, or a suspect where something hides it."""
    said = f"{how}, the policy succeeds in {rerun.put_right}; with it in {rerun.without} of the same starts."
    changes: dict[str, Any] = {"rerun": rerun}
    if cause.status is Status.NO_EFFECT:
        pass  # rollouts do not speak against it either
    elif rerun.put_right.wilson95[1] < FAILS:
        said = f"{said} It fails either way, so that something else may hide whether this matters."
        changes |= {"status": Status.SUSPECTED, "score": min(cause.score, 0.5)}
    elif rerun.gain95[1] <= NEGLIGIBLE:
        changes |= {"status": Status.CLEARED, "score": 0.0}
    else:
        said = f"{said} That is too little to tell."
    return replace(cause, reason=f"{said} {cause.reason}", **changes)
