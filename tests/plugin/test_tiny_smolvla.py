"""The tiny SmolVLA that stands in for the real one where there is no network."""

from dataclasses import dataclass
from pathlib import Path

import draccus
import pytest
import torch
from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.policies import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from tiny_smolvla import make_tiny_smolvla


@dataclass
class Options:
    policy: PreTrainedConfig


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> SmolVLAPolicy:
    config = draccus.parse(Options, args=make_tiny_smolvla(tmp_path_factory.mktemp("vlm"))).policy
    picture = PolicyFeature(FeatureType.VISUAL, (3, 96, 96))
    config.input_features = {
        "observation.state": PolicyFeature(FeatureType.STATE, (6,)),
        "observation.images.front": picture,
        "observation.images.wrist": picture,
    }
    config.output_features = {"action": PolicyFeature(FeatureType.ACTION, (6,))}
    torch.manual_seed(0)
    return SmolVLAPolicy(config).eval()


def chunk(policy: SmolVLAPolicy, task: str) -> torch.Tensor:
    """The actions for one observation, from the same noise each time."""
    preprocess, _ = make_pre_post_processors(policy.config)
    random = torch.Generator().manual_seed(0)
    observation = {
        "observation.state": torch.zeros(6),
        "observation.images.front": torch.rand(3, 96, 96, generator=random),
        "observation.images.wrist": torch.rand(3, 96, 96, generator=random),
        "task": task,
    }
    noise = torch.randn(1, policy.config.chunk_size, policy.config.max_action_dim, generator=random)
    policy.reset()
    with torch.no_grad():
        return policy.predict_action_chunk(preprocess(observation), noise=noise)


def test_folder_is_small_and_needs_no_network(tmp_path: Path):
    make_tiny_smolvla(tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 100_000


def test_it_is_tiny(policy: SmolVLAPolicy):
    assert sum(parameter.numel() for parameter in policy.parameters()) < 1_000_000


def test_it_predicts_a_chunk_of_finite_actions(policy: SmolVLAPolicy):
    actions = chunk(policy, "Grab the brain")
    assert actions.shape == (1, policy.config.chunk_size, 6)
    assert actions.isfinite().all()


def test_what_it_does_depends_on_the_instruction(policy: SmolVLAPolicy):
    grab = chunk(policy, "Grab the brain")
    assert torch.equal(grab, chunk(policy, "Grab the brain"))
    assert (grab - chunk(policy, "Grasp a brain and put it in the bin.")).abs().max() > 1e-3
