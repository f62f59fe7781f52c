"""Is policy B better than policy A, and how many more trials would tell?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from regrasp.stats.intervals import newcombe_difference, newcombe_paired, require_counts
from regrasp.stats.rate import Rate

Decision = Literal["better", "worse", "undecided"]

MOST_TRIALS = 2000
"""Beyond this many more trials per policy, "too many to be worth it" is the answer; two
thousand rollouts of 30 s are a week of eight-hour days."""


@dataclass(frozen=True)
class Comparison:
    """B against A. `more_trials` counts per policy, None when decided or when they look the same."""

    a: Rate
    b: Rate
    difference95: tuple[float, float]
    paired: int
    more_trials: int | None

    @property
    def decision(self) -> Decision:
        """A verdict only when the interval of the difference leaves out 0."""
        low, high = self.difference95
        if low > 0:
            return "better"
        return "worse" if high < 0 else "undecided"

    def to_json(self) -> dict[str, object]:
        """The comparison as `regrasp compare --json` prints it."""
        return {
            "a": {"k": self.a.k, "n": self.a.n},
            "b": {"k": self.b.k, "n": self.b.n},
            "difference95": [round(limit, 4) for limit in self.difference95],
            "decision": self.decision,
            "more_trials": self.more_trials,
            "paired": self.paired,
        }

    def __str__(self) -> str:
        return self.told()

    def told(self, a: str = "A", b: str = "B") -> str:
        """The answer in a sentence, with names for the two."""
        low, high = (100 * limit for limit in self.difference95)
        numbers = f"{self.b} against {self.a}, a difference of {low:+.0f} to {high:+.0f} points."
        if self.decision != "undecided":
            return f"{b} is {self.decision} than {a}: {numbers}"
        return f"Undecided whether {b} is better than {a}: {numbers} {self._advice()}"

    def _advice(self) -> str:
        if self.more_trials is None:
            return f"No difference would show within {MOST_TRIALS} more trials each."
        return f"If the rates stay as they are, about {self.more_trials} more trials each would decide."


def compare_rates(a: Rate, b: Rate) -> Comparison:
    """B against A from separate trials.

    Example:
        >>> print(compare_rates(Rate(0, 20), Rate(17, 20)))
        B is better than A: 17/20 (64-95 %) against 0/20 (0-16 %), a difference of +58 to +95 points.
        >>> compare_rates(Rate(3, 10), Rate(5, 10)).more_trials
        33
    """
    difference = newcombe_difference(a.k, a.n, b.k, b.n)
    return Comparison(a, b, difference, 0, more_trials(a, b))


def compare_paired(a: Sequence[bool], b: Sequence[bool]) -> Comparison:
    """B against A when `a[i]` and `b[i]` began from the same start.

    Example:
        >>> compare_paired([False] * 6 + [True] * 4, [True] * 10).decision
        'better'
    """
    pairs = list(zip(a, b, strict=True))
    counts = [pairs.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))]
    difference = newcombe_paired(*counts)
    more = None if difference[0] > 0 or difference[1] < 0 else _more_pairs(counts)
    return Comparison(Rate.of(a), Rate.of(b), difference, len(pairs), more)


def compare_outcomes[Start](a: Mapping[Start, bool], b: Mapping[Start, bool]) -> Comparison | None:
    """Pair two sets of outcomes by what tells starts apart; None when they are not the same starts."""
    if not a or a.keys() != b.keys():
        return None
    return compare_paired(list(a.values()), [b[start] for start in a])


def chance_better(only_a: int, only_b: int) -> float:
    """Chance that B succeeds more often than A, from pairs that began alike; 0.5 where nothing tells them apart.

    Only pairs that ended differently say anything. Each falls to B with some chance, of which nothing is known
    beforehand (uniform); this is the probability that it is more than a half.

    Example:
        >>> chance_better(0, 0), round(chance_better(1, 5), 3), round(chance_better(5, 1), 3)
        (0.5, 0.938, 0.062)
    """
    from scipy.special import betaincc

    require_counts(only_a, only_a + only_b)
    return float(betaincc(only_b + 1, only_a + 1, 0.5))


def more_trials(a: Rate, b: Rate) -> int | None:
    """Further trials of each policy until their intervals would part, if the rates stay as they are.

    0 when they have parted already; None when `MOST_TRIALS` more would not do. Rates seldom stay as
    they are: read it as an order of size.
    """
    return _fewest(lambda more: newcombe_difference(*_grown(a, more), *_grown(b, more)))


def _more_pairs(counts: Sequence[int]) -> int | None:
    """The same for starts that both meet, by how many both, A alone, B alone and neither of them succeeded on."""
    pairs = sum(counts)
    return _fewest(
        lambda more: (
            newcombe_paired(*(round(count * (1 + more / pairs)) for count in counts))
            if pairs
            else (-1.0, 1.0)
        )
    )


def _fewest(interval: Callable[[int], tuple[float, float]]) -> int | None:
    """Fewest further trials after which the interval of the difference leaves out 0; None beyond `MOST_TRIALS`."""

    def parted(more: int) -> bool:
        low, high = interval(more)
        return low > 0 or high < 0

    if parted(0):
        return 0
    if not parted(MOST_TRIALS):
        return None
    short, enough = 0, MOST_TRIALS
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if parted(middle) else (middle, enough)
    return enough


def _grown(rate: Rate, more: int) -> tuple[int, int]:
    trials = rate.n + more
    value = rate.value if rate.n else 0.5
    return round(value * trials), trials
