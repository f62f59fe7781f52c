"""A camera shows nothing: black, white, or one even colour."""

import numpy as np
import pytest
from deployments import contract, rollouts
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.dark_camera import dark_camera, dark_camera_deployed
from regrasp.diagnosis import sights
from regrasp.diagnosis.emptiness import EMPTY_GREY_LEVELS, empty
from regrasp.diagnosis.repair import DropEpisodes
from regrasp.diagnosis.runner import run_checks
from regrasp.faults.pictures import change_pictures


@pytest.mark.parametrize(("level", "word"), [(2, "black"), (253, "white"), (120, "one even grey")])
def test_episodes_that_show_nothing_are_named_together_with_the_colour(dataset, level, word):
    (finding,) = dark_camera(faults.dark_camera(dataset, camera="wrist", episodes=(1, 4), level=level))
    assert str(finding.where) == "episodes 1 and 4, camera 'wrist'"
    assert finding.summary == f"Camera 'wrist' shows nothing but {word} all through 2 episodes."
    assert finding.fix.repair == DropEpisodes((1, 4))


def test_a_dark_stretch_is_reported_with_its_frames(dataset):
    (finding,) = dark_camera(faults.dark_camera(dataset, episodes=(2,), first=20, last=49))
    assert str(finding.where) == "episode 2, frames 20-49, camera 'front'"
    assert finding.evidence[0].value == pytest.approx(1.0)


def test_stretch_of_exactly_the_limit_is_fine(dataset):
    broken = faults.dark_camera(dataset, first=20, last=49)
    assert not list(dark_camera(broken, max_empty_s=1.0))
    assert list(dark_camera(broken, max_empty_s=0.99))


def test_a_dim_scene_with_structure_is_fine(dataset):
    assert not list(dark_camera(faults.dark_camera(dataset, level=8, remains=0.08)))


def test_a_spread_of_exactly_the_limit_is_empty():
    cells = np.linspace(0, EMPTY_GREY_LEVELS / 0.9, 192).reshape(1, 12, 16)
    assert empty(cells * 0.999).all()
    assert not empty(cells * 1.001).any()


def test_a_covered_lens_is_not_called_frozen_as_well(dataset):
    result = run_checks({"dataset": faults.dark_camera(dataset, noise=0.0)})
    assert [finding.check for finding in result.findings] == ["dark-camera"]


def test_burnt_out_but_for_a_corner_is_seen(dataset):
    def flood(picture, _):
        flooded = np.full_like(picture, 255)
        flooded[:8, :8] = picture[:8, :8]
        return flooded

    (finding,) = dark_camera(change_pictures(dataset, "front", flood, (3,)))
    assert finding.where.episodes == (3,)
    assert "white" in finding.summary


def test_sampling_finds_it_too(monkeypatch):
    monkeypatch.setattr(sights, "BUDGET_S", 0.001)
    broken = faults.dark_camera(sound_dataset(3, 3), episodes=(1,), first=40)
    (finding,) = dark_camera(broken)
    assert finding.where.episodes == (1,)
    assert finding.where.frames[0] == pytest.approx(40, abs=25)


def test_rollouts_with_a_covered_lens_are_named():
    deployed = faults.dark_camera(rollouts(6), camera="wrist", episodes=(1, 4))
    (finding,) = dark_camera_deployed(contract(), deployed)
    assert str(finding.where) == "episodes 1 and 4, camera 'wrist'"
    assert finding.summary == "Camera 'wrist' showed nothing but black in 2 of 6 rollouts."


def test_rollouts_in_a_tenth_of_the_light_still_show_something():
    assert not list(dark_camera_deployed(contract(), rollouts(6)))
    assert not list(dark_camera_deployed(contract(), faults.changed_light(rollouts(6), brightness=0.1)))
