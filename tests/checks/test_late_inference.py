"""The policy thinks too long for the rate at which the arm is driven."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, live, rollouts
from hypothesis import given
from hypothesis import strategies as st

from regrasp import faults
from regrasp.checks.late_inference import (
    LEAST_SHARE,
    enough_steps,
    held_rate,
    late_inference,
    late_inference_deployed,
)
from regrasp.diagnosis.check import Undecided
from regrasp.faults.loop_times import with_ticks

KNOWN = contract().model_copy(update={"fps": 30.0, "chunk_size": 100, "n_action_steps": 20})


def station(inference_s, **changes):
    return live(fps=30.0, inference_s=inference_s, **changes)


def test_a_horizon_that_cannot_be_held_is_reported_with_the_one_that_can():
    (finding,) = late_inference(
        KNOWN, faults.late_inference(station(0.01), inference_s=0.2, n_action_steps=10)
    )
    assert finding.severity.value == "error"
    assert finding.evidence[0].value == 20.0
    assert finding.fix.command == "regrasp rollout CHECKPOINT --station STATION --n-action-steps 45"
    assert not list(late_inference(KNOWN, station(0.2, n_action_steps=45)))


def test_the_fix_is_the_fewest_that_do():
    assert list(late_inference(KNOWN, station(0.2, n_action_steps=44)))


def test_a_query_within_one_turn_is_fine_at_any_horizon():
    assert not list(late_inference(KNOWN, station(1 / 30, n_action_steps=1)))


def test_without_a_horizon_that_is_enough_no_command_is_offered():
    (finding,) = late_inference(KNOWN, station(2.0, n_action_steps=10))
    assert finding.fix.command is None
    assert "the policy plans 100" in finding.fix.summary


def test_more_actions_than_are_planned_are_refused_whatever_the_time():
    (finding,) = late_inference(KNOWN, station(None, n_action_steps=101))
    assert finding.fix.command.endswith("--n-action-steps 100")
    with pytest.raises(Undecided):
        list(late_inference(KNOWN, station(None, n_action_steps=100)))


def test_a_robot_whose_time_waits_is_only_warned_of():
    (finding,) = late_inference(KNOWN, station(2.0, waits=True))
    assert finding.severity.value == "warning"


@given(st.floats(0.0, 5.0), st.sampled_from([10.0, 15.0, 30.0, 60.0]))
def test_the_offered_number_holds_the_rate_and_one_less_does_not(inference_s, fps):
    enough = enough_steps(inference_s, fps, LEAST_SHARE)
    assert held_rate(inference_s, fps, enough) >= LEAST_SHARE * fps * (1 - 1e-6)
    if enough > 1:
        assert held_rate(inference_s, fps, enough - 1) < LEAST_SHARE * fps


def test_chunks_asked_for_ahead_need_only_last_until_the_next():
    assert list(late_inference(KNOWN, station(0.3, n_action_steps=20)))
    assert not list(late_inference(KNOWN, station(0.3, n_action_steps=20, ahead=True)))
    assert not list(late_inference(KNOWN, station(1.6, n_action_steps=50, ahead=True)))


@pytest.mark.parametrize(("inference_s", "steps"), [(0.3, 8), (0.3, 95)])
def test_chunks_that_do_not_last_are_reported_with_a_number_that_does(inference_s, steps):
    (finding,) = late_inference(KNOWN, station(inference_s, n_action_steps=steps, ahead=True))
    offered = int(finding.fix.command.split()[-1])
    assert not list(late_inference(KNOWN, station(inference_s, n_action_steps=offered, ahead=True)))


def test_a_query_longer_than_half_a_chunk_has_no_number_that_does():
    (finding,) = late_inference(KNOWN, station(1.7, ahead=True))
    assert finding.fix.command is None


CHUNKY = contract(chunk_size=20)


def waiting(inference_s, n_action_steps=5, robot_type="so_follower", **control):
    """Rollouts at 10 Hz whose queries take `inference_s` each."""
    given = rollouts(2, robot_type=robot_type)
    given = replace(given, deployment=replace(given.deployment, control=control))
    return faults.late_inference(given, inference_s=inference_s, n_action_steps=n_action_steps)


def test_an_arm_that_waited_at_its_seams_is_reported_with_the_wait_and_the_rate_that_is_left():
    (finding,) = late_inference_deployed(CHUNKY, waiting(0.6))
    assert finding.where.episodes == (0, 1)
    assert finding.summary.startswith(
        "The arm waited 500 ms at each of 5 queries of the policy: of 10 Hz, 5."
    )
    assert finding.evidence[0].value == pytest.approx(28 / (2.8 + 5 * 0.5), abs=0.01)
    assert finding.evidence[1].value == 600


@pytest.mark.parametrize(("inference_s", "found"), [(0.1, 0), (0.15, 0), (0.2, 1)])
def test_what_is_left_must_be_nine_tenths(inference_s, found):
    assert len(list(late_inference_deployed(CHUNKY, waiting(inference_s)))) == found


def test_an_arm_that_hurries_after_each_wait_still_waited():
    given = waiting(0.6, 10)
    wall = given.ticks.wall_s.copy()
    nominal = given.ticks.tick / 10
    hurried = np.maximum(nominal, np.where(given.ticks.position_in_chunk == 1, wall, 0))
    for row in range(1, len(hurried)):
        if given.ticks.tick[row] > 0:
            late = hurried[row - 1] + 0.01 + 0.59 * (given.ticks.position_in_chunk[row - 1] == 0)
            hurried[row] = max(nominal[row], late)
        else:
            hurried[row] = 0.0
    deployed = replace(given, ticks=replace(given.ticks, wall_s=hurried))
    (finding,) = late_inference_deployed(CHUNKY, deployed)
    assert "waited 500 ms at each of 2 queries" in finding.summary


def test_a_loop_that_is_slow_between_its_queries_is_another_cause():
    slow = faults.rate_mismatch(rollouts(2, robot_type="so_follower"), times=0.5, by_the_clock=True)
    assert not list(late_inference_deployed(CHUNKY, slow))


def test_a_real_arm_is_told_to_ask_ahead_and_one_that_does_to_execute_more():
    (finding,) = late_inference_deployed(CHUNKY, waiting(0.4))
    assert finding.fix.command.endswith("--n-action-steps 10 --handover")
    (finding,) = late_inference_deployed(CHUNKY, waiting(0.15, 1, handover="on", horizon="20/1/2"))
    assert finding.fix.command.endswith("--n-action-steps 5")


def test_a_policy_that_is_too_slow_for_its_chunk_has_no_command():
    (finding,) = late_inference_deployed(CHUNKY, waiting(1.5))
    assert finding.fix.command is None


def test_the_twin_is_late_only_where_its_ticks_say_so():
    assert list(late_inference_deployed(CHUNKY, waiting(0.6, robot_type="so101_twin")))
    assert not list(late_inference_deployed(CHUNKY, with_ticks(rollouts(2))))
    assert not list(late_inference_deployed(CHUNKY, rollouts(2)))


def test_a_real_arm_without_the_times_of_its_loop_is_undecided():
    with pytest.raises(Undecided):
        list(late_inference_deployed(CHUNKY, rollouts(2, robot_type="so_follower")))
