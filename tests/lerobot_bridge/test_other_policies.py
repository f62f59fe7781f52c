"""LeRobot's own policies train and roll out through the same verbs as the small policy."""

import numpy as np
import pytest
from tiny_smolvla import make_tiny_smolvla

from regrasp.data.dataset import read_dataset
from regrasp.data.rollouts import read_rollouts
from regrasp.diagnosis.observations import ObservationBatch
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
VQBET = [
    "--policy.gpt_n_layer=1",
    "--policy.gpt_hidden_dim=32",
    "--policy.gpt_input_dim=32",
    "--policy.gpt_output_dim=32",
    "--policy.gpt_n_head=2",
    "--policy.crop_shape=[56,56]",
    "--policy.vqvae_enc_hidden_dim=16",
    "--policy.pretrained_backbone_weights=null",
]
DIFFUSION = [
    "--policy.down_dims=[16,32]",
    "--policy.n_groups=4",
    "--policy.diffusion_step_embed_dim=16",
    "--policy.horizon=16",
    "--policy.n_action_steps=8",
    "--policy.drop_n_last_frames=7",
    "--policy.num_train_timesteps=10",
    "--policy.num_inference_steps=2",
    "--policy.spatial_softmax_num_keypoints=4",
    "--policy.use_separate_rgb_encoder_per_camera=false",
    "--policy.pretrained_backbone_weights=null",
    "--policy.use_group_norm=true",
]
OPTIONS = {"act": ACT, "diffusion": DIFFUSION, "vqbet": VQBET}


@pytest.fixture(scope="module", params=["act", "smolvla", "diffusion", "vqbet"])
def other(request, demonstrations, tmp_path_factory):
    """A policy of LeRobot's own after two steps of training."""
    folder = tmp_path_factory.mktemp(request.param)
    options = OPTIONS.get(request.param) or make_tiny_smolvla(folder / "vlm")
    kept = [option for option in options if not option.startswith(("--policy.type", "--policy.push_to_hub"))]
    return train(demonstrations, folder / "run", policy=request.param, steps=2, batch=2, options=kept)


def test_training_writes_checkpoint_and_contract(other):
    assert other.contract.policy_type == other.journal.policy
    assert other.contract.n_action_steps in (5, 8, 10)
    cameras = ["front"] if other.journal.policy == "vqbet" else ["front", "wrist"]
    assert list(other.contract.camera_names) == cameras
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
    images = {key: images[key] for key in policy.camera_keys}
    one = policy.chunks(ObservationBatch(episode.states[[0, 40]], images, ["Grab the brain"] * 2))
    two = policy.chunks(ObservationBatch(episode.states[[0, 40]], images, ["Put the toy away"] * 2))
    assert one.shape == (2, policy.chunk_size, 6)
    assert np.isfinite(one).all()
    reads = not np.array_equal(one, two)
    assert reads == (other.contract.policy_type == "smolvla")


def test_one_that_looks_at_several_moments_gets_those_before_the_present(other, demonstrations):
    episode = read_dataset(demonstrations).episodes[0]
    pictures = {camera.name: camera.frames(range(12)) for camera in episode.cameras.values()}

    def observation(frame):
        joints = dict(
            zip((f"{name}.pos" for name in episode.joint_names), episode.states[frame].tolist(), strict=True)
        )
        return joints | {name: frames[frame] for name, frames in pictures.items()}

    def second_chunk(present, *, remembers=True):
        policy = LoadedPolicy(other.checkpoint, task="Grab the brain")
        policy.remembers = remembers
        length = policy.n_action_steps
        for frame in (*range(length), present):
            decided = policy.decide(observation(min(frame, 11)))
        return decided.action

    moved, still = second_chunk(11), second_chunk(11, remembers=False)
    looks_back = other.contract.policy_type in ("diffusion", "vqbet")
    assert np.array_equal(moved, still) != looks_back
