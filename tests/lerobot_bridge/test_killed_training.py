"""`regrasp train`, killed as hard as can be, goes on to the weights of a run that was left alone."""

import os
import signal
import subprocess
import sys
import time

import torch
from safetensors.torch import load_file

from regrasp.lerobot_bridge.training import resume, train

OPTIONS = [
    "--policy.image_size=32",
    "--policy.channels=[4,4,4]",
    "--policy.hidden=32",
    "--save_freq=20",
    "--log_freq=10",
    "--dataset.episodes=[0]",
]
SETTINGS = {"steps": 60, "batch": 8}


def test_kill_9_loses_nothing_but_the_steps_since_the_last_checkpoint(demonstrations, tmp_path):
    out = tmp_path / "run"
    words = [
        "train",
        demonstrations,
        "--out",
        out,
        "--steps",
        60,
        "--batch",
        8,
        "--hold-out",
        0,
        "--",
        *OPTIONS,
    ]
    killed = subprocess.Popen(
        [sys.executable, "-m", "regrasp", *map(str, words)],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while killed.poll() is None and not (out / "checkpoints" / "000020").exists():
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    result = resume(out)
    assert result.journal.resumed_at
    whole = train(demonstrations, tmp_path / "whole", **SETTINGS, hold_out=0, options=OPTIONS)
    found, expected = (load_file(one.checkpoint / "model.safetensors") for one in (result, whole))
    assert all(torch.equal(found[name], expected[name]) for name in expected)
