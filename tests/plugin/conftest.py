"""LeRobot's own commands, run in this process, offline, into temporary folders."""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
os.environ["HF_LEROBOT_HOME"] = tempfile.mkdtemp(prefix="lerobot-home-")  # read when lerobot is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))  # for tiny_smolvla

import pytest
import torch

torch.set_num_threads(1)

ROBOT = ("--robot.type=so101_twin", "--robot.seed=7")
EXPERT = ("--teleop.type=so101_twin_expert",)
QUIET = ("--dataset.push_to_hub=false", "--dataset.no_stamp=true", "--play_sounds=false")
TINY_ACT = (
    "--policy.type=act",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.pretrained_backbone_weights=null",
    "--policy.dim_model=32",
    "--policy.dim_feedforward=32",
    "--policy.n_heads=2",
    "--policy.n_encoder_layers=1",
    "--policy.n_vae_encoder_layers=1",
    "--policy.chunk_size=5",
    "--policy.n_action_steps=5",
)


def run_command(main: Callable[[], None], *options: str) -> None:
    """Run one of LeRobot's commands as the shell would, and leave this process as it was."""
    root = logging.getLogger()
    before = (
        sys.argv,
        root.level,
        root.handlers[:],
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM),
    )
    sys.argv = [main.__module__, *options]
    try:
        main()
    finally:
        sys.argv, level, root.handlers[:], interrupt, terminate = before
        root.setLevel(level)
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, terminate)


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
        "--dataset.episode_time_s=1.2",
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
