"""Is B better than A, asked after every pair of trials without fooling oneself?

An e-process: a wager against "both succeed equally often" whose stake grows as evidence comes in. Where nothing
differs it exceeds 1/alpha with a chance of at most alpha however often one looks (Ville 1939), so that trials may
stop as soon as it does. Only pairs that end differently say anything; without a difference each such pair falls
either way like a fair coin. The wager is Beta(1, 1) on the coin's bias (Robbins 1970; Ramdas et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

from regrasp.errors import UsageError


@dataclass(frozen=True)
class Sequential:
    """Evidence from pairs of trials that began alike.

    Attributes:
        only_b: Pairs in which B alone succeeded.
        only_a: Pairs in which A alone succeeded.
        pairs: All of them.
        evidence: The e-value, 0 to infinity; 1 says nothing.
        alpha: Chance of a wrong decision that is put up with, both directions together.
    """

    only_b: int
    only_a: int
    pairs: int
    evidence: float
    alpha: float = 0.05

    @property
    def decision(self) -> str:
        """`better`, `worse` or `undecided`: B against A."""
        if self.evidence < 1 / self.alpha:
            return "undecided"
        return "better" if self.only_b > self.only_a else "worse"


def sequential_pairs(a: Sequence[bool], b: Sequence[bool], *, alpha: float = 0.05) -> Sequential:
    """B against A where `a[i]` and `b[i]` began from the same start; may be asked after every pair.

    Example:
        >>> sequential_pairs([False] * 7, [True] * 7).decision
        'undecided'
        >>> sequential_pairs([False] * 8, [True] * 8).decision
        'better'
    """
    if not 0 < alpha < 1:
        raise UsageError(f"Found alpha {alpha}; expected a chance between 0 and 1.")
    pairs = list(zip(a, b, strict=True))
    only_b, only_a = pairs.count((False, True)), pairs.count((True, False))
    parted = only_b + only_a
    # Beta(1, 1) against the fair coin: 2^n B(k + 1, n - k + 1).
    logarithm = parted * log(2) + lgamma(only_b + 1) + lgamma(only_a + 1) - lgamma(parted + 2)
    return Sequential(only_b, only_a, len(pairs), exp(min(logarithm, 700.0)), alpha)
