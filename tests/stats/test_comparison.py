"""Rates as they are shown, and comparisons that say when they cannot tell."""

from hypothesis import given
from hypothesis import strategies as st

from regrasp.stats import Rate, compare_outcomes, compare_paired, compare_rates, more_trials


def test_rate_is_never_shown_without_counts_and_interval():
    assert str(Rate(17, 20)) == "17/20 (64-95 %)"
    assert f"{Rate(0, 10)}" == "0/10 (0-28 %)"
    assert Rate(17, 20).to_json() == {"k": 17, "n": 20, "wilson95": [0.6396, 0.9476]}


def test_unscored_outcomes_are_left_out_of_n():
    assert Rate.of([True, None, True, False]) == Rate(2, 3)


def test_improvement_within_the_noise_is_undecided():
    comparison = compare_rates(Rate(8, 20), Rate(12, 20))
    assert comparison.decision == "undecided"
    assert str(comparison) == (
        "Undecided whether B is better than A: 12/20 (39-78 %) against 8/20 (22-61 %), "
        "a difference of -10 to +46 points. "
        "If the rates stay as they are, about 30 more trials each would decide."
    )


def test_large_difference_is_decided_both_ways():
    assert compare_rates(Rate(0, 20), Rate(17, 20)).decision == "better"
    assert compare_rates(Rate(17, 20), Rate(0, 20)).decision == "worse"


def test_equal_rates_ask_for_no_further_trials():
    assert more_trials(Rate(10, 20), Rate(10, 20)) is None
    assert "No difference would show within 2000 more trials each." in str(
        compare_rates(Rate(5, 9), Rate(5, 9))
    )


@given(st.integers(0, 30), st.integers(0, 30))
def test_enough_more_trials_do_decide(k_a, k_b):
    more = more_trials(Rate(k_a, 30), Rate(k_b, 30))
    if more is not None:
        grown = (Rate(round(k / 30 * (30 + more)), 30 + more) for k in (k_a, k_b))
        assert compare_rates(*grown).decision != "undecided"


def test_same_starts_are_compared_in_pairs():
    a = {seed: seed < 8 for seed in range(20)}
    b = {seed: seed < 14 for seed in range(20)}
    comparison = compare_outcomes(a, b)
    assert comparison is not None
    assert comparison.paired == 20
    assert comparison.decision == "better"
    assert compare_rates(Rate(8, 20), Rate(14, 20)).decision == "undecided"


def test_other_starts_are_not_paired():
    assert compare_outcomes({1: True, 2: False}, {1: True, 3: False}) is None
    assert compare_outcomes({}, {}) is None


def test_pairs_without_a_difference_are_undecided():
    assert compare_paired([True, False] * 5, [False, True] * 5).decision == "undecided"


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_pairs_that_leave_it_undecided_ask_for_more_than_none(both, only_a, only_b):
    a = [True] * both + [True] * only_a + [False] * only_b
    b = [True] * both + [False] * only_a + [True] * only_b
    found = compare_paired(a, b)
    if found.decision == "undecided" and a:
        assert found.more_trials is None or found.more_trials > 0
    else:
        assert found.more_trials is None or not a
