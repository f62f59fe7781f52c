"""The station lacks a camera that the policy was trained with."""

from dataclasses import replace

import pytest
from deployments import contract, live, rollouts

from regrasp import faults
from regrasp.checks.missing_camera import missing_camera, missing_camera_deployed
from regrasp.diagnosis import Severity

KNOWN = contract()


def test_all_cameras_are_fine():
    assert not list(missing_camera(KNOWN, live()))


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_the_one_that_is_missing_is_named(camera):
    (finding,) = missing_camera(KNOWN, faults.missing_camera(live(), camera=camera))
    assert finding.summary == f"The station has no camera '{camera}', which the policy was trained with."
    assert (finding.severity, finding.where.camera) == (Severity.ERROR, camera)


def test_one_under_another_name_is_offered():
    view = live()
    images = {"front": view.images["front"], "hand": view.images["wrist"]}
    (finding,) = missing_camera(KNOWN, replace(view, images=images))
    assert finding.fix.summary == "Plug camera 'wrist' in, or name camera 'hand' so in the station file."


def test_one_too_many_is_worth_knowing():
    view = live()
    (finding,) = missing_camera(KNOWN, replace(view, images={**view.images, "top": view.images["front"]}))
    assert finding.severity is Severity.INFO


def test_a_blind_policy_misses_nothing():
    blind = KNOWN.model_copy(update={"cameras": [], "blind": True})
    assert not list(missing_camera(blind, live()))


def test_rollouts_without_it_are_named():
    deployed = faults.missing_camera(rollouts(6), camera="front", episodes=(1, 4))
    (finding,) = missing_camera_deployed(KNOWN, deployed)
    assert str(finding.where) == "episodes 1 and 4, camera 'front'"
    assert finding.summary == "2 of 6 rollouts lack camera 'front', which the policy was trained with."


def test_rollouts_with_all_cameras_are_fine():
    assert not list(missing_camera_deployed(KNOWN, rollouts(6)))
