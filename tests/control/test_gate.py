"""What stands between a policy and the motors."""

from pathlib import Path

import numpy as np
import pytest
from adversaries import WRONG, damage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regrasp.control import SafetyGate
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import read_dataset
from regrasp.errors import DeviceError

LIMITS = np.array([[-100.0, 100.0]] * 6)
STEP = np.full(6, 5.0)
anything = arrays(np.float64, 6, elements=st.floats(allow_nan=True, allow_infinity=True))
poses = arrays(np.float64, 6, elements=st.floats(-100, 100))


@given(wanted=st.lists(anything, min_size=1, max_size=6), present=poses)
def test_whatever_a_policy_wants_the_command_is_finite_within_limits_and_near(wanted, present):
    gate = SafetyGate(LIMITS, STEP)
    last = present
    for one in wanted:
        sent, changed = gate.check(one, present)
        assert np.isfinite(sent).all()
        assert (sent >= LIMITS[:, 0]).all()
        assert (sent <= LIMITS[:, 1]).all()
        assert (np.abs(sent - last) <= STEP + 1e-9).all()
        assert changed == (not np.array_equal(sent, one))
        last = sent


def test_a_command_near_the_one_before_passes_unchanged():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.zeros(6), np.zeros(6))
    sent, changed = gate.check(np.full(6, 5.0), np.zeros(6))
    assert sent.tolist() == [5.0] * 6
    assert not changed
    assert gate.interventions == 0


def test_the_first_command_is_held_near_the_present_pose_and_counted():
    gate = SafetyGate(LIMITS, STEP)
    sent, changed = gate.check(np.full(6, 80.0), np.full(6, 10.0))
    assert sent.tolist() == [15.0] * 6
    assert changed
    assert gate.interventions == 1


def test_a_new_episode_is_compared_with_the_pose_again():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.zeros(6), np.zeros(6))
    gate.reset()
    sent, _ = gate.check(np.full(6, 50.0), np.full(6, 48.0))
    assert sent.tolist() == [50.0] * 6


def test_nan_keeps_that_joint_where_it_was_told_to_be():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.full(6, 3.0), np.zeros(6))
    wanted = np.array([np.nan, 4.0, 4.0, 4.0, 4.0, np.inf])
    sent, changed = gate.check(wanted, np.zeros(6))
    assert sent.tolist() == [3.0, 4.0, 4.0, 4.0, 4.0, 3.0]
    assert changed


def test_the_envelope_of_the_demonstrations_sets_the_step_with_a_margin_and_a_floor():
    gate = SafetyGate.from_envelope(LIMITS, np.array([10.0, 1.0, 0.0, 4.0, 2.0, 8.0]))
    assert gate.max_step.tolist() == pytest.approx([15.0, 3.0, 3.0, 6.0, 3.0, 12.0])


def test_no_adversarial_sequence_gets_a_harmful_command_through():
    rng = np.random.default_rng(0)
    gate = SafetyGate(LIMITS, STEP, STEP * 2, STEP * 4, 7)
    results = np.array([damage(gate, rng) for _ in range(600)])
    assert results[:, 0].sum() == 0
    assert results[:, 1].sum() == gate.interventions > 1000
    assert set(gate.counts) == {"wrong-shape", "not-finite", "limit", "start", "jump", "speed"}


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_what_is_not_one_number_for_each_joint_leaves_the_arm_where_it_is(wrong):
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.full(6, 3.0), np.zeros(6))
    sent, changed = gate.check(wrong, np.zeros(6))
    assert sent.tolist() == [3.0] * 6
    assert changed
    assert gate.reasons == ("wrong-shape",)


def test_whole_numbers_and_single_precision_pass():
    gate = SafetyGate(LIMITS, STEP)
    assert not gate.check([1, 2, 3, 0, -1, 2], np.zeros(6))[1]
    assert not gate.check(np.full(6, 0.1, np.float32), np.zeros(6))[1]


def test_each_kind_is_counted_once_per_command():
    gate = SafetyGate(LIMITS, STEP)
    gate.check(np.full(6, np.nan), np.zeros(6))
    gate.check(np.full(6, 500.0), np.zeros(6))
    assert dict(gate.counts) == {"not-finite": 1, "limit": 1, "jump": 1}
    assert gate.interventions == 2


