"""LeRobot's training, run within ours: its steps, samples and checkpoints handed to a keeper, its errors in our words."""

import contextlib
import io
import logging
import sys
import urllib.error
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any
from unittest import mock

import draccus.utils
import httpx
import torch
from lerobot.scripts import lerobot_train
from lerobot.utils.import_utils import register_third_party_plugins

from regrasp.errors import MissingExtra, RegraspError, UsageError, first_line
from regrasp.lerobot_bridge.keeping import Keeper
from regrasp.lerobot_bridge.quiet import training_threads
from regrasp.lerobot_bridge.resuming import exact_resuming, whole_checkpoints


def run_lerobot(arguments: Sequence[str], keeper: Keeper) -> None:
    """LeRobot's training, with its frames decoded once where they fit, and what `keeper` notes."""
    register_third_party_plugins()
    if threads := training_threads():
        torch.set_num_threads(threads)
    make_datasets: Any = lerobot_train.make_train_eval_datasets
    run: Any = lerobot_train.train  # its decorator fills in the configuration from the command line
    printed = io.StringIO()
    try:
        with (
            mock.patch.object(
                lerobot_train, "make_train_eval_datasets", partial(keeper.make_datasets, make_datasets)
            ),
            mock.patch.object(lerobot_train, "tqdm", partial(_Bar, keeper.progress.on_step, keeper.taken)),
            exact_resuming(keeper.make_sampler),
            whole_checkpoints(keeper.on_saved),
            mock.patch.object(sys, "argv", ["lerobot-train", *arguments]),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            _root_logging_restored(),
        ):
            run()
    except SystemExit as error:
        raise UsageError(_refusal(printed.getvalue())) from error
    except (draccus.utils.DecodingError, draccus.utils.ParsingError, ValueError) as error:
        if keeper.began:
            raise RegraspError(_stopped(error)) from error
        raise UsageError(f"LeRobot refuses to train: {first_line(error)}.") from error
    except urllib.error.URLError as error:
        raise UsageError(
            "LeRobot wants to download ImageNet weights and there is no network; give "
            "`-- --policy.pretrained_backbone_weights=null` to train the vision backbone from scratch."
        ) from error
    except RegraspError:
        raise
    except ImportError as error:
        raise MissingExtra(f"LeRobot needs a library for this training: {first_line(error)}.") from error
    except (RuntimeError, OSError, httpx.HTTPError) as error:  # the last where the Hub cannot be reached
        raise RegraspError(_stopped(error)) from error


def _stopped(error: Exception) -> str:
    return f"Training stopped: {first_line(error)}. Checkpoints that were written are kept."


class _Bar:
    """Takes the place of LeRobot's progress bar and hands its steps on."""

    def __init__(self, on_step: Callable[[int, int], None], taken: int, *, total: int, **_: Any) -> None:
        self._on_step, self._total, self._done = on_step, taken + total, taken

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
