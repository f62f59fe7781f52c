"""In rollouts the gripper is told to close less far than in training, and what it holds slips."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import NumpyPolicy, contract, rollouts, training

from regrasp import faults
from regrasp.arm.so101 import GRIPPER
from regrasp.checks.weak_grasp import weak_grasp
from regrasp.data.rollouts import Ticks
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.closing_signals import closings_of, trained_closing
from regrasp.diagnosis.diagnose import judge
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.diagnosis.probe import Case
from regrasp.diagnosis.ranking import Status
from regrasp.diagnosis.runner import run_checks
from regrasp.faults.loop_times import with_ticks
from regrasp.probes.grip_command import grip_command

TRAIN = training()
KNOWN = contract(TRAIN)
NOTHING = ObservationBatch(np.zeros((0, 6)), {}, [])
LIMIT = 12.0 + 0.1 * (60.0 - 12.0)
"""Of made-up demonstrations that open to 60 and close to 12, and whose jaws follow."""


def found(deployed, train=TRAIN):
    return list(weak_grasp(KNOWN, train, deployed))


def pressing(data, jaws=20.0, command=4.0):
    """The demonstrations around something that stops the jaws."""

    def press(one):
        states, actions = one.states.copy(), one.actions.copy()
        closed = (states[:, GRIPPER] < jaws) & (np.arange(len(states)) > 5)
        states[closed, GRIPPER] = jaws
        actions[closed, GRIPPER] = command
        return replace(one, states=states, actions=actions)

    return data.map_episodes(press)


def closing_to(value, episodes=4, first=0):
    """Rollouts whose policy itself closes no further, from rollout `first` on."""
    deployed = rollouts(episodes)
    weak = faults.weak_grasp(deployed, gripper=value, episodes=range(first, episodes))
    return replace(weak, ticks=Ticks.empty(6))


def test_the_level_of_the_training_is_its_command_when_closed_and_where_the_jaws_stood():
    trained = trained_closing(pressing(TRAIN))
    assert (trained.opened, trained.level, trained.rest) == pytest.approx((60.0, 4.0, 20.0), abs=0.01)
    assert trained.limit == pytest.approx(12.0, abs=0.01)


def test_commands_that_are_cut_off_are_reported_with_what_was_wanted():
    (finding,) = found(faults.weak_grasp(rollouts(4), episodes=[1, 3]))
    assert finding.severity.value == "error"
    assert (finding.where.episodes, finding.where.joint) == ((1, 3), "gripper")
    assert finding.summary.startswith("The gripper was sent to 35.0 where the policy wanted 12.0, in 2 of 4 ")
    assert [one.value for one in finding.evidence] == [35.0, 12.0]


@pytest.mark.parametrize(("gripper", "count"), [(LIMIT - 0.1, 0), (LIMIT + 0.1, 1)])
def test_a_tenth_of_the_stroke_may_be_lacking(gripper, count):
    assert len(found(faults.weak_grasp(rollouts(4), gripper=gripper))) == count


@pytest.mark.parametrize(("gripper", "count"), [(11.9, 0), (12.1, 1)])
def test_half_of_the_squeeze_may_be_lacking(gripper, count):
    shown = pressing(TRAIN)
    deployed = replace(rollouts(4), dataset=pressing(rollouts(4).dataset))
    assert len(found(faults.weak_grasp(deployed, gripper=gripper), shown)) == count


def test_a_gripper_that_closes_as_shown_and_loses_the_object_is_left_alone():
    shown = pressing(TRAIN)
    slipped = pressing(rollouts(4, successes=0).dataset, jaws=4.0)
    assert found(with_ticks(replace(rollouts(4, successes=0), dataset=slipped)), shown) == []


def test_a_command_that_lags_behind_what_is_wanted_but_arrives_is_fine():
    given = with_ticks(rollouts(4))
    late = np.vstack([given.ticks.sent[:1], given.ticks.sent[:-1]])
    assert found(replace(given, ticks=replace(given.ticks, sent=late))) == []


def test_what_is_wanted_after_the_object_is_lost_does_not_hide_it():
    given = faults.weak_grasp(rollouts(4))
    sent = given.ticks.sent.copy()
    sent[given.ticks.tick > 27, GRIPPER] = 0.0
    assert len(found(replace(given, ticks=replace(given.ticks, sent=sent)))) == 1


def test_a_policy_that_wants_less_itself_is_a_warning_without_ticks_too():
    (finding,) = found(closing_to(25.0))
    assert finding.severity.value == "warning"
    assert finding.summary.startswith(
        "The policy closes the gripper to 25.0 in 4 of 4 rollouts that close it"
    )


@pytest.mark.parametrize(("episodes", "first", "count"), [(4, 2, 0), (4, 1, 1), (2, 0, 0)])
def test_it_must_want_less_in_most_of_at_least_three_rollouts(episodes, first, count):
    assert len(found(closing_to(25.0, episodes, first))) == count


def test_commands_that_vary_in_training_may_vary_in_rollouts():
    wider = training(40).map_episodes(
        lambda one: replace(one, actions=np.maximum(one.actions, [-999] * 5 + [25.0])), range(0, 40, 4)
    )
    assert found(closing_to(25.0), wider) == []


def test_the_gripper_that_starts_closed_has_closed_on_nothing():
    assert [one.wanted for one in closings_of(rollouts(3), trained_closing(TRAIN))] == [12.0] * 3
    still = [replace(one, actions=0 * one.actions) for one in rollouts(3).episodes]
    deployed = replace(rollouts(3), dataset=replace(rollouts(3).dataset, episodes=tuple(still)))
    result = run_checks({"contract": KNOWN, "train": TRAIN, "rollouts": deployed}, only=["weak-grasp"])
    assert result.undecided == (
        ("weak-grasp", "needs a rollout in which the policy closes the gripper for 0.7 s"),
    )


@pytest.mark.parametrize("episodes", [0, 2])
def test_a_training_that_does_not_show_it_leaves_it_undecided(episodes):
    shown = replace(TRAIN, episodes=TRAIN.episodes[:episodes])
    result = run_checks({"contract": KNOWN, "train": shown, "rollouts": rollouts(3)}, only=["weak-grasp"])
    assert [name for name, _ in result.undecided] == ["weak-grasp"]


def test_sound_rollouts_are_clean():
    for seed in range(1, 4):
        assert found(rollouts(6, seed)) == []
        assert found(with_ticks(rollouts(6, seed, successes=0))) == []


def diagnosed(deployed):
    return judge(KNOWN, TRAIN, deployed, NumpyPolicy(), Address("runs/last", "twin", "again"))


def test_commands_that_were_cut_off_are_proven_and_those_that_were_not_wanted_only_suspected():
    (cut,) = diagnosed(faults.weak_grasp(rollouts(6, successes=0))).causes
    assert (cut.status, cut.probe.distances[0].after) == (Status.CAUSE, pytest.approx(12.0))
    assert "goes from 35 to 12" in cut.reason
    wanted = replace(closing_to(25.0, 6), outcomes=rollouts(6, successes=0).outcomes)
    (less,) = diagnosed(wanted).causes
    assert (less.name, less.status) == ("weak-grasp", Status.SUSPECTED)


@pytest.mark.parametrize(("gripper", "count"), [(24.0, 0), (26.0, 1)])
def test_it_is_proven_only_where_the_jaws_stay_wider_than_around_the_training_object(gripper, count):
    shown = pressing(TRAIN)
    deployed = replace(rollouts(4), dataset=pressing(rollouts(4).dataset))
    weak = faults.weak_grasp(deployed, gripper=gripper)
    case = Case.of(KNOWN, NOTHING, NOTHING, weak, shown=shown)
    assert len(list(grip_command(case))) == count
    assert len(found(weak, shown)) == 1


def test_the_rerun_leaves_the_twins_own_fault_out():
    deployed = faults.weak_grasp(rollouts(6, successes=0))
    address = Address("runs/last", "twin", "again", {"fault": "weak-grasp:gripper=35.0"})
    found = judge(KNOWN, TRAIN, deployed, NumpyPolicy(), address)
    assert found.remedy == "regrasp rollout runs/last --station twin --out again"
