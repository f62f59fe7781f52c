"""Any LeRobot policy answers in plain arrays."""

import json
import shutil

import numpy as np
import pytest

from regrasp.data.dataset import read_dataset
from regrasp.diagnosis.observations import ObservationBatch
from regrasp.errors import CheckpointError
from regrasp.lerobot_bridge.policies import LoadedPolicy


@pytest.fixture(scope="module")
def policy(trained):
    return LoadedPolicy(trained.checkpoint, task="Grab the brain")


@pytest.fixture(scope="module")
def batch(demonstrations):
    episode = read_dataset(demonstrations).episodes[0]
    places = [0, 30, 60, 90]
    images = {camera.key: camera.frames(places) for camera in episode.cameras.values()}
    return ObservationBatch(episode.states[places], images, ["Grab the brain"] * 4)


def changed(batch, *, tasks=None, images=None, states=None):
    return ObservationBatch(
        batch.states if states is None else states, images or batch.images, tasks or batch.tasks
    )


def test_chunks_are_in_the_dataset_s_units(policy, batch):
    chunks = policy.chunks(batch)
    assert chunks.shape == (4, 40, 6)
    assert np.isfinite(chunks).all()
    assert np.array_equal(chunks, policy.chunks(batch))


def test_the_small_policy_depends_on_every_input(policy, batch):
    plain = policy.chunks(batch)
    swapped = dict(zip(batch.images, reversed(list(batch.images.values())), strict=True))
    for other in (
        changed(batch, tasks=["Put the toy away"] * 4),
        changed(batch, images=swapped),
        changed(batch, states=batch.states + 10.0),
    ):
        assert np.abs(policy.chunks(other) - plain).max() > 0.1


def test_features_of_an_input_change_with_that_input_alone(policy, batch):
    plain = policy.features(batch)
    assert set(plain) == {"observation.images.front", "observation.images.wrist", "instruction"}
    dark = {key: images // 2 if "front" in key else images for key, images in batch.images.items()}
    after = policy.features(changed(batch, images=dark))
    assert np.abs(after["observation.images.front"] - plain["observation.images.front"]).max() > 1e-3
    assert np.array_equal(after["observation.images.wrist"], plain["observation.images.wrist"])
    assert np.array_equal(after["instruction"], plain["instruction"])


def test_case_and_punctuation_are_the_same_words(policy, batch):
    loud = changed(batch, tasks=["GRAB the brain!"] * 4)
    assert np.array_equal(policy.chunks(loud), policy.chunks(batch))


def test_weights_that_are_not_there_are_said_in_one_sentence(trained, tmp_path):
    broken = tmp_path / "pretrained_model"
    shutil.copytree(trained.checkpoint, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="LeRobot cannot load the checkpoint in"):
        LoadedPolicy(broken)


def test_a_policy_type_that_does_not_exist_is_said_in_one_sentence(trained, tmp_path):
    broken = tmp_path / "pretrained_model"
    shutil.copytree(trained.checkpoint, broken)
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "type": "no_such_policy"}))
    with pytest.raises(CheckpointError, match="LeRobot cannot load the checkpoint in"):
        LoadedPolicy(broken)
