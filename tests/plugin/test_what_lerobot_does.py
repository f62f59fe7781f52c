"""What Regrasp relies on in LeRobot: a test here fails when LeRobot changes, and says what has to follow."""

import importlib.metadata
import inspect
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import draccus
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.factory import make_dataset, make_train_eval_datasets
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.utils import import_utils
from lerobot.utils.utils import init_logging, log_say
from lerobot_commands import TINY_ACT


@dataclass
class Options:
    policy: PreTrainedConfig


VIEWS = ("observation.images.front", "observation.images.wrist")


# Plugins


def test_plugin_needs_underscores_in_its_distributions_name(monkeypatch: pytest.MonkeyPatch):
    names = "lerobot_robot_one", "lerobot-robot-two", "lerobot_policy_three", "robot_four"
    found = [SimpleNamespace(metadata={"Name": name}) for name in names]
    imported = []
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: found)
    monkeypatch.setattr(import_utils.importlib, "import_module", imported.append)
    import_utils.register_third_party_plugins()
    assert imported == ["lerobot_robot_one", "lerobot_policy_three"]


def test_plugins_distribution_keeps_its_underscores():
    assert importlib.metadata.metadata("lerobot_robot_so101_twin")["Name"] == "lerobot_robot_so101_twin"


def test_episode_is_announced_through_the_root_logger(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        log_say("Recording episode 3", play_sounds=False)
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("root", "Recording episode 3")
    ]


def test_setting_up_the_logging_keeps_filters_and_hears_info():
    root = logging.getLogger()
    level, handlers, filters = root.level, root.handlers[:], root.filters[:]
    listener = logging.Filter()
    root.addFilter(listener)
    try:
        init_logging()
        assert listener in root.filters
        assert root.isEnabledFor(logging.INFO)
    finally:
        root.level, root.handlers[:], root.filters[:] = level, handlers, filters


# Recording and datasets


