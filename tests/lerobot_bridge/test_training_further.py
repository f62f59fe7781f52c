"""A checkpoint that is trained further keeps what it normalises with, unless it is told otherwise."""

import numpy as np
import pytest

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.dataset import read_dataset
from regrasp.lerobot_bridge.normalising import checkpoint_statistics
from regrasp.lerobot_bridge.training import train
from regrasp.training.plan import plan

SOME = ["--dataset.episodes=[2]"]


def further(demonstrations, trained, out, **more):
    settings = {"policy": str(trained.run), "steps": 2, "batch": 4, "hold_out": 0, "options": SOME} | more
    return train(demonstrations, out, **settings)


@pytest.fixture(scope="module")
def kept(demonstrations, trained, tmp_path_factory):
    return further(demonstrations, trained, tmp_path_factory.mktemp("further") / "run")


@pytest.fixture(scope="module")
def renewed(demonstrations, trained, tmp_path_factory):
    return further(demonstrations, trained, tmp_path_factory.mktemp("renewed") / "run", new_statistics=True)


def test_its_statistics_stay_to_the_last_bit(kept, trained):
    before, after = read_checkpoint(trained.checkpoint), read_checkpoint(kept.checkpoint)
    assert after.normalisation_digest == before.normalisation_digest
    assert kept.journal.notes == [
        "Normalised with the checkpoint's statistics, as its weights were trained; --new-statistics takes those of this "
        "dataset."
    ]


def test_its_weights_are_where_it_starts(kept, trained):
    from safetensors.torch import load_file

    before, after = (load_file(one.checkpoint / "model.safetensors") for one in (trained, kept))
    moved = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert 0 < moved < 0.05


def test_its_chunks_stay(kept, trained):
    assert kept.contract.chunk_size == trained.contract.chunk_size


def test_new_statistics_are_those_of_the_new_data_and_it_is_said(renewed, demonstrations):
    episode = read_dataset(demonstrations, video=False).episodes[2]
    found = read_checkpoint(renewed.checkpoint).normalizer["action"]["mean"]
    everything = read_dataset(demonstrations, video=False).stats["action"]["mean"]
    assert np.allclose(
        found, everything, atol=1e-3
    )  # LeRobot's: of the whole dataset, whatever is trained on
    assert episode.length > 0
    assert renewed.journal.notes == [
        "Normalised with this dataset's statistics in place of the checkpoint's."
    ]


def test_a_checkpoint_of_another_robot_gives_no_statistics(trained):
    checkpoint = read_checkpoint(trained.checkpoint)
    known = {name: {"mean": np.zeros(12)} for name in ("observation.state", "action")}
    assert checkpoint_statistics(checkpoint, known) is None


def test_the_plan_says_where_the_chunks_come_from(demonstrations, trained):
    planned = plan(demonstrations, policy=str(trained.checkpoint))
    assert planned.policy == "keypoint"
    why = next(reason.why for reason in planned.reasons if reason.what == "chunk_size")
    assert why == "the checkpoint's: another one would not fit its parameters"
    assert not any("chunk_size" in option for option in planned.options)
