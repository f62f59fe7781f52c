"""A camera's pictures have another size than in training."""

import pytest
from deployments import contract, live

from regrasp import faults
from regrasp.checks.changed_resolution import changed_resolution
from regrasp.diagnosis import Severity, Undecided

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
