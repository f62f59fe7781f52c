"""A camera gives red for blue and blue for red."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, live

from regrasp import faults
from regrasp.checks.exchanged_colours import exchanged_colours

KNOWN = contract()


@pytest.mark.parametrize("seed", range(5))
def test_right_colours_are_fine(seed):
    assert not list(exchanged_colours(KNOWN, live(seed=seed)))


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_the_camera_is_named(camera):
    (finding,) = exchanged_colours(KNOWN, faults.exchanged_colours(live(), camera=camera))
    assert finding.where.camera == camera


@pytest.mark.parametrize("warmth", [0.5, 2.0])
def test_a_warm_or_cold_lamp_is_no_exchange(warmth):
    view = live()
    lit = {
        name: np.clip(picture * [warmth**0.5, 1, warmth**-0.5], 0, 255).astype(np.uint8)
        for name, picture in view.images.items()
    }
    assert not list(exchanged_colours(KNOWN, replace(view, images=lit)))


def test_a_scene_without_colours_says_nothing():
    view = live()
    grey = {
        name: picture.mean(axis=-1, keepdims=True).repeat(3, axis=-1).astype(np.uint8)
        for name, picture in view.images.items()
    }
    assert not list(exchanged_colours(KNOWN, faults.exchanged_colours(replace(view, images=grey))))
