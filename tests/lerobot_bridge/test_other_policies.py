"""LeRobot's ACT and SmolVLA train and roll out through the same verbs as the small policy."""

import numpy as np
import pytest
from tiny_smolvla import make_tiny_smolvla

from regrasp.data.dataset import read_dataset
from regrasp.data.rollouts import read_rollouts
from regrasp.diagnosis.probe import ObservationBatch
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.rollout import rollout
from regrasp.lerobot_bridge.training import train

ACT = [
    "--policy.dim_model=32",
    "--policy.dim_feedforward=64",
    "--policy.n_heads=2",
    "--policy.n_encoder_layers=1",
    "--policy.n_decoder_layers=1",
    "--policy.use_vae=false",
    "--policy.chunk_size=10",
    "--policy.n_action_steps=5",
    "--policy.pretrained_backbone_weights=null",
]


@pytest.fixture(scope="module", params=["act", "smolvla"])
def other(request, demonstrations, tmp_path_factory):
    """A policy of LeRobot's own after two steps of training."""
    folder = tmp_path_factory.mktemp(request.param)
    options = ACT if request.param == "act" else make_tiny_smolvla(folder / "vlm")
    kept = [option for option in options if not option.startswith(("--policy.type", "--policy.push_to_hub"))]
    return train(demonstrations, folder / "run", policy=request.param, steps=2, batch=2, options=kept)


def test_training_writes_checkpoint_and_contract(other):
    assert other.contract.policy_type in ("act", "smolvla")
    assert list(other.contract.instructions) == ["Grab the brain"]
    assert other.steps == 2


def test_it_rolls_out_and_is_scored(other, station, tmp_path):
    result = rollout(
        other.checkpoint, station, task="Grab the brain", episodes=1, out=tmp_path / "out", seconds=0.4
    )
    rollouts = read_rollouts(result.out)
    assert rollouts.episodes[0].length == 12  # an untrained policy closes the gate after half a second
    assert np.isfinite(rollouts.ticks.sent).all()
    assert rollouts.outcomes[0].success is False


def test_it_can_be_asked_for_chunks_and_only_smolvla_reads_the_instruction(other, demonstrations):
    policy = LoadedPolicy(other.checkpoint)
    episode = read_dataset(demonstrations).episodes[0]
    images = {camera.key: camera.frames([0, 40]) for camera in episode.cameras.values()}
    one = policy.chunks(ObservationBatch(episode.states[[0, 40]], images, ["Grab the brain"] * 2))
    two = policy.chunks(ObservationBatch(episode.states[[0, 40]], images, ["Put the toy away"] * 2))
    assert one.shape == (2, policy.chunk_size, 6)
    assert np.isfinite(one).all()
    reads = not np.array_equal(one, two)
    assert reads == (other.contract.policy_type == "smolvla")
