"""A camera gives red for blue and blue for red."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, live, rollouts

from regrasp import faults
from regrasp.checks.exchanged_colours import exchanged_colours, exchanged_colours_deployed

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


def test_rollouts_and_camera_are_named():
    (finding,) = exchanged_colours_deployed(KNOWN, faults.exchanged_colours(rollouts(6), episodes=(1, 4)))
    assert str(finding.where) == "episodes 1 and 4, camera 'front'"
    assert finding.summary == (
        "Camera 'front' showed blue what was red in training, and red what was blue, in 2 of 6 rollouts."
    )


def test_rollouts_in_right_colours_or_in_less_light_are_fine():
    assert not list(exchanged_colours_deployed(KNOWN, rollouts(6)))
    lit = faults.changed_light(rollouts(6).dataset, episodes=range(6), warmth=2.0)
    assert not list(exchanged_colours_deployed(KNOWN, replace(rollouts(6), dataset=lit)))


def test_rollouts_are_named_below_the_limit_alone():
    deployed = faults.exchanged_colours(rollouts(6))
    (finding,) = exchanged_colours_deployed(KNOWN, deployed)
    least = finding.evidence[0].value
    for limit, named in ((-least - 1e-6, 6), (-least, 5)):
        (again,) = exchanged_colours_deployed(KNOWN, deployed, min_contrary=limit)
        assert len(again.where.episodes) == named
