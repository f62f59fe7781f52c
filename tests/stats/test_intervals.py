"""Intervals of a success rate and of a difference: what holds for all counts."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrasp.errors import UsageError
from regrasp.stats import clopper_pearson, newcombe_difference, newcombe_paired, wilson_interval


@st.composite
def counts(draw):
    trials = draw(st.integers(1, 200))
    return draw(st.integers(0, trials)), trials


@given(counts())
def test_interval_holds_the_observed_rate_within_0_and_1(count):
    low, high = wilson_interval(*count)
    assert 0 <= low <= count[0] / count[1] <= high <= 1


@given(counts())
def test_successes_and_failures_mirror_each_other(count):
    low, high = wilson_interval(*count)
    mirrored = wilson_interval(count[1] - count[0], count[1])
    assert mirrored == pytest.approx((1 - high, 1 - low))


@given(counts())
def test_ten_times_the_trials_narrow_the_interval(count):
    low, high = wilson_interval(*count)
    narrow = wilson_interval(10 * count[0], 10 * count[1])
    assert narrow[1] - narrow[0] < high - low


@given(counts())
def test_more_confidence_widens_it(count):
    low, high = wilson_interval(*count)
    wide = wilson_interval(*count, confidence=0.99)
    assert wide[0] <= low
    assert high <= wide[1]


def test_no_success_and_no_failure_keep_a_width():
    assert wilson_interval(0, 20) == pytest.approx((0, 0.161), abs=1e-3)
    assert wilson_interval(20, 20) == pytest.approx((0.839, 1), abs=1e-3)


def test_nothing_tried_nothing_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("interval", [wilson_interval, clopper_pearson])
@pytest.mark.parametrize("count", [(3, 2), (-1, 4)])
def test_counts_that_are_none_are_refused(interval, count):
    with pytest.raises(UsageError) as error:
        interval(*count)
    assert str(error.value) == (
        f"Found {count[0]} successes in {count[1]} trials; expected 0 <= successes <= trials; count again."
    )


def coverage(interval, trials, p):
    """Exact share of experiments whose interval holds p."""
    held = 0.0
    for k in range(trials + 1):
        low, high = interval(k, trials)
        if low <= p <= high:
            held += comb(trials, k) * p**k * (1 - p) ** (trials - k)
    return held


RATES = [0.1 * tenth for tenth in range(1, 10)]
TRIALS = [5, 10, 20, 50]


def test_wilson_covers_95_percent_on_average():
    shares = [coverage(wilson_interval, n, p) for n in TRIALS for p in RATES]
    assert sum(shares) / len(shares) == pytest.approx(0.955, abs=0.005)
    assert min(shares) == pytest.approx(0.919, abs=0.001)


def test_clopper_pearson_never_covers_less_than_95_percent():
    shares = [coverage(clopper_pearson, n, p) for n in TRIALS for p in RATES]
    assert min(shares) >= 0.95


@given(counts(), counts())
def test_difference_holds_the_observed_one_and_turns_its_sign_with_the_order(a, b):
    low, high = newcombe_difference(*a, *b)
    assert -1 <= low <= b[0] / b[1] - a[0] / a[1] + 1e-12
    assert newcombe_difference(*b, *a) == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [  # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10, examples (a) to (h)
        ((48, 80), (56, 70), (0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.1705, 0.8090)),
        ((2, 7), (6, 7), (0.0582, 0.8062)),
        ((0, 29), (5, 56), (-0.0381, 0.1926)),
        ((0, 20), (0, 10), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((0, 20), (10, 10), (0.6791, 1.0)),
        ((0, 10), (10, 10), (0.6075, 1.0)),
    ],
)
def test_difference_agrees_with_the_published_examples(a, b, expected):
    assert newcombe_difference(*a, *b) == pytest.approx(expected, abs=1e-4)


@given(st.tuples(*[st.integers(0, 30)] * 4).filter(any))
def test_paired_difference_holds_the_observed_one_and_turns_with_the_order(table):
    both, only_a, only_b, neither = table
    low, high = newcombe_paired(*table)
    assert low - 1e-12 <= (only_b - only_a) / sum(table) <= high + 1e-12
    assert newcombe_paired(both, only_b, only_a, neither) == pytest.approx((-high, -low))


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_starts_that_are_hard_for_both_narrow_the_paired_interval(both, only_b, neither):
    trials = both + only_b + neither
    low, high = newcombe_paired(both, 0, only_b, neither)
    apart = newcombe_difference(both, trials, both + only_b, trials)
    assert high - low <= apart[1] - apart[0] + 1e-12
