"""The policy learned its demonstrations by heart."""

import pytest
from deployments import rollouts, training_of

from regrasp import faults
from regrasp.checks.too_many_epochs import ratio_of, too_many_epochs
from regrasp.diagnosis.check import Undecided

HELD = (3, 11, 19, 27, 35)
SOUND = training_of(held_out=HELD)
FAILED = rollouts(10, successes=0)


def test_learning_by_heart_is_reported_with_both_errors():
    (finding,) = too_many_epochs(faults.too_many_epochs(SOUND), FAILED)
    assert finding.evidence[0].value >= finding.evidence[1].value > finding.evidence[0].limit


def test_a_policy_that_answers_both_alike_is_fine():
    assert not list(too_many_epochs(SOUND, FAILED))


def test_a_policy_that_answers_neither_did_not_learn_by_heart():
    assert not list(too_many_epochs(faults.too_few_epochs(SOUND), FAILED))


def test_rollouts_that_seldom_fail_are_fine():
    assert not list(too_many_epochs(faults.too_many_epochs(SOUND), rollouts(10, successes=9)))


def test_a_ratio_of_exactly_the_limit_counts():
    heart = faults.too_many_epochs(SOUND)
    _, low = ratio_of(heart.unseen_answers, heart.answers)
    assert list(too_many_epochs(heart, FAILED, least_ratio=low))
    assert not list(too_many_epochs(heart, FAILED, least_ratio=low * (1 + 1e-9)))


def test_without_held_out_episodes_it_is_undecided():
    with pytest.raises(Undecided, match="held out of the training"):
        list(too_many_epochs(faults.too_many_epochs(training_of()), FAILED))
