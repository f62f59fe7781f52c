"""A policy that was fine-tuned by an adapter (PEFT) is driven and questioned like any other."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from regrasp.errors import CheckpointError
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.training import train

LAYERS = ("enter", "leave.1")
LORA = ["--peft.method_type=LORA", "--peft.r=2", r"--peft.target_modules=model\.(enter|leave\.1)"]


@pytest.fixture(scope="module")
def adapted(trained, demonstrations, tmp_path_factory):
    """The small policy with an adapter of a few steps, one episode held out."""
    out = tmp_path_factory.mktemp("adapted") / "run"
    options = [*LORA, "--policy.optimizer_lr=0.01"]
    return train(demonstrations, out, policy=str(trained.run), steps=6, batch=8, hold_out=1, options=options)


def test_the_checkpoint_holds_the_adapter_alone(adapted):
    names = {path.name for path in adapted.checkpoint.iterdir()}
    assert "adapter_model.safetensors" in names
    assert "model.safetensors" not in names


def test_it_is_the_policy_that_it_was_made_for_and_what_the_adapter_adds(adapted, trained):
    """W + alpha / r * B A in the layers that have an adapter, as in the paper (arXiv 2106.09685); W elsewhere."""
    found, before = (LoadedPolicy(one.run)._policy.state_dict() for one in (adapted, trained))
    added = load_file(adapted.checkpoint / "adapter_model.safetensors")
    config = json.loads((adapted.checkpoint / "adapter_config.json").read_text())
    scale = config["lora_alpha"] / config["r"]
    assert found.keys() == before.keys()
    for layer in LAYERS:
        a, b = (added[f"base_model.model.model.{layer}.lora_{side}.weight"] for side in "AB")
        change = scale * b @ a
        assert float(change.abs().max()) > 1e-4
        name = f"model.{layer}.weight"
        assert torch.allclose(found.pop(name), before[name] + change, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in found.items())


def test_it_is_asked_about_held_out_episodes(adapted):
    answers = [one.held_out for one in adapted.journal.evaluations]
    assert len(answers) >= 3
    assert np.isfinite([one.action_error for one in answers]).all()


def test_without_the_policy_that_it_was_made_for_it_is_said_what_is_missing(adapted, tmp_path):
    model = shutil.copytree(adapted.checkpoint, tmp_path / "pretrained_model")
    config = json.loads((model / "adapter_config.json").read_text())
    (model / "adapter_config.json").write_text(
        json.dumps(config | {"base_model_name_or_path": str(tmp_path / "gone")})
    )
    with pytest.raises(CheckpointError, match="gone"):
        LoadedPolicy(model)
