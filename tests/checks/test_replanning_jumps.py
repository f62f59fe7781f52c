"""The arm is jerked at each seam, where one action chunk takes over from another."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, rollouts, training

from regrasp import faults
from regrasp.checks.replanning_jumps import FEWEST_SEAMS, MAX_TIMES, replanning_jumps
from regrasp.diagnosis.check import Undecided
from regrasp.diagnosis.loop_signals import LEAST_STEP_DEG, step_envelope
from regrasp.faults.loop_times import with_ticks

TRAIN = training()
KNOWN = contract(TRAIN, chunk_size=10)
ENVELOPE = step_envelope(KNOWN, 10.0)


def jumping(joint=0, times=3.0, ticks=True, episodes=8, **options):
    """Rollouts that jump, at seams, by so many demonstrated steps."""
    sound = rollouts(episodes)
    sound = with_ticks(sound, 5) if ticks else sound
    return faults.replanning_jumps(sound, joint=joint, jump_deg=times * ENVELOPE[joint], **options)


@pytest.mark.parametrize("ticks", [True, False], ids=["with ticks", "from the actions alone"])
def test_jumps_are_reported_with_their_joint_their_size_and_what_demonstrations_step(ticks):
    (finding,) = replanning_jumps(KNOWN, jumping(ticks=ticks, times=8.0))
    assert finding.where.joint == "shoulder_pan"
    assert finding.where.episodes == tuple(range(8))
    assert finding.evidence[0].value == pytest.approx(8 * ENVELOPE[0], rel=0.15)
    assert finding.evidence[0].limit == pytest.approx(MAX_TIMES * ENVELOPE[0], abs=0.01)
    assert finding.fix.command == "regrasp rollout CHECKPOINT --station STATION --handover"
    assert ("every 5 frames" in finding.summary) is not ticks


def test_rollouts_that_do_not_jump_are_fine_with_ticks_and_without():
    assert not list(replanning_jumps(KNOWN, with_ticks(rollouts(8), 5)))
    assert not list(replanning_jumps(KNOWN, rollouts(8)))


def test_each_jumping_joint_is_named_the_worst_first():
    both = faults.replanning_jumps(jumping(0, 4.0), joint=4, jump_deg=8 * ENVELOPE[4])
    (finding,) = replanning_jumps(KNOWN, both)
    assert [one.name for one in finding.evidence] == [
        "step of wrist_roll at seams",
        "step of shoulder_pan at seams",
    ]


@pytest.mark.parametrize(("more", "found"), [(-1e-6, 0), (1e-6, 1)])
def test_a_step_of_exactly_the_limit_is_fine(more, found):
    still = with_ticks(rollouts(8), 5)
    held = replace(still, ticks=replace(still.ticks, wanted=0 * still.ticks.wanted))
    jump = MAX_TIMES * ENVELOPE[2] + more
    deployed = faults.replanning_jumps(held, joint=2, jump_deg=jump)
    assert len(list(replanning_jumps(KNOWN, deployed))) == found


def test_an_arm_that_is_fast_everywhere_does_not_jump_at_its_seams():
    fast = with_ticks(rollouts(8), 5)
    wanted = 4 * np.cumsum(np.tile(ENVELOPE, (len(fast.ticks), 1)), axis=0) * (-1) ** np.arange(6)
    assert not list(replanning_jumps(KNOWN, replace(fast, ticks=replace(fast.ticks, wanted=wanted))))


def test_at_half_the_rate_a_step_may_be_twice_as_far():
    jumped = jumping(joint=2, times=1.8)
    assert list(replanning_jumps(KNOWN, jumped))
    assert not list(replanning_jumps(KNOWN, faults.rate_mismatch(jumped, times=0.5)))


def test_large_steps_at_no_length_are_undecided_where_there_are_no_ticks():
    rng = np.random.default_rng(0)
    data = rollouts(8).dataset
    shaken = tuple(
        replace(one, actions=one.actions + 4 * ENVELOPE * (rng.random((one.length, 1)) < 0.1))
        for one in data.episodes
    )
    with pytest.raises(Undecided, match="do not say where chunks begin"):
        list(replanning_jumps(KNOWN, replace(rollouts(8), dataset=replace(data, episodes=shaken))))


def test_few_seams_are_undecided():
    with pytest.raises(Undecided, match=f"needs {FEWEST_SEAMS} seams between chunks, got 10"):
        list(replanning_jumps(KNOWN, jumping(episodes=2)))


def test_a_contract_without_the_demonstrations_steps_is_undecided():
    joints = [joint.model_copy(update={"jump_p99": float("nan")}) for joint in KNOWN.joints]
    with pytest.raises(Undecided):
        list(replanning_jumps(KNOWN.model_copy(update={"joints": joints}), jumping()))


def test_a_hand_over_that_was_on_is_not_offered_again():
    given = jumping()
    deployment = replace(given.deployment, control={"handover": "on"})
    (finding,) = replanning_jumps(KNOWN, replace(given, deployment=deployment))
    assert finding.fix.command is None


def test_a_joint_that_demonstrations_hold_still_may_step_by_its_backlash():
    still = [joint.model_copy(update={"jump_p99": 0.0}) for joint in KNOWN.joints]
    assert (step_envelope(KNOWN.model_copy(update={"joints": still}), 10.0) == LEAST_STEP_DEG).all()
