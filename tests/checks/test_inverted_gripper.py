"""The gripper is measured the other way round: 100 where it is closed."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, rollouts
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.idle_gripper import idle_gripper
from regrasp.checks.inverted_gripper import inverted_gripper, inverted_gripper_deployed
from regrasp.checks.scattered_starts import scattered_starts
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.gripper_signals import in_one_sense


@pytest.fixture(scope="module")
def twenty():
    return sound_dataset(3, episodes=20, cameras=False)


@pytest.mark.parametrize(
    "episodes", [(3,), (2, 6, 10, 14, 18), tuple(range(10)), tuple(range(0, 20, 2)), tuple(range(15))]
)
def test_inverted_episodes_are_named_however_many_they_are(twenty, episodes):
    (finding,) = inverted_gripper(faults.inverted_gripper(twenty, episodes=episodes))
    assert finding.severity is Severity.ERROR
    assert finding.where.episodes == episodes


def test_the_repair_turns_them_back(dataset):
    broken = faults.inverted_gripper(dataset, episodes=[2])
    (finding,) = inverted_gripper(broken)
    line = finding.fix.repair.lines["gripper"]
    np.testing.assert_allclose(line(broken.episodes[2].states[:, 5]), dataset.episodes[2].states[:, 5])
    np.testing.assert_allclose(in_one_sense(broken).actions, dataset.actions)


def test_what_follows_from_it_is_not_reported_beside_it(twenty):
    broken = faults.inverted_gripper(twenty, episodes=range(10))
    assert not list(scattered_starts(broken))
    assert not list(idle_gripper(broken))


def test_a_whole_dataset_is_told_by_jaws_that_press_upwards(dataset):
    (finding,) = inverted_gripper(faults.inverted_gripper(dataset, episodes=range(6)))
    assert finding.severity is Severity.WARNING
    assert finding.evidence[0].value == 100


def test_a_whole_dataset_that_holds_nothing_tells_nothing(dataset):
    empty = dataset.map_episodes(lambda e: replace(e, states=e.actions.copy()))
    assert not list(inverted_gripper(faults.inverted_gripper(empty, episodes=range(6))))


def test_another_robot_may_count_the_other_way(dataset):
    aloha = replace(dataset, robot_type="aloha")
    assert not list(inverted_gripper(faults.inverted_gripper(aloha, episodes=range(6))))


def test_a_gripper_from_0_to_1_is_inverted_about_its_own_ends(dataset):
    small = faults.mixed_units(dataset, episodes=range(6), unit="degrees")
    highest = small.states[:, 5].max()
    (finding,) = inverted_gripper(faults.inverted_gripper(small, episodes=[4], opened=highest))
    assert finding.where.episodes == (4,)


def test_a_gripper_that_starts_open_and_closes_as_the_others_do_is_fine(dataset):
    def begin_open(e):
        states, actions = e.states.copy(), e.actions.copy()
        for values in (states, actions):
            values[: e.length // 4, 5] = 50.0
        return replace(e, states=states, actions=actions)

    assert not list(inverted_gripper(dataset.map_episodes(begin_open, [1])))


def test_an_idle_gripper_is_not_an_inverted_one(dataset):
    assert not list(inverted_gripper(faults.idle_gripper(dataset, episodes=[1])))


def test_a_missing_gripper_leaves_it_undecided(dataset):
    names = ("a", "b", "c", "d", "e", "f")
    with pytest.raises(Undecided, match=r"^none of the joints a, b, c, d, e, f is called gripper$"):
        list(inverted_gripper(replace(dataset, joint_names=names, action_names=names)))


def test_rollouts_that_start_inverted_are_named():
    deployed = faults.inverted_gripper(rollouts(6), episodes=(1, 4))
    (finding,) = inverted_gripper_deployed(contract(), deployed)
    assert str(finding.where) == "episodes 1 and 4, joint 'gripper'"
    assert finding.summary.startswith(
        "gripper is measured the other way round in 2 of 6 rollouts: it starts at 99."
    )


@pytest.mark.parametrize("shift", [0.0, 15.0, 40.0, 80.0])
def test_a_gripper_that_starts_more_open_is_not_inverted(shift):
    deployed = faults.start_pose_shift(rollouts(6), joint=5, shift_deg=shift)
    assert not list(inverted_gripper_deployed(contract(), deployed))


def test_rollouts_are_named_beyond_the_distance_alone():
    deployed = faults.inverted_gripper(rollouts(1))
    (finding,) = inverted_gripper_deployed(contract(), deployed)
    away = finding.evidence[0].value / 100
    assert list(inverted_gripper_deployed(contract(), deployed, least_distance=away - 1e-6))
    assert not list(inverted_gripper_deployed(contract(), deployed, least_distance=away + 1e-6))


def test_rollouts_without_a_gripper_leave_it_undecided():
    known = contract()
    nameless = [joint.model_copy(update={"name": f"j{place}"}) for place, joint in enumerate(known.joints)]
    with pytest.raises(Undecided, match=r"^none of the joints j0, .* is called gripper$"):
        list(inverted_gripper_deployed(known.model_copy(update={"joints": nameless}), rollouts(2)))
    with pytest.raises(Undecided, match=r"^needs at least one rollout$"):
        list(inverted_gripper_deployed(known, rollouts(0)))
