"""Demonstrations of the twin's expert become a LeRobot dataset, and a kill loses at most one of them."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from regrasp.data.dataset import content_hash, read_dataset
from regrasp.data.rollouts import read_outcomes
from regrasp.data.station import Station
from regrasp.errors import DatasetError, UsageError
from regrasp.lerobot_bridge.parts import recording_folder
from regrasp.lerobot_bridge.recording import options, record, scene_seed


def test_recorded_set_loads_in_lerobot_and_holds_what_was_asked_for(demonstrations):
    theirs = LeRobotDataset("local/demos", root=demonstrations, video_backend="pyav")
    ours = read_dataset(demonstrations)
    assert theirs.num_episodes == len(ours.episodes) == 3
    assert theirs.meta.robot_type == "so101_twin"
    assert theirs[0]["task"] == "Grab the brain"
    assert theirs.num_frames == ours.frames
    np.testing.assert_allclose(theirs[5]["observation.state"].numpy(), ours.episodes[0].states[5], atol=1e-4)


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
