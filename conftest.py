"""How many processes share the tests: all cores for a folder or the whole suite, none beside this for single files."""

import os
from pathlib import Path

import pytest

MOST = 8
"""Each takes up to 1.5 GB, and the longest test file bounds what more of them would save."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes of `-n auto`; 0 runs the tests in this one, without the seconds that starting others takes."""
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    if named and not any(Path(one).is_dir() for one in named):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1:
        return 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of each, which inherits it
    return min(cores, MOST)
