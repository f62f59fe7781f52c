"""LeRobot's own commands, run in this process, offline, into temporary folders."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from lerobot_commands import EXPERT, QUIET, ROBOT, TINY_ACT, run_command

HOME = tempfile.TemporaryDirectory(prefix="lerobot-home-")  # removed when this process ends
os.environ["HF_LEROBOT_HOME"] = HOME.name  # read when lerobot is imported
os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lerobot_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., None]]:
    """Runs one of LeRobot's commands in a folder of its own, so that nothing lands in the repository."""
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("cwd"))
    yield run_command
    os.chdir(here)


@pytest.fixture(scope="session")
def recorded(lerobot_run: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes that `lerobot-record` made of the expert on the twin."""
    from lerobot.scripts.lerobot_record import main

    root = tmp_path_factory.mktemp("recorded") / "demonstrations"
    lerobot_run(
        main,
        *ROBOT,
        *EXPERT,
        *QUIET,
        "--dataset.repo_id=someone/demonstrations",
        f"--dataset.root={root}",
        "--dataset.single_task=Grab the brain",
        "--dataset.num_episodes=2",
        "--dataset.episode_time_s=1.5",
        "--dataset.reset_time_s=0.3",
    )
    return root


@pytest.fixture(scope="session")
def trained(
    lerobot_run: Callable[..., None], recorded: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The checkpoint of a tiny ACT after two steps of `lerobot-train`."""
    from lerobot.scripts.lerobot_train import main

    out = tmp_path_factory.mktemp("trained") / "run"
    lerobot_run(
        main,
        *TINY_ACT,
        "--dataset.repo_id=someone/demonstrations",
        f"--dataset.root={recorded}",
        f"--output_dir={out}",
        "--steps=2",
        "--batch_size=2",
        "--num_workers=0",
        "--save_freq=2",
        "--log_freq=1",
        "--wandb.enable=false",
    )
    return out / "checkpoints" / "last" / "pretrained_model"