def test_commands_may_not_add_up_to_more_than_the_travel_within_a_fifth_of_a_second():
    gate = SafetyGate(LIMITS, STEP, max_travel=np.full(6, 12.0), travel_ticks=4)
    sent = [gate.check(np.full(6, 5.0 * tick), np.zeros(6))[0][0] for tick in range(8)]
    assert np.ptp(sent[:4]) == 12.0
    assert gate.counts["speed"] > 0
    assert max(np.ptp(sent[start : start + 4]) for start in range(5)) == 12.0


def test_travel_of_exactly_the_bound_is_fine():
    gate = SafetyGate(LIMITS, STEP, max_travel=np.full(6, 15.0), travel_ticks=4)
    for tick in range(8):
        gate.check(np.full(6, 5.0 * tick), np.zeros(6))
    assert gate.interventions == 0


def test_it_closes_after_more_than_half_a_second_of_refusals():
    gate = SafetyGate(LIMITS, STEP)
    for _ in range(15):
        gate.check(None, np.zeros(6))
    assert not gate.is_closed(30)
    gate.check(None, np.zeros(6))
    assert gate.is_closed(30)


def test_one_good_command_opens_it_again():
    gate = SafetyGate(LIMITS, STEP)
    for wanted in [None] * 14 + [np.zeros(6)] + [None] * 14:
        gate.check(wanted, np.zeros(6))
    assert not gate.is_closed(30)


def test_an_arm_outside_its_limits_is_taken_to_the_nearest_pose_inside():
    gate = SafetyGate(LIMITS, STEP)
    sent, changed = gate.check(np.full(6, 108.0), np.full(6, 108.0))
    assert sent.tolist() == [100.0] * 6
    assert changed


def test_an_arm_that_does_not_say_where_it_stands_gets_no_command():
    with pytest.raises(DeviceError) as raised:
        SafetyGate(LIMITS, STEP).check(np.zeros(6), np.array([0, 0, np.nan, 0, 0, 0]))
    assert str(raised.value) == (
        "Found the arm's pose [0.0, 0.0, nan, 0.0, 0.0, 0.0]; expected 6 finite joint values. Nothing was sent; "
        "check the servo bus, then run the command again."
    )


def replayed(data):
    """Ticks in which the gate of the dataset's own contract changes its commands; and all ticks."""
    contract = measure_contract(data, Checkpoint(Path("c"), "act", {}))
    gate = SafetyGate.for_contract(contract, data.joint_names, data.fps)
    for episode in data.episodes:
        gate.reset()
        for state, action in zip(episode.states, episode.actions, strict=True):
            gate.check(action, state)
    return gate.interventions, data.frames


def test_a_replay_of_sound_demonstrations_is_never_changed(dataset):
    assert replayed(dataset) == (0, dataset.frames)


@pytest.mark.parametrize(
    "name",
    ["record-test", "chethantu_pick_place", "techin517_so101_test", "saintyuqi_test_data", "jackvial_screwdriver_e5"],
)  # fmt: skip
def test_a_replay_of_real_demonstrations_is_never_changed(real_data, name):
    data = read_dataset(real_data / name, video=False)
    assert replayed(data) == (0, data.frames)


def test_a_station_at_half_the_rate_may_step_twice_as_far_per_tick(dataset):
    contract = measure_contract(dataset, Checkpoint(Path("c"), "act", {}))
    full = SafetyGate.for_contract(contract, dataset.joint_names, dataset.fps).max_step
    half = SafetyGate.for_contract(contract, dataset.joint_names, dataset.fps / 2).max_step
    jumps = np.array([joint.jump_max for joint in contract.joints])
    np.testing.assert_allclose(full, np.maximum(1.5 * jumps, 3.0))
    np.testing.assert_allclose(half, np.maximum(3.0 * jumps, 3.0))
    assert (half > full).any()


def test_a_contract_of_an_older_version_still_bounds_step_and_limits(dataset):
    contract = measure_contract(dataset, Checkpoint(Path("c"), "act", {}))
    none = {"action_low": None, "action_high": None, "lead_max": None, "travel_max": None}
    older = contract.model_copy(update={"joints": [j.model_copy(update=none) for j in contract.joints]})
    gate = SafetyGate.for_contract(older, dataset.joint_names, dataset.fps)
    assert gate.max_travel is None
    assert gate.first_step is not None
    np.testing.assert_array_equal(gate.first_step, np.maximum(gate.max_step, 3.0))
    assert np.isfinite(gate.limits).all()
