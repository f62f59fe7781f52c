"""Trains a LeRobot policy with LeRobot's own training, and writes the contract beside each checkpoint."""

import contextlib
import io
import logging
import os
import re
import sys
import urllib.error
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import draccus.utils
import torch
from lerobot.scripts import lerobot_train
from lerobot.utils.import_utils import register_third_party_plugins

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import Contract, measure_contract, write_contract
from regrasp.data.dataset import Dataset, read_dataset
from regrasp.errors import RegraspError, UsageError
from regrasp.lerobot_bridge.cached_dataset import CachedDataset, can_be_cached

DEFAULT_BATCH = {"keypoint": 64}
"""Samples per step, as in the runs of docs/results.md; LeRobot's own default of 8 for every other policy."""

DEFAULT_EPOCHS = {"keypoint": 8.0}
"""Passes over the data. LeRobot's hardware guide: imitation learning converges in 5 to 10 epochs."""

MOST_THREADS = 4
"""Threads that train. Measured on two idle cores with the keypoint policy: two threads take 0.6 of the time of one."""

_LOG_LINE = re.compile(r"step:(?P<step>\S+).*?loss:(?P<loss>[-\d.naif]+)")


@dataclass
class Progress:
    """What training tells while it runs; each is called with (done, of all).

    Attributes:
        on_decode: Episodes whose video has been decoded into memory.
        on_step: Steps taken.
    """

    on_decode: Callable[[int, int], None] = lambda _done, _all: None
    on_step: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True)
class Trained:
    """What came of a training run.

    Attributes:
        checkpoint: Folder `pretrained_model` of the last checkpoint.
        contract: The contract written beside it.
        steps: Steps taken.
        epochs: Passes over the data: steps x batch / frames.
        losses: (step, training loss) as LeRobot logged them.
    """

    checkpoint: Path
    contract: Contract
    steps: int
    epochs: float
    losses: tuple[tuple[int, float], ...]


class _Losses(logging.Handler):
    """Collects the losses from LeRobot's log lines; they are kept nowhere else."""

    def __init__(self, log_freq: int) -> None:
        super().__init__(logging.INFO)
        self.log_freq = log_freq
        self.found: list[tuple[int, float]] = []

    def emit(self, record: logging.LogRecord) -> None:
        matched = _LOG_LINE.search(record.getMessage())
        if matched:
            step = (len(self.found) + 1) * self.log_freq  # LeRobot shortens large step numbers: 12K
            self.found.append((step, float(matched["loss"])))


def train(
    dataset: str | Path,
    out: str | Path,
    *,
    policy: str = "keypoint",
    steps: int | None = None,
    epochs: float | None = None,
    batch: int | None = None,
    seed: int = 1000,
    options: Sequence[str] = (),
    progress: Progress | None = None,
) -> Trained:
    """Train `policy` on `dataset` into the new folder `out`.

    Args:
        dataset: Folder of a LeRobot v3.0 dataset.
        out: New folder; gets `checkpoints/STEP/pretrained_model` as from `lerobot-train`.
        policy: LeRobot's name of the policy type.
        steps: Steps to take; or give `epochs`.
        epochs: Passes over the data.
        batch: Samples per step.
        seed: Of initialisation and shuffling.
        options: Any further options of `lerobot-train`, as `--name=value`; they win over those set here.
        progress: Is told of decoding and of each step.

    Raises:
        DatasetError: The dataset cannot be read.
        UsageError: `out` exists, or LeRobot refuses an option.
    """
    out = Path(out).resolve()
    _require_new(out)
    data = read_dataset(dataset)
    batch = batch or DEFAULT_BATCH.get(policy, 8)
    per_epoch = data.frames / batch
    steps = steps or max(1, round((epochs or DEFAULT_EPOCHS.get(policy, 8.0)) * per_epoch))
    arguments = _arguments(data, out, policy=policy, steps=steps, batch=batch, seed=seed, options=options)
    steps, batch = _number(arguments, "steps"), _number(arguments, "batch_size")
    losses = _Losses(_number(arguments, "log_freq"))
    _run(arguments, losses, progress or Progress())
    contract = _write_contracts(out, data)
    last = out / "checkpoints" / "last" / "pretrained_model"
    return Trained(last, contract, steps, steps * batch / data.frames, tuple(losses.found))


def _require_new(out: Path) -> None:
    """Raise UsageError when the folder of a run exists."""
    if not out.exists():
        return
    if (out / "checkpoints").exists() and not list(out.glob("checkpoints/*/pretrained_model/regrasp.json")):
        raise UsageError(
            f"{out} holds a training run that was not finished; expected a new folder. Delete it and train again, or "
            "choose another --out."
        )
    raise UsageError(f"{out} exists already; expected a new folder. Choose another --out or delete it first.")


