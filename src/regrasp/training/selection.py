"""Which checkpoint of a run to keep: by success in closed loop, where that can be tried, else by held-out error.

In closed loop every checkpoint meets the same starts (sequential halving, Karnin et al. 2013): all of them a
few, the better half of them twice as many, and so on until two have met all. The last checkpoint stays to the end
whatever it does, because it is what anybody would have taken otherwise. Of those that met all starts the one with the
most successes is kept, and of equal ones the latest: nothing speaks for it but that it has learned longest.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.data.journal import Evaluation, Journal
from regrasp.data.selection import Against, Selection, Tried
from regrasp.diagnosis.judgement import FEWEST_EPISODES, RISE, WEAK, answered, common_episodes, mean95
from regrasp.stats import Rate, chance_better, compare_paired

FEWEST_STARTS = 8
"""Starts of the first round at least: with fewer, a checkpoint that succeeds in half of them is dropped by mishap."""

Tries = Callable[[Mapping[int, int]], Mapping[int, Sequence[bool]]]
"""Step -> how many starts, to step -> whether each of the starts 0, 1, ... succeeded, exactly so many."""


def rounds(checkpoints: int, starts: int) -> tuple[tuple[int, int], ...]:
    """How many checkpoints are left in each round, and how many starts each of them has met at its end.

    Example:
        >>> rounds(8, 60)
        ((8, 15), (4, 30), (2, 60))
        >>> rounds(1, 60)
        ((1, 60),)
    """
    count = max(1, math.ceil(math.log2(checkpoints)))
    left = [math.ceil(checkpoints / 2**number) for number in range(count)]
    met = [
        max(min(FEWEST_STARTS, starts), math.ceil(starts / 2 ** (count - 1 - number)))
        for number in range(count)
    ]
    return tuple(zip(left, met, strict=True))


def most_trials(checkpoints: int, starts: int) -> int:
    """Trials that a choice takes at most, the last checkpoint's own included.

    Example:
        >>> most_trials(8, 60)
        285
    """
    plan = rounds(checkpoints, starts)
    before = [0, *(met for _, met in plan)]
    with_last = [left if number == 0 else left + 1 for number, (left, _) in enumerate(plan)]
    return sum(n * (met - was) for n, (_, met), was in zip(with_last, plan, before, strict=False))


def by_trials(
    steps: Sequence[int],
    starts: int,
    tries: Tries,
    *,
    settings: Mapping[str, Any],
    where: str = "twin",
    held_out: Mapping[int, float] | None = None,
) -> Selection | None:
    """The checkpoint that succeeds most often on `starts` starts; None where none ever succeeds.

    Args:
        steps: Of the checkpoints, in any order.
        starts: How many starts the finalists meet.
        tries: Runs them.
        settings: What `tries` depends on, to be kept beside the choice.
        where: What the sentence calls the place of the trials.
        held_out: Step -> held-out error, to stand beside.
    """
    last = max(steps)
    left = sorted(steps)
    outcomes: dict[int, Sequence[bool]] = {}
    for count, met in rounds(len(left), starts):
        left = _better(left, outcomes, count) if outcomes else left
        outcomes |= tries(dict.fromkeys(sorted({*left, last}), met))
    ranked = _better({*left, last}, outcomes, len(left) + 1)
    if not any(outcomes[ranked[0]]):
        return None
    return _selection(ranked, last, outcomes, settings, where, held_out or {})


def _better(steps: Sequence[int] | set[int], outcomes: Mapping[int, Sequence[bool]], count: int) -> list[int]:
    """The `count` steps with the most successes, the latest first among equals; all have met the same starts."""
    return sorted(steps, key=lambda step: (sum(outcomes[step]), step), reverse=True)[:count]


def _selection(
    ranked: Sequence[int],
    last: int,
    outcomes: Mapping[int, Sequence[bool]],
    settings: Mapping[str, Any],
    where: str,
    held_out: Mapping[int, float],
) -> Selection:
    """The choice of `ranked[0]`, with what speaks for it."""
    chosen, rate = ranked[0], Rate.of(outcomes[ranked[0]])
    against_last = None if chosen == last else against(chosen, last, outcomes)
    runner_up = against(chosen, ranked[1], outcomes) if len(ranked) > 1 else None
    lines = [_told(one, outcomes, name) for one, name in _others(against_last, runner_up, last)]
    if len(ranked) > 1 and sum(outcomes[ranked[1]]) == rate.k:
        lines.append(
            "Of checkpoints with equally many successes the latest was taken: it has learned longest."
        )
    lines.append(
        "It was chosen by these starts, so its rate on others will be a little lower; `regrasp rollout` with another "
        "--seed measures it."
    )
    return Selection(
        by="closed-loop",
        step=chosen,
        headline=f"chosen of {len(outcomes)} checkpoints by success on {where}, {rate}",
        lines=tuple(lines),
        tried=tuple(
            Tried(step=step, successes=sum(done), starts=len(done), held_out_error=held_out.get(step))
            for step, done in sorted(outcomes.items())
        ),
        against_last=against_last,
        against_runner_up=runner_up,
        settings=dict(settings),
    )


def _others(against_last: Against | None, runner_up: Against | None, last: int) -> list[tuple[Against, str]]:
    """With whom the chosen one is compared, each once."""
    if runner_up is None:
        return []
    if against_last is None or runner_up.step == last:
        name = "the last one" if runner_up.step == last else "the runner-up"
        return [(runner_up, name)]
    return [(against_last, "the last one"), (runner_up, "the runner-up")]


def against(chosen: int, other: int, outcomes: Mapping[int, Sequence[bool]]) -> Against:
    """Two checkpoints on the starts that both have met."""
    pairs = list(zip(outcomes[chosen], outcomes[other], strict=False))
    only_chosen, only_other = pairs.count((True, False)), pairs.count((False, True))
    compared = compare_paired([b for _, b in pairs], [a for a, _ in pairs])
    return Against(
        step=other,
        only_chosen=only_chosen,
        only_other=only_other,
        starts=len(pairs),
        difference95=compared.difference95,
        chance_better=chance_better(only_other, only_chosen),
    )


def _told(one: Against, outcomes: Mapping[int, Sequence[bool]], name: str) -> str:
    low, high = (100 * limit for limit in one.difference95)
    sure = "better" if low > 0 else "worse" if high < 0 else "not surely better"
    rate = Rate.of(outcomes[one.step][: one.starts])
    return (
        f"Against {name}, step {one.step} with {rate}, it is {sure}: {low:+.0f} to {high:+.0f} points on the same "
        f"{one.starts} starts, {100 * one.chance_better:.0f} % that it succeeds more often."
    )


def by_held_out(journal: Journal, steps: Sequence[int]) -> Selection | None:
    """The latest checkpoint whose held-out error is not surely higher than the least; None where too little was asked.

    Errors are compared episode by episode, as `judge` does.
    """
    found = [one for one in answered(journal.evaluations) if one.step in set(steps)]
    episodes = common_episodes([one.held_out.episodes for one in found])
    if not found or len(episodes) < FEWEST_EPISODES:
        return None
    errors = np.array([[one.held_out.episodes[episode] for episode in episodes] for one in found])
    means = errors.mean(axis=1)
    least = int(np.argmin(means))
    place = max(row for row in range(least, len(found)) if not _surely_higher(errors[row], errors[least]))
    return Selection(
        by="held-out",
        step=found[place].step,
        headline=f"chosen of {len(found)} checkpoints by held-out error, {means[place]:.3g}",
        lines=_held_out_lines(found, means, least, place),
        warnings=(f"{WEAK} Where the simulated arm can run it, `regrasp select RUN --station twin` does.",),
        tried=tuple(
            Tried(step=one.step, held_out_error=float(mean)) for one, mean in zip(found, means, strict=True)
        ),
    )


def held_out_errors(journal: Journal | None) -> dict[int, float]:
    """Step -> mean error on held-out episodes; nothing of steps whose answers were no numbers."""
    found = [] if journal is None else answered(journal.evaluations)
    return {one.step: one.held_out.action_error for one in found}


def _surely_higher(errors: NDArray[np.float64], least: NDArray[np.float64]) -> bool:
    """Whether the errors [episodes] have risen by more than `RISE`, and not by chance alone."""
    mean, low, _ = mean95(errors - least)
    return low > 0 and mean > RISE * float(least.mean())


def _held_out_lines(
    found: Sequence[Evaluation], means: NDArray[np.float64], least: int, place: int
) -> tuple[str, ...]:
    """Where the least error was, and why another one was taken."""
    one = found[least]
    line = f"The least held-out error is {means[least]:.3g}, at step {one.step} (epoch {one.epoch:.1f})."
    if place == least:
        return (line,)
    return (
        line,
        f"Step {found[place].step} is not surely farther off, and the latest of those has learned longest.",
    )
