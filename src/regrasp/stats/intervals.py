"""Confidence intervals of a success rate and of the difference between two.

Sources: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212; Clopper & Pearson (1934), Biometrika 26,
404-413; Newcombe (1998), Statistics in Medicine 17, 873-890 (independent) and 2635-2650 (paired).

All of them hold for a number of trials that was fixed beforehand. Looking after every trial and
stopping when the interval pleases makes them too narrow.
"""

from math import sqrt
from statistics import NormalDist

from regrasp.errors import UsageError


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a success rate: low, high.

    The score interval of Wilson (1927). Unlike the mean plus or minus two standard errors, it stays
    within [0, 1] and keeps its width at 0 and at 100 % success. Without a trial it is all of [0, 1].

    Example:
        >>> low, high = wilson_interval(7, 10)
        >>> f"{low:.2f} to {high:.2f}"
        '0.40 to 0.89'
    """
    require_counts(successes, trials)
    if trials == 0:
        return 0.0, 1.0
    z = normal_quantile(confidence)
    p = successes / trials
    centre = p + z * z / (2 * trials)
    half = z * sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low = 0.0 if successes == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if successes == trials else min(1.0, (centre + half) / scale)
    return low, high


def clopper_pearson(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a success rate that never covers less than its confidence: low, high.

    The exact interval of Clopper & Pearson (1934), wider than Wilson's: for a claim that must hold
    in the worst case. Imports SciPy on first use.

    Example:
        >>> low, high = clopper_pearson(7, 10)
        >>> f"{low:.2f} to {high:.2f}"
        '0.35 to 0.93'
    """
    require_counts(successes, trials)
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - tail))
    return low, high


def newcombe_difference(
    successes_a: int, trials_a: int, successes_b: int, trials_b: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of rate B minus rate A, from separate trials: low, high, each within [-1, 1].

    Method 10 of Newcombe (1998): the two Wilson intervals, put together by square and add.

    Example:
        >>> low, high = newcombe_difference(48, 80, 56, 70)  # the paper's example (a), sign turned
        >>> f"{low:.4f} to {high:.4f}"
        '0.0524 to 0.3339'
    """
    low_a, high_a = wilson_interval(successes_a, trials_a, confidence=confidence)
    low_b, high_b = wilson_interval(successes_b, trials_b, confidence=confidence)
    if trials_a == 0 or trials_b == 0:
        return low_b - high_a, high_b - low_a
    a, b = successes_a / trials_a, successes_b / trials_b
    below = sqrt((b - low_b) ** 2 + (high_a - a) ** 2)
    above = sqrt((high_b - b) ** 2 + (a - low_a) ** 2)
    return max(-1.0, b - a - below), min(1.0, b - a + above)


def newcombe_paired(
    both: int, only_a: int, only_b: int, neither: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of rate B minus rate A, when each start was tried with both: low, high.

    Method 10 of Newcombe (1998) for paired proportions. Narrower than `newcombe_difference` when
    the same starts are hard for both.

    Args:
        both: Starts on which A and B succeeded.
        only_a: Starts on which only A succeeded.
        only_b: Starts on which only B succeeded.
        neither: Starts on which both failed.
        confidence: Share of such intervals that hold the true difference.

    Example:
        >>> low, high = newcombe_paired(8, 0, 6, 6)
        >>> f"{low:.2f} to {high:.2f}, unpaired {newcombe_difference(8, 20, 14, 20)[0]:.2f}"
        '0.07 to 0.48, unpaired -0.01'
    """
    trials = both + only_a + only_b + neither
    if trials == 0:
        return -1.0, 1.0
    a, b = (both + only_a) / trials, (both + only_b) / trials
    low_a, high_a = wilson_interval(both + only_a, trials, confidence=confidence)
    low_b, high_b = wilson_interval(both + only_b, trials, confidence=confidence)
    phi = _correlation(both, only_a, only_b, neither)
    below = _square_and_add(b - low_b, high_a - a, phi)
    above = _square_and_add(high_b - b, a - low_a, phi)
    return max(-1.0, b - a - below), min(1.0, b - a + above)


def normal_quantile(confidence: float) -> float:
    """The z that leaves (1 - confidence) / 2 in each tail: 1.96 at 95 %."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def require_counts(successes: int, trials: int) -> None:
    """Refuse counts that are no counts."""
    if not 0 <= successes <= trials:
        raise UsageError(
            f"Found {successes} successes in {trials} trials; expected 0 <= successes <= trials; count again."
        )


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Newcombe's phi, with his correction for continuity when it is positive."""
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    product = both * neither - only_a * only_b
    if product > 0:
        trials = both + only_a + only_b + neither
        product = max(product - trials / 2, 0)
    return product / sqrt(margins)


def _square_and_add(one: float, other: float, phi: float) -> float:
    """Newcombe's sum of two half widths with correlation phi."""
    return sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))
