"""Two cameras have changed places."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.swapped_cameras import swapped_cameras
from regrasp.data import Camera
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.repair import SwapCameras
from regrasp.diagnosis.runner import run_checks
from regrasp.faults.moved_camera import moved
from regrasp.faults.pictures import ChangedPictures


@pytest.mark.parametrize("episodes", [(5,), (0, 3), (0, 1, 2), (3, 4, 5), (1, 3, 5)])
def test_exchanged_episodes_are_named_up_to_an_exact_half(dataset, episodes):
    (finding,) = swapped_cameras(faults.swapped_cameras(dataset, episodes=episodes))
    assert finding.where.episodes == episodes
    assert finding.summary.startswith("Cameras 'front' and 'wrist' are exchanged in ")


def renamed(dataset, names=("left", "right")):
    """The dataset with cameras whose names do not say what they see."""

    def rename(episode):
        new = zip(names, episode.cameras.values(), strict=True)
        return replace(episode, cameras={n: replace(c, key=f"observation.images.{n}") for n, c in new})

    return replace(dataset.map_episodes(rename), camera_names=names)


def test_beyond_the_half_a_camera_called_wrist_tells_which_are_odd(dataset):
    (finding,) = swapped_cameras(faults.swapped_cameras(dataset, episodes=(0, 1, 2, 3)))
    assert finding.where.episodes == (0, 1, 2, 3)


def test_beyond_the_half_of_cameras_without_a_telling_name_the_others_are_the_odd_ones(dataset):
    (finding,) = swapped_cameras(faults.swapped_cameras(renamed(dataset), episodes=(0, 1, 2, 3)))
    assert finding.where.episodes == (4, 5)


def test_what_is_sure_carries_the_repair(dataset):
    (finding,) = swapped_cameras(faults.swapped_cameras(dataset, episodes=(1, 3)))
    assert finding.fix.repair == SwapCameras((1, 3), ("front", "wrist"))


def test_equal_halves_of_cameras_without_a_telling_name_are_both_named(dataset):
    (finding,) = swapped_cameras(faults.swapped_cameras(renamed(dataset), episodes=(0, 1, 2)))
    assert finding.summary == "Cameras 'left' and 'right' are exchanged here, or else in episodes 0-2."
    assert finding.where.episodes == (3, 4, 5)
    assert (finding.fix.command, finding.fix.repair) == (None, None)


def with_a_third_camera(dataset, right):
    """And one that sees what `front` sees, from a little farther right."""

    def add(episode):
        front = episode.cameras["front"]
        source = ChangedPictures(front.source, lambda picture, _: moved(picture, right, 0.0, 0.0, 1.0))
        top = replace(front, key="observation.images.top", source=source)
        return replace(episode, cameras={**episode.cameras, "top": top})

    return replace(dataset.map_episodes(add), camera_names=("front", "wrist", "top"))


@pytest.mark.parametrize("pair", [("front", "wrist"), ("front", "top"), ("wrist", "top")])
def test_of_three_cameras_the_two_that_are_exchanged_are_named(dataset, pair):
    three = with_a_third_camera(dataset, right=0.06)
    (finding,) = swapped_cameras(faults.swapped_cameras(three, cameras=pair, episodes=(2, 4)))
    assert finding.where.episodes == (2, 4)
    assert finding.summary.startswith(f"Cameras '{pair[0]}' and '{pair[1]}' are exchanged")


def test_three_cameras_of_which_two_see_nearly_the_same_are_fine(dataset):
    assert not list(swapped_cameras(with_a_third_camera(dataset, right=0.02)))


@pytest.mark.parametrize("episodes", [(4, 5), (0, 1, 2), (0, 1, 2, 3)])
def test_an_exchange_is_not_called_moved_or_lit_as_well(dataset, episodes):
    found = run_checks({"dataset": faults.swapped_cameras(dataset, episodes=episodes)}).findings
    assert [finding.check for finding in found] == ["swapped-cameras"]


def with_changed_pictures(dataset, camera, episodes, change):
    def changed(episode):
        frames = np.clip(change(episode.cameras[camera].frames().astype(float)), 0, 255).astype(np.uint8)
        return replace(
            episode, cameras={**episode.cameras, camera: Camera.from_array(camera, frames, episode.fps)}
        )

    return dataset.map_episodes(changed, episodes)


def test_other_light_in_half_of_the_episodes_is_no_exchange(dataset):
    dim = with_changed_pictures(dataset, "front", (0, 1, 2), lambda frames: 0.4 * frames + 10)
    assert not list(swapped_cameras(dim))


def test_a_camera_that_was_moved_is_no_exchange(dataset):
    moved = with_changed_pictures(dataset, "front", (3, 4, 5), lambda frames: np.roll(frames, 20, axis=2))
    assert not list(swapped_cameras(moved))


def test_cameras_that_see_the_same_cannot_be_told_apart(dataset):
    def twin(episode):
        return replace(
            episode,
            cameras={
                n: replace(episode.cameras["front"], key=f"observation.images.{n}") for n in episode.cameras
            },
        )

    assert not list(swapped_cameras(faults.swapped_cameras(dataset.map_episodes(twin))))


def test_one_camera_leaves_it_undecided(dataset):
    alone = replace(
        dataset.map_episodes(lambda e: replace(e, cameras={"front": e.cameras["front"]})),
        camera_names=("front",),
    )
    with pytest.raises(Undecided, match=r"^needs 2 cameras, got 1$"):
        list(swapped_cameras(alone))


def test_one_episode_leaves_it_undecided(dataset):
    with pytest.raises(Undecided, match=r"^needs 2 episodes to compare, got 1$"):
        list(swapped_cameras(replace(dataset, episodes=dataset.episodes[:1])))
