"""LeRobot's own commands find the twin and its expert without a flag, and do with them what they should."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from lerobot_commands import EXPERT, QUIET, ROBOT
from numpy.typing import NDArray

from lerobot_robot_so101_twin import SO101Twin
from lerobot_robot_so101_twin.so101_twin import MOTORS
from regrasp.arm.so101 import HOME, within_limits
from regrasp.sim.expert import Expert

Run = Callable[..., None]


def columns(root: Path, name: str) -> list[NDArray[np.float64]]:
    """One column of a dataset, an array for each episode."""
    files = sorted((root / "data").rglob("*.parquet"))
    table = {key: [] for key in ("episode_index", name)}
    for file in files:
        for key, values in table.items():
            values.extend(pq.read_table(file, columns=[key])[key].to_pylist())
    values, episodes = np.array(table[name]), np.array(table["episode_index"])
    return [values[episodes == episode] for episode in np.unique(episodes)]


def info(root: Path) -> dict:
    return json.loads((root / "meta" / "info.json").read_text())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """Every action that reaches a twin, as it was sent."""
    actions = []
    send = SO101Twin.send_action

    def spy(self: SO101Twin, action: dict) -> dict[str, float]:
        actions.append(send(self, action))
        return actions[-1]

    monkeypatch.setattr(SO101Twin, "send_action", spy)
    return actions


def test_record_writes_both_episodes_with_joints_and_cameras(recorded: Path):
    meta = info(recorded)
    assert (meta["robot_type"], meta["fps"], meta["total_episodes"]) == ("so101_twin", 30, 2)
    assert meta["features"]["action"]["names"] == list(MOTORS)
    assert meta["features"]["observation.state"]["names"] == list(MOTORS)
    for view in ("front", "wrist"):
        assert meta["features"][f"observation.images.{view}"]["shape"] == [96, 96, 3]
    assert meta["total_frames"] == sum(map(len, columns(recorded, "action")))


def test_record_begins_each_episode_in_a_scene_of_its_own_at_the_start_pose(recorded: Path):
    first, second = columns(recorded, "observation.state")
    for states in (first, second):
        np.testing.assert_allclose(states[0][:5], HOME[:5], atol=12)
    assert not np.array_equal(first[0], second[0])


def test_record_never_jumps_within_an_episode(recorded: Path):
    for states in columns(recorded, "observation.state"):
        assert np.abs(np.diff(states, axis=0)).max() < 15


def test_record_moves_the_arm(recorded: Path):
    for states in columns(recorded, "observation.state"):
        assert np.ptp(states, axis=0).max() > 5


def test_record_is_the_same_again_from_the_same_seed(recorded: Path, lerobot_run: Run, tmp_path: Path):
    from lerobot.scripts.lerobot_record import main

    root = tmp_path / "again"
    lerobot_run(
        main,
        *ROBOT,
        *EXPERT,
        *QUIET,
        "--robot.cameras={}",
        "--dataset.repo_id=someone/again",
        f"--dataset.root={root}",
        "--dataset.single_task=Grab the brain",
        "--dataset.num_episodes=2",
        "--dataset.episode_time_s=0.8",
        "--dataset.reset_time_s=0",
    )
    for name in ("action", "observation.state"):
        for before, after in zip(columns(recorded, name), columns(root, name), strict=True):
            shared = min(len(before), len(after))
            assert shared >= 2
            np.testing.assert_array_equal(before[:shared], after[:shared])


def test_record_resumes_with_scenes_that_it_has_not_shown(lerobot_run: Run, tmp_path: Path):
    from lerobot.scripts.lerobot_record import main

    options = [
        *ROBOT,
        *EXPERT,
        *QUIET,
        "--robot.cameras={}",
        "--dataset.repo_id=someone/more",
        f"--dataset.root={tmp_path / 'more'}",
        "--dataset.single_task=Grab the brain",
        "--dataset.num_episodes=1",
        "--dataset.episode_time_s=0.1",
        "--dataset.reset_time_s=0",
    ]
    lerobot_run(main, *options)
    lerobot_run(main, *options, "--resume=true")
    first, second = columns(tmp_path / "more", "observation.state")
    assert not np.array_equal(first[0], second[0])


def test_teleoperate_drives_the_twin_from_scene_to_scene(
    lerobot_run: Run, sent: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
):
    from lerobot.scripts.lerobot_teleoperate import main

    seeds = []
    reset, plan = SO101Twin.reset, Expert.reset
    monkeypatch.setattr(SO101Twin, "reset", lambda self, seed: (seeds.append(seed), reset(self, seed))[1])
    monkeypatch.setattr(Expert, "reset", lambda self: (plan(self), setattr(self, "done", True)))
    options = "--teleop.rest_s=0.1", "--robot.cameras={}", "--fps=200", "--teleop_time_s=0.5"
    lerobot_run(main, *ROBOT, *EXPERT, *options)
    assert len(sent) > 10
    assert seeds[:2] == [7, 8]


def test_replay_sends_the_recorded_actions(recorded: Path, lerobot_run: Run, sent: list[dict[str, float]]):
    from lerobot.scripts.lerobot_replay import main

    lerobot_run(
        main,
        *ROBOT,
        "--robot.cameras={}",
        "--play_sounds=false",
        "--dataset.repo_id=someone/demonstrations",
        f"--dataset.root={recorded}",
        "--dataset.episode=1",
    )
    replayed = np.array([[action[motor] for motor in MOTORS] for action in sent])
    np.testing.assert_allclose(replayed, within_limits(columns(recorded, "action")[1]), atol=1e-4)


def test_train_writes_a_checkpoint_that_names_the_twins_cameras(trained: Path):
    config = json.loads((trained / "config.json").read_text())
    assert config["type"] == "act"
    assert [key for key in config["input_features"] if "images" in key] == [
        "observation.images.front",
        "observation.images.wrist",
    ]
    assert (trained / "model.safetensors").stat().st_size > 1e6
    assert (trained / "policy_preprocessor.json").is_file()


@pytest.mark.parametrize(
    "reset_by", [(), (*EXPERT, "--strategy.smooth_handover=false")], ids=["nobody", "expert"]
)
def test_rollout_records_episodes_in_fresh_scenes(
    trained: Path, lerobot_run: Run, sent: list[dict[str, float]], tmp_path: Path, reset_by: tuple[str, ...]
):
    from lerobot.scripts.lerobot_rollout import main

    root = tmp_path / "rollouts"
    lerobot_run(
        main,
        *ROBOT,
        *reset_by,
        *QUIET,
        f"--policy.path={trained}",
        "--device=cpu",
        "--strategy.type=episodic",
        "--strategy.reset_to_initial_position=false",
        "--return_to_initial_position=false",
        "--dataset.repo_id=someone/rollout_twin",
        f"--dataset.root={root}",
        "--dataset.single_task=Grab the brain",
        "--dataset.num_episodes=2",
        "--dataset.episode_time_s=0.4",
        "--dataset.reset_time_s=0.1",
    )
    assert (info(root)["robot_type"], info(root)["total_episodes"]) == ("so101_twin", 2)
    assert np.isfinite([list(action.values()) for action in sent]).all()
    first, second = columns(root, "observation.state")
    np.testing.assert_allclose([first[0], second[0]], [HOME] * 2, atol=12)
    assert not np.array_equal(first[0], second[0])


def test_rollout_without_recording_sends_finite_actions(
    trained: Path, lerobot_run: Run, sent: list[dict[str, float]]
):
    from lerobot.scripts.lerobot_rollout import main

    lerobot_run(
        main,
        *ROBOT,
        f"--policy.path={trained}",
        "--device=cpu",
        "--task=Grab the brain",
        "--play_sounds=false",
        "--duration=0.4",
        "--return_to_initial_position=false",
    )
    assert len(sent) > 1
    assert np.isfinite([list(action.values()) for action in sent]).all()


def test_eval_judges_two_episodes(trained: Path, lerobot_run: Run, tmp_path: Path):
    from lerobot.scripts.lerobot_eval import main

    lerobot_run(
        main,
        "--env.type=so101_twin",
        "--env.episode_length=4",
        f"--policy.path={trained}",
        "--policy.device=cpu",
        "--eval.n_episodes=2",
        "--eval.batch_size=1",
        f"--output_dir={tmp_path}",
    )
    overall = json.loads((tmp_path / "eval_info.json").read_text())["overall"]
    assert overall["n_episodes"] == 2
    assert overall["pc_success"] == 0.0
    assert len(overall["video_paths"]) == 2


def test_eval_records_a_dataset_with_lerobots_names(trained: Path, lerobot_run: Run, tmp_path: Path):
    from lerobot.scripts.lerobot_eval import main

    lerobot_run(
        main,
        "--env.type=so101_twin",
        "--env.episode_length=3",
        f"--policy.path={trained}",
        "--policy.device=cpu",
        "--eval.n_episodes=1",
        "--eval.batch_size=1",
        "--eval.recording=true",
        f"--output_dir={tmp_path}",
    )
    (meta,) = (tmp_path / "recordings").rglob("info.json")
    assert json.loads(meta.read_text())["total_frames"] == 3
    features = json.loads(meta.read_text())["features"]
    assert {"observation.state", "observation.images.front", "observation.images.wrist"} <= set(features)
