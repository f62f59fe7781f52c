"""The statistics give a camera's pictures hardly any contrast, although its pictures have it."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.overflowed_image_statistics import overflowed_image_statistics
from regrasp.data import read_dataset
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.repair import RecomputeStatistics

FRONT = "observation.images.front"


def with_pictures(dataset, pixels, quantiles=True):
    """Statistics of the front camera as of these pixels, 0-1."""
    named = {"min": pixels.min(), "max": pixels.max(), "mean": pixels.mean(), "std": pixels.std()}
    shares = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
    named |= {name: np.quantile(pixels, share) for name, share in shares.items()} if quantiles else {}
    stats = {name: np.full((3, 1, 1), value) for name, value in named.items()}
    return replace(dataset, stats={**dataset.stats, FRONT: stats})


def squeezed(dataset, std):
    stats = {**dataset.stats[FRONT], "std": np.full((3, 1, 1), std)}
    return replace(dataset, stats={**dataset.stats, FRONT: stats})


@pytest.mark.parametrize("camera", ["front", "wrist"])
@pytest.mark.parametrize("std", [0.0, 0.035])
def test_the_camera_is_named_and_its_deviation(dataset, camera, std):
    broken = faults.overflowed_image_statistics(dataset, camera=camera, std=std)
    (finding,) = overflowed_image_statistics(broken)
    assert (finding.severity, finding.where.camera) == (Severity.INFO, camera)
    assert finding.evidence[0].value == std
    assert finding.fix.repair == RecomputeStatistics(pictures=True)


@pytest.mark.parametrize("quantiles", [True, False])
def test_dark_even_and_spotted_pictures_have_little_contrast_and_are_fine(dataset, quantiles):
    rng = np.random.default_rng(0)
    dark = np.clip(rng.normal(0.02, 0.005, 100_000), 0, 1)
    lamp = np.where(np.arange(100_000) < 50, 1.0, dark)
    even = np.clip(rng.normal(0.5, 0.01, 100_000), 0, 1)
    for pixels in (dark, lamp, even, np.zeros(100), np.ones(100)):
        assert not list(overflowed_image_statistics(with_pictures(dataset, pixels, quantiles)))


def test_without_quantiles_the_range_tells(dataset):
    pixels = np.linspace(0, 1, 1000)
    sound = with_pictures(dataset, pixels, quantiles=False)
    assert not list(overflowed_image_statistics(sound))
    assert list(overflowed_image_statistics(squeezed(sound, 0.02)))


def test_deviation_of_exactly_the_limit_is_fine(dataset):
    (finding,) = overflowed_image_statistics(squeezed(dataset, 0.0))
    limit = finding.evidence[0].limit
    assert not list(overflowed_image_statistics(squeezed(dataset, limit * 1.0001)))
    assert list(overflowed_image_statistics(squeezed(dataset, limit * 0.9)))


def test_cameras_without_statistics_are_undecided_and_no_cameras_are_clean(dataset):
    with pytest.raises(Undecided, match="no statistics of pictures"):
        list(overflowed_image_statistics(replace(dataset, stats={})))
    assert not list(overflowed_image_statistics(replace(dataset, camera_names=(), stats={})))


@pytest.mark.parametrize(
    ("name", "cameras"),
    [
        ("record-test", {"front", "top"}),
        ("chethantu_pick_place", {"cam_onboard"}),
        ("saintyuqi_test_data", {"front"}),
    ],
)
def test_recordings_made_before_0_6_0_are_found(real_data, name, cameras):
    findings = overflowed_image_statistics(read_dataset(real_data / name, video=False))
    assert {f.where.camera for f in findings} == cameras
