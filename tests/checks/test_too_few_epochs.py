"""The policy was trained too briefly."""

from dataclasses import replace

import pytest
from deployments import rollouts, training_of

from regrasp import faults
from regrasp.checks.too_few_epochs import too_few_epochs
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.trained import LEARNED

SOUND = training_of()
FAILED = rollouts(10, successes=0)


def test_answers_far_from_what_was_demonstrated_are_reported_beside_the_look_up():
    (finding,) = too_few_epochs(faults.too_few_epochs(SOUND), FAILED)
    error = finding.evidence[0]
    assert error.value > error.limit > 0
    assert "spreads from what was demonstrated" in finding.summary


def test_a_policy_that_answers_its_training_frames_is_fine():
    assert not list(too_few_epochs(SOUND, FAILED))


@pytest.mark.parametrize("successes", [8, 10])
def test_rollouts_that_seldom_fail_are_fine_whatever_it_answers(successes):
    assert not list(too_few_epochs(faults.too_few_epochs(SOUND), rollouts(10, successes=successes)))


def test_an_error_of_exactly_the_limit_is_fine():
    dull = faults.too_few_epochs(SOUND)
    share = dull.answers.error / dull.answers.lookup_error
    assert share > LEARNED
    assert not list(too_few_epochs(dull, FAILED, max_share=share * (1 + 1e-9)))
    assert list(too_few_epochs(dull, FAILED, max_share=share * (1 - 1e-9)))


def test_without_a_policy_to_ask_it_is_undecided():
    with pytest.raises(Undecided, match="could not be asked"):
        list(too_few_epochs(replace(SOUND, policy=None), FAILED))
