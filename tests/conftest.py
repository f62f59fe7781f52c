"""What tests share: sound demonstrations, and where real recordings lie if they are here."""

import os
from pathlib import Path

import pytest
from sound_dataset import sound_dataset


@pytest.fixture(scope="session", autouse=True)
def _frames_of_tests_only(tmp_path_factory):
    """Trainings of tests keep decoded frames beside their other files, not in the user's cache."""
    os.environ["REGRASP_FRAME_CACHE"] = str(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="session")
def dataset():
    """Six sound episodes with two cameras, in memory. Nothing changes it: faults work on copies."""
    return sound_dataset()


@pytest.fixture(scope="session")
def real_data():
    """The folder of recordings made on real arms by other people; skips where there is none."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("REGRASP_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real recordings here; set REGRASP_REAL_DATA to try them")
    return folder
