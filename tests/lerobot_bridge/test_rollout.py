"""A policy runs on the twin, is recorded and scored."""

import numpy as np
import pytest

from regrasp.control import SafetyGate
from regrasp.control.monitor import SCORES
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import read_dataset
from regrasp.data.rollouts import read_rollouts
from regrasp.data.station import twin
from regrasp.errors import CheckpointError, UsageError
from regrasp.lerobot_bridge.live_view import look
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.rollout import rollout


def test_rollouts_are_a_dataset_with_outcomes_and_ticks(rolled_out):
    rollouts = read_rollouts(rolled_out.out)
    assert len(rollouts.episodes) == 2
    assert rollouts.task == "Grab the brain"
    assert [outcome.scored_by for outcome in rollouts.outcomes] == ["physics"] * 2
    for episode in rollouts.episodes:
        ticks = rollouts.ticks.of(episode.index)
        assert 20 < len(ticks) == episode.length <= 45
        np.testing.assert_allclose(ticks.sent, episode.actions, atol=1e-4)


def test_a_query_is_made_once_per_chunk(rolled_out):
    ticks = read_rollouts(rolled_out.out).ticks.of(0)
    queried = np.flatnonzero(np.isfinite(ticks.inference_ms))
    assert queried.tolist() == list(range(0, len(ticks), 20))
    assert ticks.chunk.tolist() == [tick // 20 for tick in range(len(ticks))]
    assert ticks.position_in_chunk.tolist() == [tick % 20 for tick in range(len(ticks))]


def test_the_same_seed_gives_the_same_starts_and_actions(trained, station, rolled_out, tmp_path):
    again = rollout(
        trained.checkpoint, station, task="Grab the brain", episodes=2, out=tmp_path / "again", seconds=1.5, seed=5,
        workers=2,
    )  # fmt: skip
    first, second = read_rollouts(rolled_out.out), read_rollouts(again.out)
    for one, other in zip(first.episodes, second.episodes, strict=True):
        np.testing.assert_array_equal(one.states, other.states)
        np.testing.assert_array_equal(one.actions, other.actions)


def test_what_was_sent_stays_inside_the_gate(rolled_out, trained):
    ticks = read_rollouts(rolled_out.out).ticks.of(0)
    jumps = np.array([joint.jump_max for joint in trained.contract.joints])
    assert (np.abs(np.diff(ticks.sent, axis=0)) <= np.maximum(1.5 * jumps, 3.0) + 1e-6).all()


def test_overrides_are_written_into_the_rollouts_they_touched(trained, station, tmp_path):
    out = rollout(
        trained.checkpoint, station, task="Lift it", episodes=1, out=tmp_path / "other", seconds=0.2,
        overrides=("instruction-mismatch",),
    ).out  # fmt: skip
    rollouts = read_rollouts(out)
    assert rollouts.overrides == ("instruction-mismatch",)
    assert rollouts.task == "Lift it"


def test_an_arm_with_other_joints_is_refused(trained):
    policy = LoadedPolicy(trained.checkpoint, task="Grab the brain")
    with pytest.raises(
        CheckpointError, match=r"The robot reports 2 joints; the checkpoint in .* was trained with 6"
    ):
        policy.decide({"a.pos": 0.0, "b.pos": 0.0})


def test_a_missing_camera_is_refused(trained, station, tmp_path):
    cameras = {"front": station.cameras["front"]}
    one_eyed = station.model_copy(update={"robot": {**station.robot, "cameras": cameras}})
    with pytest.raises(CheckpointError, match="The robot has no camera 'wrist'"):
        rollout(
            trained.checkpoint, one_eyed, task="Grab the brain", episodes=1, out=tmp_path / "new", seconds=0.2
        )


def test_no_episodes_is_refused(trained, station, tmp_path):
    with pytest.raises(UsageError, match="--episodes is 0; expected 1 or more"):
        rollout(trained.checkpoint, station, task="x", episodes=0, out=tmp_path / "new")


def test_looking_moves_nothing_and_shows_the_first_start(rolled_out):
    live = look(twin(size=64), "Grab the brain", seed=5)
    start = read_rollouts(rolled_out.out).episodes[0].states[0]
    np.testing.assert_allclose(live.joints, start, atol=1e-4)
    assert live.images["front"].shape == (64, 64, 3)
    assert live.instruction == "Grab the brain"


def test_every_tick_has_the_monitor_s_scores_and_the_gate_s_reasons(rolled_out):
    ticks = read_rollouts(rolled_out.out).ticks
    assert set(ticks.scores) == set(SCORES)
    assert np.isfinite(ticks.scores["far_state"]).all()
    np.testing.assert_array_equal(ticks.reasons != "", ticks.intervened)


def test_a_replay_of_the_twin_s_demonstrations_is_never_changed(demonstrations):
    data = read_dataset(demonstrations, video=False)
    known = measure_contract(data, Checkpoint(demonstrations, "act", {}))
    gate = SafetyGate.for_contract(known, data.joint_names, data.fps)
    for episode in data.episodes:
        gate.reset()
        for state, action in zip(episode.states, episode.actions, strict=True):
            gate.check(action, state)
    assert gate.interventions == 0


def test_without_hand_over_the_policy_s_own_actions_are_wanted(trained, station, rolled_out, tmp_path):
    plain = rollout(
        trained.checkpoint, station, task="Grab the brain", episodes=1, out=tmp_path / "plain", seconds=1.5,
        seed=5, handover=False,
    )  # fmt: skip
    handed, own = read_rollouts(rolled_out.out), read_rollouts(plain.out)
    assert (handed.deployment.control["handover"], own.deployment.control["handover"]) == ("on", "off")
    first, second = handed.ticks.of(0).wanted, own.ticks.of(0).wanted
    np.testing.assert_array_equal(first[:20], second[:20])
    assert np.abs(np.diff(first, axis=0)[19]).max() <= np.abs(np.diff(second, axis=0)[19]).max() + 1e-9
