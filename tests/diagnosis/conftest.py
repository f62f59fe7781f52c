"""What diagnoses of made-up deployments share."""

from unittest import mock

import pytest

from regrasp.data.alignment import align
from regrasp.diagnosis import moved_views


@pytest.fixture(scope="session", autouse=True)
def _laid_once():
    """Most faults leave first pictures as they were: each is laid upon the training's once, not for every fault."""
    known = {}

    def remembered(*planes, aspect):
        key = (aspect, *(plane.tobytes() for plane in planes))
        if key not in known:
            known[key] = align(*planes, aspect=aspect)
        return known[key]

    with mock.patch.object(moved_views, "align", remembered):
        yield
