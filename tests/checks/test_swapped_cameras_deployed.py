"""Two cameras have changed places since the training."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import CAMERAS, SIZE, contract, dimmed, live, rollouts, swapped_pictures

from regrasp.checks.swapped_cameras import swapped_cameras_deployed, swapped_cameras_live
from regrasp.data.contract import CameraContract
from regrasp.data.episode import grid_means
from regrasp.diagnosis import Undecided

KNOWN = contract()


def swapped(view):
    return replace(view, images={"front": view.images["wrist"], "wrist": view.images["front"]})


def of(deployed, change):
    return replace(deployed, dataset=change(deployed.dataset))


@pytest.mark.parametrize("seed", range(10))
def test_cameras_in_their_places_are_fine(seed):
    assert not list(swapped_cameras_live(KNOWN, live(seed=seed)))


@pytest.mark.parametrize("seed", range(10))
def test_an_exchange_is_reported_with_the_one_that_puts_it_right(seed):
    (finding,) = swapped_cameras_live(KNOWN, swapped(live(seed=seed)))
    assert finding.summary == "Cameras 'front' and 'wrist' have changed places since the training."
    assert (finding.fix.command or "").endswith("--cameras front=wrist,wrist=front")
    (evidence,) = finding.evidence
    assert evidence.limit is not None
    assert evidence.value > evidence.limit


def test_an_exchange_is_seen_in_little_light_and_other_colours():
    view = live()
    dim = {name: (image * [0.4, 0.35, 0.3] + 10).astype(np.uint8) for name, image in view.images.items()}
    assert not list(swapped_cameras_live(KNOWN, replace(view, images=dim)))
    assert len(list(swapped_cameras_live(KNOWN, swapped(replace(view, images=dim))))) == 1


def test_a_scene_that_nobody_has_seen_is_no_exchange():
    rng = np.random.default_rng(9)
    strange = {name: rng.integers(0, 255, (*SIZE, 3), np.uint8) for name in CAMERAS}
    assert not list(swapped_cameras_live(KNOWN, live(images=strange)))


def test_rollouts_with_exchanged_cameras_are_named_by_episode():
    (finding,) = swapped_cameras_deployed(KNOWN, of(rollouts(4), swapped_pictures))
    assert finding.where.episodes == (0, 1, 2, 3)


def test_sound_and_dark_rollouts_are_fine():
    assert not list(swapped_cameras_deployed(KNOWN, rollouts(4)))
    assert not list(swapped_cameras_deployed(KNOWN, of(rollouts(4), dimmed)))


def test_an_exchange_in_some_rollouts_names_those():
    sound = rollouts(4)
    other = swapped_pictures(sound.dataset).episodes
    mixed = replace(sound.dataset, episodes=(*sound.dataset.episodes[:2], *other[2:]))
    (finding,) = swapped_cameras_deployed(KNOWN, replace(sound, dataset=mixed))
    assert finding.where.episodes == (2, 3)


def three_eyed():
    """A contract of three cameras, and what they see."""
    rng = np.random.default_rng(4)
    scenes = {
        name: np.kron(rng.uniform(20, 220, (6, 8, 3)), np.ones((4, 4, 1))).astype(np.uint8)
        for name in ("front", "side", "wrist")
    }
    cameras = [
        CameraContract(
            name=name,
            key=f"observation.images.{name}",
            height=24,
            width=32,
            fingerprint=grid_means(scene).ravel().tolist(),
            likeness_low=0.95,
        )
        for name, scene in scenes.items()
    ]
    return KNOWN.model_copy(update={"cameras": cameras}), scenes


def test_three_cameras_in_a_ring_are_put_back_by_what_is_offered():
    known, scenes = three_eyed()
    moved = {"front": scenes["side"], "side": scenes["wrist"], "wrist": scenes["front"]}
    (finding,) = swapped_cameras_live(known, live(images=moved))
    option = (finding.fix.command or "").split()[-1]
    sources = dict(pair.split("=") for pair in option.split(","))
    assert all(moved[source] is scenes[name] for name, source in sources.items())


def test_two_of_three_cameras_are_the_ones_named():
    known, scenes = three_eyed()
    moved = scenes | {"front": scenes["wrist"], "wrist": scenes["front"]}
    (finding,) = swapped_cameras_live(known, live(images=moved))
    assert "'front' and 'wrist'" in finding.summary
    assert "side" not in finding.summary


def test_cameras_that_see_the_same_leave_it_undecided():
    front = KNOWN.camera("front")
    twins = [front, front.model_copy(update={"name": "wrist"})]
    with pytest.raises(Undecided) as reason:
        list(swapped_cameras_live(KNOWN.model_copy(update={"cameras": twins}), live()))
    assert str(reason.value) == "cameras 'front' and 'wrist' saw too much the same in training"


def test_one_camera_leaves_it_undecided():
    lone = KNOWN.model_copy(update={"cameras": KNOWN.cameras[:1]})
    with pytest.raises(Undecided, match="needs 2 to 5 cameras with a fingerprint, got 1"):
        list(swapped_cameras_live(lone, live()))