def _arguments(
    data: Dataset, out: Path, *, policy: str, steps: int, batch: int, seed: int, options: Sequence[str]
) -> list[str]:
    """Options for `lerobot-train`: ours, except where `options` names the same."""
    given = {option.split("=", 1)[0] for option in options}
    ours = {
        "--dataset.repo_id": data.repo_id or f"local/{Path(data.path).name}",
        "--dataset.root": str(Path(data.path).resolve()),
        "--dataset.video_backend": "pyav",
        "--policy.type": policy,
        "--policy.push_to_hub": "false",
        "--policy.device": "cuda" if torch.cuda.is_available() else "cpu",
        "--output_dir": str(out),
        "--job_name": f"{policy}-{Path(data.path).name}",
        "--steps": str(steps),
        "--batch_size": str(batch),
        "--seed": str(seed),
        "--num_workers": "0",
        "--log_freq": str(max(1, min(50, steps // 20))),
        "--save_freq": str(steps),
        "--env_eval_freq": "0",
        "--wandb.enable": "false",
    }
    if "--policy.path" in given:
        del ours["--policy.type"]
    return [f"{name}={value}" for name, value in ours.items() if name not in given] + list(options)


def _number(arguments: Sequence[str], name: str) -> int:
    """The value of `--name=value` as an integer."""
    value = next(one.split("=", 1)[1] for one in reversed(arguments) if one.startswith(f"--{name}="))
    try:
        return int(value)
    except ValueError as error:
        raise UsageError(f"--{name} is {value!r}; expected a whole number.") from error


def _run(arguments: Sequence[str], losses: _Losses, progress: Progress) -> None:
    """LeRobot's training, with its dataset served from memory where it fits."""
    register_third_party_plugins()
    torch.set_num_threads(min(os.cpu_count() or 1, MOST_THREADS))
    make_datasets: Any = lerobot_train.make_train_eval_datasets
    run: Any = lerobot_train.train  # its decorator fills in the configuration from the command line

    def make_cached(config: Any) -> tuple[Any, Any]:
        logging.getLogger().addHandler(losses)
        training, held_out = make_datasets(config)
        # Worker processes would each take a copy of the frames; with them, LeRobot's own loading is kept.
        if config.num_workers == 0 and not config.dataset.streaming and can_be_cached(training):
            training = CachedDataset(training, on_decode=progress.on_decode)
        return training, held_out

    printed = io.StringIO()
    try:
        with (
            mock.patch.object(lerobot_train, "make_train_eval_datasets", make_cached),
            mock.patch.object(lerobot_train, "tqdm", partial(_Bar, progress.on_step)),
            mock.patch.object(sys, "argv", ["lerobot-train", *arguments]),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            _root_logging_restored(),
        ):
            run()
    except SystemExit as error:
        raise UsageError(_refusal(printed.getvalue())) from error
    except (draccus.utils.DecodingError, draccus.utils.ParsingError, ValueError) as error:
        raise UsageError(f"LeRobot refuses to train: {_first_line(error)}.") from error
    except urllib.error.URLError as error:
        raise UsageError(
            "LeRobot wants to download ImageNet weights and there is no network; give "
            "`-- --policy.pretrained_backbone_weights=null` to train the vision backbone from scratch."
        ) from error
    except RuntimeError as error:
        raise RegraspError(
            f"Training stopped: {_first_line(error)}. Checkpoints that were written are kept."
        ) from error


class _Bar:
    """Takes the place of LeRobot's progress bar and hands its steps on."""

    def __init__(self, on_step: Callable[[int, int], None], *, total: int, **_: Any) -> None:
        self._on_step, self._total, self._done = on_step, total, 0

    def update(self, steps: int) -> None:
        """`steps` more have been taken."""
        self._done += steps
        self._on_step(self._done, self._total)

    def close(self) -> None:
        """Nothing to close."""


@contextlib.contextmanager
def _root_logging_restored() -> Generator[None]:
    """LeRobot replaces the root logger's handlers; they are put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _refusal(printed: str) -> str:
    """LeRobot's last words before it gave up on its options."""
    lines = [line for line in printed.splitlines() if "error" in line.lower()] or [
        "it stopped without a word"
    ]
    return f"LeRobot refuses these options: {lines[-1].strip()}."


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _write_contracts(out: Path, data: Dataset) -> Contract:
    """Write `regrasp.json` beside every checkpoint; gives that of the last."""
    folders = sorted((out / "checkpoints").glob("[0-9]*/pretrained_model"))
    contracts = []
    for folder in folders:
        contract = measure_contract(data, read_checkpoint(folder))
        write_contract(folder, contract)
        contracts.append(contract)
    return contracts[-1]
