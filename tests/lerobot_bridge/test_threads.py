"""How many threads a training takes, asked in processes of their own: the environment is read as they begin."""

import os
import subprocess
import sys

import pytest

from regrasp.lerobot_bridge.quiet import MOST_THREADS

ASK = """
from regrasp.lerobot_bridge.quiet import prepare_environment, training_threads
prepare_environment()
import os
print(training_threads(), os.environ["OMP_NUM_THREADS"])
"""


def asked(**environment):
    known = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.run(
        [sys.executable, "-c", ASK], env=known | environment, check=True, capture_output=True, text=True
    ).stdout.split()


def test_a_training_takes_the_cores_where_nobody_has_said_how_many():
    """Everything else takes one, which `prepare_environment` says and a training must not take for the user's word."""
    assert asked() == [str(min(os.cpu_count(), MOST_THREADS)), "1"]


@pytest.mark.parametrize("threads", ["1", "3"])
def test_what_the_user_has_set_stays(threads):
    assert asked(OMP_NUM_THREADS=threads) == ["None", threads]
