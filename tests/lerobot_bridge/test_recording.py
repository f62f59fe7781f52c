"""Demonstrations of the twin's expert become a LeRobot dataset, and a kill loses at most one of them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import draccus
import numpy as np
import pytest
from lerobot.configs.dataset import DatasetRecordConfig
from lerobot.datasets import LeRobotDataset
from lerobot.robots import RobotConfig
from lerobot.robots.so_follower import SO101FollowerConfig

from regrasp.data.dataset import content_hash, read_dataset
from regrasp.data.rollouts import read_outcomes
from regrasp.data.station import Station, twin
from regrasp.diagnosis.audit import audit
from regrasp.errors import DatasetError, DeviceError, UsageError
from regrasp.lerobot_bridge.parts import recording_folder
from regrasp.lerobot_bridge.recording import as_typed, options, record, record_by_leader, scene_seed


def test_recorded_set_loads_in_lerobot_and_holds_what_was_asked_for(demonstrations):
    theirs = LeRobotDataset("local/demos", root=demonstrations, video_backend="pyav")
    ours = read_dataset(demonstrations)
    assert theirs.num_episodes == len(ours.episodes) == 3
    assert theirs.meta.robot_type == "so101_twin"
    assert theirs[0]["task"] == "Grab the brain"
    assert theirs.num_frames == ours.frames
    np.testing.assert_allclose(theirs[5]["observation.state"].numpy(), ours.episodes[0].states[5], atol=1e-4)


def test_a_recording_has_nothing_wrong_with_it(demonstrations):
    assert [finding.check for finding in audit(demonstrations).findings] == []
    made = read_dataset(demonstrations)
    told = made.stats["observation.state"]
    for name, share in (("q01", 0.01), ("q99", 0.99)):
        np.testing.assert_allclose(told[name], np.quantile(made.states, share, axis=0), atol=1e-3)


def test_every_recorded_episode_succeeded_by_physics_and_keeps_its_scene(demonstrations):
    outcomes, _ = read_outcomes(demonstrations)
    assert [outcome.success for outcome in outcomes] == [True] * 3
    assert len({outcome.seed for outcome in outcomes}) == 3
    assert all("object_x_m" in outcome.initial for outcome in outcomes)


def test_same_seed_gives_the_same_states_and_actions_whatever_the_number_of_workers(
    demonstrations, station, tmp_path
):
    again = record(station, tmp_path / "again", episodes=3, seed=3, workers=2).dataset
    assert content_hash(read_dataset(again)) == content_hash(read_dataset(demonstrations))


def test_another_seed_gives_other_demonstrations(demonstrations, station, tmp_path):
    other = record(station, tmp_path / "other", episodes=1, seed=4).dataset
    assert not np.array_equal(
        read_dataset(other).episodes[0].states[0], read_dataset(demonstrations).episodes[0].states[0]
    )


def test_streams_never_share_scenes():
    recorded = {scene_seed("record", 0, episode, 0) for episode in range(500)}
    rolled = {scene_seed("rollout", 0, episode) for episode in range(500)}
    assert len(recorded) == len(rolled) == 500
    assert not recorded & rolled


def test_a_killed_recording_goes_on_and_ends_with_the_same_bytes(demonstrations, station, tmp_path):
    out = tmp_path / "killed"
    code = (
        "from regrasp.lerobot_bridge.quiet import prepare_environment; prepare_environment()\n"
        "from regrasp.lerobot_bridge.recording import record\n"
        "from regrasp.data.station import twin\n"
        f"record(twin(size=64), {str(out)!r}, episodes=3, seed=3)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    finished = recording_folder(out) / "part-0" / "finished.json"
    deadline = time.monotonic() + 240
    while not finished.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    kept = len(json.loads(finished.read_text()))
    assert kept >= 1
    told = []
    record(station, out, episodes=3, seed=3, tell=told.append)
    assert [message["episode"] for message in told] == [0, 1, 2]
    assert content_hash(read_dataset(out)) == content_hash(read_dataset(demonstrations))
    assert not recording_folder(out).exists()


def test_an_unfinished_recording_of_something_else_is_not_mixed_in(station, tmp_path):
    out = tmp_path / "mixed"
    folder = recording_folder(out)
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps({"kind": "demonstrations", "seed": 1}))
    with pytest.raises(DatasetError, match="holds an unfinished recording with robot None, not"):
        record(station, out, episodes=1, seed=2)


def test_an_existing_folder_is_left_alone(demonstrations, station):
    with pytest.raises(DatasetError) as raised:
        record(station, demonstrations, episodes=1)
    assert str(raised.value) == (
        f"{demonstrations} exists already; expected a new folder. Choose another name or delete it first."
    )


def test_only_the_twin_has_an_expert(tmp_path):
    desk = Station(name="desk", robot={"type": "so101_follower", "port": "/dev/ttyACM0"})
    with pytest.raises(UsageError, match="Station 'desk' has no expert; only the twin has"):
        record(desk, tmp_path / "new", episodes=1)


def test_lerobot_options_of_nested_values_are_json():
    cameras = {"front": {"type": "opencv", "index_or_path": 0}}
    assert options("robot", {"cameras": cameras}) == [
        '--robot.cameras={"front": {"type": "opencv", "index_or_path": 0}}'
    ]


INSTRUCTIONS = [
    "Grab the brain",
    "Pick block #3",
    "Grab: the brain",
    "yes",
    "007",
    'it\'s "here"',
    "Ärmel",
]


@pytest.mark.parametrize("task", INSTRUCTIONS)
def test_lerobot_reads_back_the_instruction_that_was_typed(task):
    made = draccus.parse(
        DatasetRecordConfig, args=["--repo_id=local/d", f"--single_task={as_typed(task)}", "--fps=30"]
    )
    assert made.single_task == task


@dataclass
class OfAnArm:
    """Options such as those of `lerobot-record`."""

    robot: RobotConfig


def test_lerobot_reads_back_the_name_of_a_calibration():
    arm = options(
        "robot", {"type": "so101_follower", "port": "/dev/ttyACM0", "id": "007", "use_degrees": True}
    )
    made = draccus.parse(OfAnArm, args=arm).robot
    assert isinstance(made, SO101FollowerConfig)
    assert (made.port, made.id, made.use_degrees) == ("/dev/ttyACM0", "007", True)


@pytest.fixture
def desk(monkeypatch):
    """A station with a leader, whose recording by LeRobot ends as it is told, after it has made the folder."""
    told = {}

    def main():
        folder = told["folder"]
        (folder / "meta").mkdir(parents=True)
        if told.get("episodes"):
            (folder / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
            (folder / "meta" / "episodes" / "chunk-000" / "file-000.parquet").touch()
        raise told["error"]

    monkeypatch.setattr("lerobot.scripts.lerobot_record.main", main)
    arm = {"type": "so101_follower", "port": "/dev/ttyACM0"}
    told["station"] = Station(name="desk", robot=arm, teleop={"type": "so101_leader", "port": "/dev/ttyACM1"})
    return told


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            ConnectionError("no motor 3."),
            DeviceError,
            "The station 'desk' does not answer: no motor 3. Check power",
        ),
        (TimeoutError("no frame"), DeviceError, "The station 'desk' does not answer: no frame. Check power"),
        (RuntimeError("failed to set fps"), DeviceError, "does not answer: failed to set fps. Check power"),
        (
            ValueError("eval_ is for policies"),
            UsageError,
            "LeRobot refuses this recording: eval_ is for policies.",
        ),
    ],
)
def test_what_fails_with_a_leader_is_one_sentence_and_leaves_nothing_in_the_way(
    desk, tmp_path, error, kind, said
):
    desk |= {"folder": tmp_path / "d", "error": error}
    with pytest.raises(kind, match=re.escape(said)):
        record_by_leader(desk["station"], tmp_path / "d", episodes=1, task="t", seconds=1.0)
    assert not (tmp_path / "d").exists()


def test_an_instruction_that_lerobot_takes_for_a_file_is_refused(desk, tmp_path):
    with pytest.raises(UsageError, match="expected one that does not begin with 'include'"):
        record_by_leader(desk["station"], tmp_path / "d", episodes=1, task="include it", seconds=1.0)


def test_episodes_that_were_recorded_with_a_leader_stay_when_a_device_fails(desk, tmp_path):
    desk |= {"folder": tmp_path / "d", "error": ConnectionError("cable"), "episodes": 1}
    with pytest.raises(DeviceError):
        record_by_leader(desk["station"], tmp_path / "d", episodes=2, task="t", seconds=1.0)
    assert (tmp_path / "d" / "meta" / "episodes").exists()


def test_a_refused_recording_leaves_no_plan_behind(tmp_path):
    with pytest.raises(UsageError, match="Found pictures of 97 x 97; expected even numbers from 16 on"):
        record(twin(size=97), tmp_path / "d", episodes=1)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_tidying_up_has_left_is_not_gone_on_with(tmp_path):
    begun = tmp_path / "d.recording"
    (begun / "part-0" / "meta.good" / "meta").mkdir(parents=True)
    (begun / "part-0" / "meta.good" / "finished.json").write_text("[{}]")
    (begun / "notes of mine").mkdir()
    with pytest.raises(UsageError):
        record(twin(size=97), tmp_path / "d", episodes=1)
    assert not (begun / "part-0").exists()
