"""Is B better than A, asked after every pair."""

import numpy as np
import pytest

from regrasp.errors import UsageError
from regrasp.stats import sequential_pairs


def test_pairs_that_end_alike_say_nothing():
    assert sequential_pairs([True, False] * 20, [True, False] * 20).evidence == pytest.approx(1.0)


def test_the_two_directions_are_alike():
    a, b = [False] * 9 + [True], [True] * 9 + [False]
    forwards, backwards = sequential_pairs(a, b), sequential_pairs(b, a)
    assert forwards.evidence == pytest.approx(backwards.evidence)
    assert (forwards.decision, backwards.decision) == ("undecided", "undecided")
    assert sequential_pairs(b * 3, a * 3).decision == "worse"


def test_evidence_is_a_fair_wager():
    """Its mean over every way that n coins can fall is 1 (a martingale)."""
    for n in (1, 3, 7):
        falls = ([bool(number >> place & 1) for place in range(n)] for number in range(2**n))
        values = [sequential_pairs([not up for up in ups], ups).evidence for ups in falls]
        assert np.mean(values) == pytest.approx(1.0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_without_a_difference_looking_after_every_pair_seldom_decides(rate):
    rng = np.random.default_rng(int(100 * rate))
    decided = 0
    for _ in range(400):
        a, b = (rng.random((2, 60)) < rate).tolist()
        decided += any(sequential_pairs(a[:n], b[:n]).decision != "undecided" for n in range(1, 61))
    assert decided <= 0.05 * 400 + 2 * np.sqrt(400 * 0.05 * 0.95)


def test_an_alpha_that_is_no_chance_is_refused():
    with pytest.raises(UsageError, match=r"Found alpha 2; expected a chance between 0 and 1\."):
        sequential_pairs([], [], alpha=2)
