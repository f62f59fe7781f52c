"""`regrasp rollout`, killed as hard as can be in each of its phases, goes on to what an undisturbed run gives."""

import json
import multiprocessing
import os
import pkgutil
import signal

import numpy as np
import pytest
from instant_arm import model_folder, roll_out
from lerobot.datasets import LeRobotDataset

from regrasp.data.dataset import content_hash, read_dataset
from regrasp.data.rollouts import read_outcomes, read_ticks
from regrasp.lerobot_bridge.driving import Run
from regrasp.lerobot_bridge.parts import recording_folder

TICKS = 6

OURS, LEROBOT = "regrasp.lerobot_bridge", "lerobot.datasets"
PHASES = {
    "before the first episode": (f"{OURS}.driving.Run.bring_home", 1, "before"),
    "while homing": ("instant_arm.InstantArm.send_action", 4, "before"),
    "in mid-episode": (f"{OURS}.rollout._Episode._keep", TICKS + 3, "before"),
    "before an episode's ticks are kept": (f"{OURS}.rollout._save_ticks", 2, "before"),
    "after an episode's ticks are kept": (f"{OURS}.rollout._save_ticks", 2, "after"),
    "before an episode is encoded": (f"{LEROBOT}.LeRobotDataset.save_episode", 2, "before"),
    "after the first episode is encoded": (f"{LEROBOT}.LeRobotDataset.save_episode", 1, "after"),
    "after an episode is encoded": (f"{LEROBOT}.LeRobotDataset.save_episode", 2, "after"),
    "after an episode is finalised": (f"{LEROBOT}.LeRobotDataset.finalize", 2, "after"),
    "before an episode is noted": (f"{OURS}.episode_writer.EpisodeWriter._keep", 2, "before"),
    "after the first metadata are set aside": ("pathlib.Path.rename", 1, "after"),
    "between the two names of the metadata": ("pathlib.Path.rename", 2, "after"),
    "after the metadata are set aside": ("pathlib.Path.rename", 3, "after"),
    "after an episode is noted": (f"{OURS}.episode_writer.EpisodeWriter._keep", 2, "after"),
    "before the merge": (f"{OURS}.episode_writer.merge_datasets", 1, "before"),
    "within the merge": ("lerobot.datasets.dataset_tools.aggregate_datasets", 1, "after"),
    "before outcomes are written": (f"{OURS}.rollout.write_outcomes", 1, "before"),
    "between outcomes and ticks": (f"{OURS}.rollout.write_ticks", 1, "before"),
    "before the rollouts get their name": (f"{OURS}.episode_writer.rename_whole", 1, "before"),
    "after the rollouts have their name": (f"{OURS}.episode_writer.rename_whole", 1, "after"),
}
"""A function, and the call of it before or after which the process dies."""

STARTER = multiprocessing.get_context("forkserver")
STARTER.set_forkserver_preload([f"{OURS}.rollout", "lerobot.datasets.dataset_tools", "instant_arm"])


def run_and_die(model, out, function, call, moment):
    """In a process of its own: dies at the n-th call of a function."""
    owner, name = pkgutil.resolve_name(function.rpartition(".")[0]), function.rpartition(".")[2]
    original, count = getattr(owner, name), [0]

    def deadly(*values, **options):
        count[0] += 1
        if (count[0], moment) == (call, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*values, **options)
        if count[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
    roll_out(model, out)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def undisturbed(model, tmp_path_factory):
    return roll_out(model, tmp_path_factory.mktemp("undisturbed") / "rollouts")


def killed(model, out, phase):
    """Episodes that were finished when the process was killed in this phase."""
    process = STARTER.Process(target=run_and_die, args=(model, out, *PHASES[phase]))
    process.start()
    process.join(timeout=300)
    assert process.exitcode == -signal.SIGKILL
    noted = recording_folder(out) / "part-0" / "finished.json"
    return len(json.loads(noted.read_text())) if noted.exists() else 0


@pytest.mark.parametrize("phase", PHASES)
def test_the_same_command_goes_on_after_a_kill(phase, undisturbed, model, tmp_path):
    out = tmp_path / "rollouts"
    killed(model, out, phase)
    again = roll_out(model, out)
    assert repr(again.outcomes) == repr(undisturbed.outcomes)
    assert again.ended == undisturbed.ended == {"time": 2}
    assert content_hash(read_dataset(out)) == content_hash(read_dataset(undisturbed.out))
    assert repr(read_outcomes(out)) == repr(read_outcomes(undisturbed.out))
    np.testing.assert_allclose(read_ticks(out).sent, read_ticks(undisturbed.out).sent, atol=1e-9)
    assert not recording_folder(out).exists()
    loaded = LeRobotDataset("local/rollouts", root=out, video_backend="pyav")
    assert loaded.num_episodes == 2
    assert loaded[len(loaded) - 1]["observation.images.front"].shape == (3, 32, 32)


@pytest.mark.parametrize("phase", ["in mid-episode", "after an episode is encoded", "before the merge"])
def test_a_finished_episode_is_not_run_again(phase, model, tmp_path, monkeypatch):
    out, homed = tmp_path / "rollouts", []
    kept = killed(model, out, phase)
    assert kept == (2 if phase == "before the merge" else 1)
    original = Run.bring_home
    monkeypatch.setattr(
        Run, "bring_home", lambda self, *given: (homed.append(given[-1]), original(self, *given))
    )
    roll_out(model, out)
    assert homed == list(range(kept, 2))
