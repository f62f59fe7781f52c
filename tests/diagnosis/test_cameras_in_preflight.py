"""What cameras show before a rollout, against the training: dark, flipped, moved, lit otherwise."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deployments import checkpoint
from sound_dataset import sound_dataset

from regrasp.checks.changed_light import changed_light_live
from regrasp.checks.dark_camera import dark_camera_live
from regrasp.checks.flipped_camera import flipped_camera_live
from regrasp.checks.moved_camera import moved_camera_live
from regrasp.data.contract import CameraContract
from regrasp.data.contract_measuring import measure_contract
from regrasp.diagnosis import Severity, Undecided
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.runner import run_checks
from regrasp.faults.flipped_camera import TURNS
from regrasp.faults.moved_camera import moved

CAMERAS = ("changed-light", "dark-camera", "flipped-camera", "moved-camera", "swapped-cameras")


@pytest.fixture(scope="module")
def known():
    return measure_contract(sound_dataset(0, 12, seconds=1.0), checkpoint())


@pytest.fixture(scope="module")
def view():
    episode = sound_dataset(0, 13, seconds=1.0).episodes[12]
    images = {name: camera.frames([0])[0] for name, camera in episode.cameras.items()}
    return LiveView("Grab the brain", episode.states[0], images, 30.0)


def showing(view, camera, change):
    return replace(view, images={**view.images, camera: change(view.images[camera])})


def judged(known, view):
    return {
        (f.check, f.where.camera)
        for f in run_checks({"contract": known, "live": view}, only=CAMERAS).findings
    }


def test_a_sound_station_is_clean(known, view):
    assert judged(known, view) == set()


@pytest.mark.parametrize("seed", range(20))
def test_light_noise_and_a_nudge_are_natural(known, view, seed):
    rng = np.random.default_rng(seed)

    def jitter(picture):
        nudged = moved(picture, *rng.uniform(-0.02, 0.02, 2), rng.uniform(-1, 1), rng.uniform(0.99, 1.01))
        lit = nudged * rng.uniform(0.82, 1.2) + rng.normal(0, 3, picture.shape)
        return np.clip(lit, 0, 255).astype(np.uint8)

    assert judged(known, showing(showing(view, "front", jitter), "wrist", jitter)) == set()


@pytest.mark.parametrize("camera", ["front", "wrist"])
@pytest.mark.parametrize("turn", TURNS)
def test_a_flipped_camera_is_named_and_nothing_else(known, view, camera, turn):
    assert judged(known, showing(view, camera, TURNS[turn])) == {("flipped-camera", camera)}


@pytest.mark.parametrize(
    ("move", "words"),
    [
        ((0.1, 0, 0, 1), "10 % right"),
        ((0, -0.07, 0, 1), "7 % up"),
        ((0, 0, 10, 1), "turned 10 degrees clockwise"),
    ],
)
def test_a_moved_camera_is_named_with_the_way_its_view_went(known, view, move, words):
    (finding,) = moved_camera_live(known, showing(view, "front", lambda picture: moved(picture, *move)))
    assert finding.severity is Severity.ERROR
    assert words in finding.summary


@pytest.mark.parametrize(("level", "word"), [(3, "black"), (254, "white")])
def test_a_camera_that_shows_nothing_is_named_and_nothing_else(known, view, level, word):
    dark = showing(view, "wrist", lambda picture: np.full_like(picture, level))
    assert judged(known, dark) == {("dark-camera", "wrist")}
    (finding,) = dark_camera_live(known, dark)
    assert finding.summary == f"Camera 'wrist' shows nothing but {word}."


@pytest.mark.parametrize(("factor", "severity"), [(0.7, Severity.INFO), (0.4, Severity.WARNING)])
def test_other_light_is_told_and_does_not_stop_the_arm(known, view, factor, severity):
    dim = showing(view, "front", lambda picture: (picture * factor).astype(np.uint8))
    (finding,) = changed_light_live(known, dim)
    assert finding.severity is severity


def test_a_contract_that_knows_no_pictures_leaves_it_undecided(known, view):
    cameras = [CameraContract(name=c.name, key=c.key, height=48, width=64) for c in known.cameras]
    blank = known.model_copy(update={"cameras": cameras})
    for check in (moved_camera_live, flipped_camera_live, changed_light_live):
        with pytest.raises(Undecided, match="needs a contract with"):
            list(check(blank, view))


def test_a_contract_of_before_thumbnails_is_read_and_leaves_moves_undecided(known, view):
    old = json.loads(known.model_dump_json())
    for camera in old["cameras"]:
        del camera["thumbnail"], camera["examples"]
    before = type(known).model_validate(old)
    with pytest.raises(Undecided, match="thumbnails"):
        list(moved_camera_live(before, view))
    assert not list(flipped_camera_live(before, view))


@pytest.mark.parametrize("text", ["", "no base 64!", "eJw=", "eJxLTEoGAAJNASc="])
def test_a_thumbnail_that_is_none_is_no_thumbnail(text):
    assert CameraContract(name="a", key="a", height=1, width=1, thumbnail=text).greys == []


def test_fingerprints_cost_less_than_50_kb(known):
    assert sum(len(camera.model_dump_json(indent=1)) for camera in known.cameras) < 50_000
