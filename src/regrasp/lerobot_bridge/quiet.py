"""LeRobot's chatter, kept away from what Regrasp prints."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Generator

import av.logging

MOST_THREADS = 4
"""Threads that train. Measured on two idle cores with the keypoint policy: two threads take 0.6 of the time of one."""

_THREADS_GIVEN = "OMP_NUM_THREADS" in os.environ
"""Whether the user (or `accelerate launch`) has said how many; read before `prepare_environment` says so itself."""


def prepare_environment() -> None:
    """Set what must be set before torch and lerobot are imported.

    One thread per process keeps worker processes out of each other's way (training takes `training_threads`);
    a value that the user has set stays.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("SVT_LOG", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    av.logging.set_libav_level(av.logging.FATAL)
    # Where torchcodec cannot be loaded, LeRobot says so in fifty lines and takes PyAV, which is what we ask for.
    logging.getLogger("lerobot.utils.import_utils").setLevel(logging.ERROR)
    # Its encoder's errors come back as exceptions too, and are told in our words.
    logging.getLogger("lerobot.datasets.video_utils").setLevel(logging.CRITICAL)


def training_threads() -> int | None:
    """How many threads a training takes; None where somebody else has said how many.

    Where other work runs, threads that wait for each other cost most of a step: OMP_NUM_THREADS=1 is for that.
    """
    return None if _THREADS_GIVEN else min(os.cpu_count() or 1, MOST_THREADS)


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Within it, prints, warnings and log lines below an error are dropped."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
