"""The command that a plan prints for two GPUs, carried out by two processes without any."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from regrasp.data.contract import read_contract
from regrasp.data.journal import read_journal
from regrasp.errors import UsageError
from regrasp.lerobot_bridge import processes
from regrasp.lerobot_bridge.resuming import newest_checkpoint
from regrasp.lerobot_bridge.training import resume, train
from regrasp.training.plan import plan

TINY = [
    "--policy.image_size=32",
    "--policy.channels=[4,4,4]",
    "--policy.hidden=32",
    "--log_freq=2",
    "--save_freq=4",
]


def carried_out(command, *options):
    """What the command printed, one process per GPU and all of them on the processor."""
    accelerate, launch, *words = [*shlex.split(command), "--", *options, "--policy.device=cpu"]
    words = [
        accelerate,
        launch,
        "--main_process_port",
        "0",
        *words,
    ]  # a free one: other launches may run here
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def planned(demonstrations):
    return plan(demonstrations, policy="keypoint", gpus=2, batch=4, steps=8, hold_out=1)


@pytest.fixture(scope="module")
def run(planned, tmp_path_factory):
    """The folder of a run, and what the processes printed."""
    out = tmp_path_factory.mktemp("processes") / "run"
    return out, carried_out(planned.command.replace("RUN", str(out)), *TINY)


def test_the_first_alone_speaks_and_writes(run):
    out, told = run
    assert told.count("8 steps, ") == told.count("curves: ") == 1
    found = sorted(path.name for path in (out / "checkpoints").iterdir())
    assert found == ["000004", "000008", "last"], "one held-out episode is too few to choose the best by"
    journal = read_journal(out)
    assert journal.finished
    assert [one.step for one in journal.evaluations] == [4, 8]
    assert [step for step, _ in journal.losses] == [2, 4, 6, 8]


def test_what_is_noted_counts_the_samples_of_both(run, planned):
    out, _ = run
    contract = read_contract(newest_checkpoint(out) / "pretrained_model")
    assert contract.batch_size == planned.effective_batch == 8
    assert contract.epochs == pytest.approx(8 * 8 / contract.frames, abs=1e-3)
    journal = read_journal(out)
    assert journal.steps[-1]["epoch"] == pytest.approx(8 * 8 / planned.frames, rel=0.05)
    assert (journal.plan["gpus"], journal.plan["steps"]) == (2, 8)


def test_both_follow_the_plan_s_learning_rate(run, planned):
    out, _ = run
    config = json.loads((newest_checkpoint(out) / "pretrained_model" / "train_config.json").read_text())
    assert config["optimizer"]["lr"] == planned.rate == pytest.approx(1e-3 * 2**0.5, rel=1e-2)


def test_a_process_beside_the_first_leaves_its_folder_alone(run, demonstrations, monkeypatch):
    out, _ = run
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UsageError, match="exists already"):
        train(demonstrations, out, steps=8)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    monkeypatch.setenv("RANK", "1")
    assert resume(out).steps == 8
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_without_a_checkpoint_several_do_not_begin_anew(run, tmp_path, monkeypatch):
    journal = tmp_path / "training.json"
    journal.write_bytes((run[0] / "training.json").read_bytes())
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError) as raised:
        resume(tmp_path)
    assert str(raised.value) == (
        f"Found no checkpoint in {tmp_path}; expected one that several processes can go on from. Delete the folder and "
        "train anew."
    )
    assert journal.exists()


def test_the_group_outlives_the_training(monkeypatch):
    """Destroyed while Python is locked, torch's gloo waits for a thread that waits for the lock."""
    group = object()
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "group", SimpleNamespace(WORLD=group))
    monkeypatch.setattr(processes, "_kept", [])
    processes.keep_group()
    assert processes._kept == [group]