def test_dataset_is_laid_out_as_v3(recorded: Path):
    info = json.loads((recorded / "meta" / "info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert info["data_path"] == "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
    assert info["video_path"] == "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    assert {"fps", "robot_type", "total_episodes", "total_frames", "total_tasks", "features"} <= info.keys()
    counted = {"timestamp", "frame_index", "episode_index", "index", "task_index"}
    assert set(info["features"]) == {"action", "observation.state", *VIEWS} | counted


def test_episodes_table_says_where_each_episode_lies(recorded: Path):
    columns = set(pq.read_schema(recorded / "meta" / "episodes" / "chunk-000" / "file-000.parquet").names)
    assert {"episode_index", "tasks", "length", "dataset_from_index", "dataset_to_index"} <= columns
    assert {"data/chunk_index", "data/file_index"} <= columns
    for key in VIEWS:
        places = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
        assert {f"videos/{key}/{place}" for place in places} <= columns
        assert f"stats/{key}/mean" in columns


def test_tasks_table_is_indexed_by_the_instruction(recorded: Path):
    tasks = pq.read_table(recorded / "meta" / "tasks.parquet").to_pandas()
    assert tasks.index.tolist() == ["Grab the brain"]
    assert tasks["task_index"].tolist() == [0]


def test_statistics_hold_ranges_and_quantiles(recorded: Path):
    stats = json.loads((recorded / "meta" / "stats.json").read_text())
    assert set(stats["action"]) == {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}


def test_timestamps_tell_nothing_of_the_clock(recorded: Path):
    table = pq.read_table(next((recorded / "data").rglob("*.parquet"))).to_pandas()
    np.testing.assert_allclose(table["timestamp"], table["frame_index"] / 30, atol=1e-6)


# Training


def train_config(recorded: Path, **dataset: object) -> TrainPipelineConfig:
    options = [*TINY_ACT, "--dataset.repo_id=someone/demonstrations", f"--dataset.root={recorded}"]
    options += [f"--dataset.{name}={value}" for name, value in dataset.items()]
    return draccus.parse(TrainPipelineConfig, args=options)


@pytest.fixture(scope="module")
def training_data(recorded: Path) -> LeRobotDataset:
    return make_dataset(train_config(recorded))


def test_training_reads_pictures_as_bytes(training_data: LeRobotDataset):
    frame = training_data[0]
    assert frame["observation.images.front"].dtype == torch.uint8
    assert frame["observation.images.front"].shape == (3, 96, 96)
    assert frame["action"].shape == (5, 6)
    assert frame["task"] == "Grab the brain"


def test_training_replaces_the_pictures_mean_by_imagenets(training_data: LeRobotDataset):
    mean = training_data.meta.stats["observation.images.front"]["mean"]
    torch.testing.assert_close(torch.as_tensor(mean).flatten(), torch.tensor([0.485, 0.456, 0.406]))


def test_held_out_episodes_are_the_last_ones(recorded: Path):
    train, held_out = make_train_eval_datasets(train_config(recorded, eval_split=0.5))
    assert (train.episodes, held_out.episodes) == ([0], [1])


def test_train_takes_a_config_and_gets_its_data_from_one_factory(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from lerobot.scripts import lerobot_train

    class AskedError(Exception):
        """The factory was called."""

    def factory(config: TrainPipelineConfig) -> None:
        raise AskedError(config.dataset.repo_id)

    assert list(inspect.signature(lerobot_train.train).parameters) == ["cfg", "accelerator"]
    monkeypatch.setattr(lerobot_train, "make_train_eval_datasets", factory)
    config = train_config(recorded)
    config.output_dir = tmp_path / "run"
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        with pytest.raises(AskedError, match="someone/demonstrations"):
            lerobot_train.train(config)
    finally:
        root.level, root.handlers[:] = level, handlers


def test_checkpoint_holds_what_the_contract_is_read_from(trained: Path):
    files = {file.name for file in trained.iterdir()}
    assert {
        "config.json",
        "train_config.json",
        "model.safetensors",
        "policy_preprocessor.json",
        "policy_postprocessor.json",
        "policy_preprocessor_step_3_normalizer_processor.safetensors",
        "policy_postprocessor_step_0_unnormalizer_processor.safetensors",
    } <= files
    step = json.loads((trained.parent / "training_state" / "training_step.json").read_text())
    assert (step["step"], step["batch_size"]) == (2, 2)


# Policies


@pytest.fixture(scope="module")
def act() -> ACTPolicy:
    torch.manual_seed(0)
    config = draccus.parse(Options, args=list(TINY_ACT)).policy
    config.input_features = {key: PolicyFeature(FeatureType.VISUAL, (3, 96, 96)) for key in VIEWS}
    config.input_features["observation.state"] = PolicyFeature(FeatureType.STATE, (6,))
    config.output_features = {"action": PolicyFeature(FeatureType.ACTION, (6,))}
    return ACTPolicy(config).eval()


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return {"observation.state": torch.zeros(1, 6)} | {
        key: torch.rand(1, 3, 96, 96, generator=random) for key in VIEWS
    }


def test_act_does_the_same_whichever_way_two_cameras_are_plugged(
    act: ACTPolicy, batch: dict[str, torch.Tensor]
):
    front, wrist = VIEWS
    with torch.no_grad():
        straight = act.predict_action_chunk(batch)
        swapped = act.predict_action_chunk(batch | {front: batch[wrist], wrist: batch[front]})
        dark = act.predict_action_chunk(batch | {wrist: torch.zeros_like(batch[wrist])})
    assert (swapped - straight).abs().max() < 1e-5
    assert (dark - straight).abs().max() > 1e-3


def test_act_does_not_read_the_instruction(act: ACTPolicy, batch: dict[str, torch.Tensor]):
    with torch.no_grad():
        chunks = [
            act.predict_action_chunk(batch | {"task": [task]}) for task in ("Grab the brain", "Do nothing")
        ]
    assert torch.equal(*chunks)


# Rollouts


def test_rollout_context_is_built_from_a_config_and_an_event():
    from lerobot.rollout import context
    from lerobot.rollout.strategies import core

    wanted = list(inspect.signature(context.build_rollout_context).parameters)
    processors = [f"{which}_processor" for which in ("teleop_action", "robot_action", "robot_observation")]
    assert wanted == ["cfg", "shutdown_event", *processors]
    assert [*context.RolloutContext.__dataclass_fields__] == [
        "runtime",
        "hardware",
        "policy",
        "processors",
        "data",
    ]
    parts = ["policy", "preprocessor", "postprocessor", "inference"]
    assert [*context.PolicyContext.__dataclass_fields__] == parts
    wanted = list(inspect.signature(core.send_next_action).parameters)
    assert wanted == ["obs_processed", "obs_raw", "ctx", "interpolator"]


def test_strategies_are_a_closed_list():
    from lerobot.rollout.strategies.factory import create_strategy

    with pytest.raises(ValueError, match=r"^Unknown strategy type 'own'"):
        create_strategy(SimpleNamespace(type="own"))
