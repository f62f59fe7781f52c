"""A dataset, a policy and rollouts, made once by the real thing and small enough for a test."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from regrasp.lerobot_bridge.quiet import prepare_environment

prepare_environment()

import pytest

from regrasp.data.station import twin
from regrasp.lerobot_bridge.recording import record
from regrasp.lerobot_bridge.rollout import rollout
from regrasp.lerobot_bridge.training import train


@pytest.fixture(scope="session")
def station():
    return twin(size=64)


@pytest.fixture(scope="session")
def demonstrations(station, tmp_path_factory):
    """Three demonstrations of the expert, as a LeRobot dataset."""
    return record(station, tmp_path_factory.mktemp("data") / "demos", episodes=3, seed=3).dataset


@pytest.fixture(scope="session")
def trained(demonstrations, tmp_path_factory):
    """The small policy after a few steps: it runs, and can do nothing yet."""
    out = tmp_path_factory.mktemp("runs") / "run"
    return train(demonstrations, out, steps=36, batch=16, options=["--log_freq=12", "--policy.image_size=64"])


@pytest.fixture(scope="session")
def rolled_out(trained, station, tmp_path_factory):
    """Two short rollouts of it."""
    out = tmp_path_factory.mktemp("rollouts") / "first"
    return rollout(
        trained.checkpoint, station, task="Grab the brain", episodes=2, out=out, seconds=1.5, seed=5
    )
