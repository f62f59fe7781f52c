"""A camera on the arm was turned in its mount since the training."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deployments import checkpoint
from sound_dataset import sound_dataset

from regrasp.checks.flipped_camera import flipped_camera_live
from regrasp.checks.moved_camera import moved_camera_live
from regrasp.data.contract_measuring import measure_contract
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.preflight import LiveView
from regrasp.faults.flipped_camera import TURNS
from regrasp.faults.moved_camera import moved


@pytest.fixture(scope="module")
def known():
    return measure_contract(sound_dataset(0, 12, seconds=1.0), checkpoint())


@pytest.fixture(scope="module")
def without_jaws(known):
    """As a contract was written before jaws were kept."""
    old = json.loads(known.model_dump_json())
    for camera in old["cameras"]:
        del camera["jaws"]
    return type(known).model_validate(old)


@pytest.fixture(scope="module")
def view():
    episode = sound_dataset(0, 13, seconds=1.0).episodes[12]
    images = {name: camera.frames([0])[0] for name, camera in episode.cameras.items()}
    return LiveView("Grab the brain", episode.states[0], images, 30.0)


def wrist(view, change):
    return replace(view, images={**view.images, "wrist": change(view.images["wrist"])})


def test_only_the_camera_on_the_arm_has_jaws_kept(known):
    assert {camera.name for camera in known.cameras if camera.jaws} == {"wrist"}


@pytest.mark.parametrize("move", [(0.1, 0), (-0.1, 0), (0, -0.1), (0.07, 0.07)])
def test_a_turned_camera_is_named(known, view, move):
    (finding,) = moved_camera_live(known, wrist(view, lambda picture: moved(picture, *move, 0, 1)))
    assert finding.where.camera == "wrist"
    assert finding.evidence[0].value > finding.evidence[0].limit


def test_the_way_its_view_went_is_told(known, view):
    (finding,) = moved_camera_live(known, wrist(view, lambda picture: moved(picture, 0.1, 0, 0, 1)))
    assert finding.summary == (
        "Camera 'wrist' looks from elsewhere than in training: its view is 10 % right."
    )


def shown_by(known, view, front):
    return list(moved_camera_live(known, replace(view, images={**view.images, "front": front})))


@pytest.mark.parametrize("move", [(0.06, 0.03, 0, 1.0), (0.0, 0.04, 0, 1.06), (-0.07, 0.0, 3, 1.0)])
@pytest.mark.parametrize("share", [0.3, 0.45])
def test_a_place_that_has_changed_in_part_is_not_taken_for_a_moved_camera(known, view, move, share):
    front = view.images["front"]
    whole = moved(front, *move)
    part = np.where(np.arange(front.shape[1])[None, :, None] < share * front.shape[1], whole, front)
    (finding,) = shown_by(known, view, whole)
    assert "its view is" in finding.summary
    assert not any("its view is" in one.summary for one in shown_by(known, view, part))


@pytest.mark.parametrize("gains", [(2.2, 1.8, 1.3), (1.3, 1.8, 2.2), (0.3, 0.3, 0.3), (2.0, 2.0, 2.0)])
def test_other_light_is_no_move_where_much_of_the_picture_is_at_its_brightest_too(known, view, gains):
    lit = np.clip(view.images["front"] * np.array(gains), 0, 255).astype(np.uint8)
    assert not shown_by(known, view, lit)


def test_a_place_that_has_changed_in_part_is_said_to_have(known, view):
    front = view.images["front"]
    part = np.where(
        np.arange(front.shape[1])[None, :, None] < 0.45 * front.shape[1],
        moved(front, 0.06, 0.03, 0, 1),
        front,
    )
    (finding,) = shown_by(known, view, part)
    assert "what stands before it has changed" in finding.summary
    assert finding.evidence[0].value > finding.evidence[0].limit


def test_a_view_without_what_rides_along_is_named(known, view):
    def elsewhere(picture):
        return np.random.default_rng(0).integers(0, 255, picture.shape).astype(np.uint8)

    (finding,) = moved_camera_live(known, wrist(view, elsewhere))
    evidence = finding.evidence[0]
    assert evidence.name == "what rides along with it resembles the training's by"
    assert evidence.value < evidence.limit


def test_an_older_contract_compares_with_its_examples(without_jaws, view):
    assert not list(moved_camera_live(without_jaws, view))
    assert not list(flipped_camera_live(without_jaws, view))


def test_a_view_that_resembles_no_example_is_not_passed_over_in_silence(without_jaws, view):
    def elsewhere(picture):
        return np.random.default_rng(0).integers(0, 255, picture.shape).astype(np.uint8)

    with pytest.raises(
        Undecided, match=r"^what camera 'wrist' shows resembles no first picture of the training$"
    ):
        list(moved_camera_live(without_jaws, wrist(view, elsewhere)))


@pytest.mark.parametrize("turn", TURNS)
def test_flips_are_found_with_jaws_and_without(known, without_jaws, view, turn):
    flipped = wrist(view, TURNS[turn])
    for contract in (known, without_jaws):
        (finding,) = flipped_camera_live(contract, flipped)
        assert finding.where.camera == "wrist"


def test_a_turned_camera_is_not_called_flipped(known, view):
    for right in (-0.15, 0.15):
        turned = wrist(view, lambda picture, right=right: moved(picture, right, 0.1, 12, 1))
        assert not list(flipped_camera_live(known, turned))
