"""LeRobot's training, served from memory, with the contract beside the checkpoint."""

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.factory import resolve_delta_timestamps

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import read_contract
from regrasp.errors import DatasetError, UsageError
from regrasp.lerobot_bridge.cached_dataset import CachedDataset
from regrasp.lerobot_bridge.training import train


@pytest.fixture(scope="module")
def theirs(demonstrations, trained):
    from lerobot.configs.policies import PreTrainedConfig

    config = PreTrainedConfig.from_pretrained(str(trained.checkpoint))
    plain = LeRobotDataset("local/demos", root=demonstrations, video_backend="pyav")
    return LeRobotDataset(
        "local/demos",
        root=demonstrations,
        video_backend="pyav",
        return_uint8=True,
        delta_timestamps=resolve_delta_timestamps(config, plain.meta),
    )


def test_samples_from_memory_are_lerobot_s_own_bit_for_bit(theirs):
    ours = CachedDataset(theirs)
    assert len(ours) == len(theirs)
    rng = np.random.default_rng(0)
    for index in [0, len(theirs) - 1, *rng.integers(0, len(theirs), 12).tolist()]:
        expected, found = theirs[index], ours[index]
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            if isinstance(value, torch.Tensor):
                assert found[key].dtype == value.dtype, key
                assert torch.equal(found[key], value), key
            else:
                assert found[key] == value, key


def test_image_transforms_are_applied_to_each_sample(theirs):
    theirs.set_image_transforms(lambda image: 255 - image)
    changed = CachedDataset(theirs)[3]["observation.images.wrist"]
    theirs.clear_image_transforms()
    assert torch.equal(changed, 255 - theirs[3]["observation.images.wrist"])


def test_training_lowers_the_loss_and_reports_it(trained):
    steps = [step for step, _ in trained.losses]
    losses = [loss for _, loss in trained.losses]
    assert steps == [12, 24, 36]
    assert losses[-1] < losses[0]


def test_epochs_are_steps_times_batch_over_frames(trained):
    assert trained.epochs == pytest.approx(36 * 16 / trained.contract.frames)
    assert trained.contract.epochs == pytest.approx(trained.epochs, rel=1e-3)


def test_the_contract_says_what_the_policy_was_trained_to_expect(trained):
    contract = read_contract(trained.checkpoint)
    assert contract == trained.contract
    assert list(contract.instructions) == ["Grab the brain"]
    assert [camera.name for camera in contract.cameras] == ["front", "wrist"]
    assert contract.fps == 30
    assert contract.chunk_size == 40
    assert 0.1 < contract.gripper_closed_share < 0.9


def test_the_checkpoint_is_an_ordinary_lerobot_checkpoint(trained):
    names = {path.name for path in trained.checkpoint.iterdir()}
    assert {"config.json", "model.safetensors", "train_config.json", "policy_preprocessor.json"} <= names
    assert read_checkpoint(trained.checkpoint.parents[2]).policy_type == "keypoint"


def test_an_existing_run_is_left_alone(demonstrations, trained):
    run = trained.checkpoint.parents[2].resolve()
    with pytest.raises(UsageError) as raised:
        train(demonstrations, run)
    assert str(raised.value) == (
        f"{run} exists already; expected a new folder. Choose another --out or delete it first."
    )


def test_a_missing_dataset_is_said_before_anything_is_made(tmp_path):
    with pytest.raises(DatasetError):
        train(tmp_path / "nothing", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_option_that_lerobot_refuses_is_said_in_its_words(demonstrations, tmp_path):
    with pytest.raises(UsageError, match="LeRobot refuses"):
        train(demonstrations, tmp_path / "run", steps=1, options=["--policy.no_such_option=1"])


def test_a_run_that_was_stopped_is_told_from_a_finished_one(demonstrations, tmp_path):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    with pytest.raises(UsageError, match="holds a training run that was not finished"):
        train(demonstrations, tmp_path / "run")
