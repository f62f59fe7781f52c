"""How many processes load samples, where nobody has said so."""

import json
from types import SimpleNamespace

import pytest
from lerobot.configs.train import TrainPipelineConfig

from regrasp.data.journal import Journal
from regrasp.lerobot_bridge import keeping
from regrasp.lerobot_bridge.frame_cache import Uncached
from regrasp.lerobot_bridge.keeping import LEROBOT_LOADERS, Keeper

FITS, TOO_LARGE, NOT_WANTED = "fits", "too large", "not wanted"


def loaders(monkeypatch, tmp_path, case, *, gpu, given=False):
    """What LeRobot is told, and the notes."""

    def cached(dataset, **_):
        if case == TOO_LARGE:
            raise Uncached("it would take 200 GB")
        return ["decoded", dataset]

    monkeypatch.setattr(keeping, "CachedDataset", cached)
    monkeypatch.setattr(keeping.torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(Keeper, "_augment", lambda _self, training, _config: training)
    journal = Journal(dataset="d", policy="act", arguments=[], total_steps=1, frames=1)
    keeper = Keeper(tmp_path, None, journal, cached=case != NOT_WANTED, loaders_given=given)  # pyright: ignore[reportArgumentType]
    data = SimpleNamespace(streaming=False, video_backend="pyav")
    config = SimpleNamespace(num_workers=LEROBOT_LOADERS, resume=True, dataset=data)
    keeper.make_datasets(lambda _config: ("training", None), config)
    return config.num_workers, journal.notes


@pytest.mark.parametrize("gpu", [False, True])
def test_decoded_frames_are_read_in_the_process_that_trains(monkeypatch, tmp_path, gpu):
    assert loaders(monkeypatch, tmp_path, FITS, gpu=gpu) == (0, [])


@pytest.mark.parametrize("case", [TOO_LARGE, NOT_WANTED])
def test_decoding_does_not_keep_a_gpu_waiting(monkeypatch, tmp_path, case):
    count, notes = loaders(monkeypatch, tmp_path, case, gpu=True)
    assert count == LEROBOT_LOADERS
    assert not any("--num_workers" in note for note in notes)
    assert loaders(monkeypatch, tmp_path, case, gpu=False)[0] == 0


@pytest.mark.parametrize("case", [FITS, TOO_LARGE, NOT_WANTED])
def test_what_the_user_has_said_stays(monkeypatch, tmp_path, case):
    assert loaders(monkeypatch, tmp_path, case, gpu=False, given=True)[0] == LEROBOT_LOADERS


def test_lerobot_loads_with_as_many(trained):
    told = json.loads((trained.checkpoint / "train_config.json").read_text())
    assert told["num_workers"] == 0
    assert TrainPipelineConfig.num_workers == LEROBOT_LOADERS
