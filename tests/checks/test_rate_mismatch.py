"""The arm is driven at another rate than it was recorded at."""

from dataclasses import replace

import pytest
from deployments import contract, live, rollouts

from regrasp import faults
from regrasp.checks.late_inference import late_inference_deployed
from regrasp.checks.rate_mismatch import rate_mismatch, rate_mismatch_deployed
from regrasp.diagnosis.check import Undecided

KNOWN = contract()


def test_a_station_at_half_the_rate_is_reported_with_both_rates_and_what_to_set():
    (finding,) = rate_mismatch(KNOWN, faults.rate_mismatch(live()))
    assert finding.summary == "The station runs at 5 Hz; the training data have 10 Hz."
    assert (finding.evidence[0].value, finding.evidence[0].limit) == (5.0, 10.0)
    assert finding.fix.summary == "Set `fps: 10` in the station file."


def test_the_same_rate_is_fine():
    assert not list(rate_mismatch(KNOWN, live()))


@pytest.mark.parametrize(("share", "found"), [(1.01, 0), (1.011, 1), (0.99, 0), (0.989, 1)])
def test_a_difference_of_exactly_the_limit_is_fine(share, found):
    thousand = KNOWN.model_copy(update={"fps": 1000.0})
    assert len(list(rate_mismatch(thousand, live(fps=share * 1000)))) == found


def test_rollouts_at_another_rate_are_reported_with_their_episodes():
    deployed = rollouts(3)
    (finding,) = rate_mismatch_deployed(KNOWN, faults.rate_mismatch(deployed, times=2))
    assert finding.where.episodes == (0, 1, 2)
    assert not list(rate_mismatch_deployed(KNOWN, deployed))


def test_a_loop_that_held_less_than_its_nominal_rate_is_reported_with_what_it_held():
    slow = faults.rate_mismatch(rollouts(3), times=22 / 30, by_the_clock=True)
    (finding,) = rate_mismatch_deployed(KNOWN, slow)
    assert finding.where.episodes == (0, 1, 2)
    assert finding.evidence[0].value == pytest.approx(10 * 22 / 30, abs=0.01)
    assert "was to run at 10 Hz" in finding.summary


@pytest.mark.parametrize(("times", "found"), [(0.91, 0), (0.89, 1), (1.0, 0)])
def test_a_loop_a_tenth_slower_than_its_nominal_rate_is_the_limit(times, found):
    slow = faults.rate_mismatch(rollouts(3), times=times, by_the_clock=True)
    assert len(list(rate_mismatch_deployed(KNOWN, slow))) == found


def test_a_loop_that_waited_for_the_policy_is_another_cause():
    waiting = faults.late_inference(rollouts(3), inference_s=0.6, n_action_steps=5)
    assert not list(rate_mismatch_deployed(KNOWN, waiting))
    assert list(late_inference_deployed(KNOWN, waiting))


def test_a_real_arm_without_the_times_of_its_loop_is_undecided_and_the_twin_is_not():
    assert not list(rate_mismatch_deployed(KNOWN, rollouts(3)))
    with pytest.raises(Undecided, match="at the training's 10 Hz on file"):
        list(rate_mismatch_deployed(KNOWN, rollouts(3, robot_type="so_follower")))


def test_a_rate_that_nobody_knows_is_undecided():
    with pytest.raises(Undecided):
        list(rate_mismatch(KNOWN.model_copy(update={"fps": float("nan")}), replace(live(), fps=30.0)))
