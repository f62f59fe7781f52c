"""A camera's pictures have another size than in training."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import NumpyPolicy, contract, live, rollouts, training

from regrasp import faults
from regrasp.checks.changed_resolution import changed_resolution, changed_resolution_deployed
from regrasp.data.episode import Camera
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import judge

KNOWN = contract()


def test_the_size_of_the_training_is_fine():
    assert not list(changed_resolution(KNOWN, live()))


def test_another_shape_is_an_error_with_both_sizes():
    (finding,) = changed_resolution(KNOWN, faults.changed_resolution(live(), camera="wrist"))
    assert finding.summary == (
        "Camera 'wrist' gives pictures of 32 x 18 pixels; in training they had 32 x 24."
    )
    assert finding.severity is Severity.ERROR
    assert finding.fix.summary == "Set `width: 32` and `height: 24` of camera 'wrist' in the station file."


def test_another_size_of_the_same_shape_is_a_warning():
    (finding,) = changed_resolution(KNOWN, faults.changed_resolution(live(), height=2, width=2))
    assert finding.severity is Severity.WARNING


def test_a_contract_without_sizes_leaves_it_undecided():
    cameras = [camera.model_copy(update={"height": 0, "width": 0}) for camera in KNOWN.cameras]
    with pytest.raises(Undecided, match="does not say how large"):
        list(changed_resolution(KNOWN.model_copy(update={"cameras": cameras}), live()))


def test_rollouts_of_another_size_are_told_and_can_be_probed():
    run = rollouts(6, successes=0)
    larger = run.dataset.map_episodes(
        lambda e: replace(e, cameras={name: doubled(camera) for name, camera in e.cameras.items()})
    )
    found = judge(
        KNOWN, training(), replace(run, dataset=faults.moved_camera(larger)), NumpyPolicy(), Address()
    )
    names = {cause.name for cause in found.causes}
    assert "changed-resolution" in names
    assert not list(changed_resolution_deployed(KNOWN, run))


def doubled(camera):
    frames = camera.frames(range(camera.length))
    return Camera.from_array(camera.name, np.kron(frames, np.ones((1, 2, 2, 1), np.uint8)), camera.fps)
