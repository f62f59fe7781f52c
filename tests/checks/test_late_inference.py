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
from regrasp.data.rollouts import Ticks
from regrasp.diagnosis.check import Undecided

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


def ticks(rate, episodes=2, turns=50):
    joined = [
        Ticks.empty(6)
        if not turns
        else Ticks(
            np.full(turns, episode),
            np.arange(turns),
            np.arange(turns) / rate,
            np.full(turns, np.nan),
            np.zeros(turns, np.int64),
            np.zeros(turns, np.int64),
            np.zeros((turns, 6)),
            np.zeros((turns, 6)),
            np.zeros(turns, np.bool_),
        )
        for episode in range(episodes)
    ]
    return Ticks.joined(joined)


def deployed(rate, robot_type="so_follower"):
    return replace(rollouts(2, robot_type=robot_type), ticks=ticks(rate))


def test_a_loop_that_fell_behind_is_reported_with_its_rate():
    (finding,) = late_inference_deployed(KNOWN, deployed(6.0))
    assert finding.where.episodes == (0, 1)
    assert finding.evidence[0].value == pytest.approx(6.0)


def test_a_loop_that_kept_its_rate_is_fine():
    assert not list(late_inference_deployed(KNOWN, deployed(10.0)))
    assert not list(late_inference_deployed(KNOWN, deployed(9.01)))


def test_the_twin_is_never_late_and_rollouts_without_times_are_undecided():
    assert not list(late_inference_deployed(KNOWN, deployed(1.0, "so101_twin")))
    with pytest.raises(Undecided):
        list(late_inference_deployed(KNOWN, rollouts(2, robot_type="so_follower")))
