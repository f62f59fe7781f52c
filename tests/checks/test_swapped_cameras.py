"""Two cameras have changed places."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp import faults
from regrasp.checks.swapped_cameras import swapped_cameras
from regrasp.data import Camera
from regrasp.diagnosis import Undecided


@pytest.mark.parametrize("episodes", [(5,), (0, 3), (0, 1, 2), (3, 4, 5), (1, 3, 5)])
def test_exchanged_episodes_are_named_up_to_an_exact_half(dataset, episodes):
    (finding,) = swapped_cameras(faults.swapped_cameras(dataset, episodes=episodes))
    assert finding.where.episodes == episodes
    assert finding.summary.startswith("Cameras 'front' and 'wrist' are exchanged in ")


def test_beyond_the_half_the_others_are_the_odd_ones(dataset):
    (finding,) = swapped_cameras(faults.swapped_cameras(dataset, episodes=(0, 1, 2, 3)))
    assert finding.where.episodes == (4, 5)


def test_equal_halves_of_cameras_without_a_telling_name_are_both_named(dataset):
    def rename(episode):
        names = zip(("left", "right"), episode.cameras.values(), strict=True)
        return replace(episode, cameras={n: replace(c, key=f"observation.images.{n}") for n, c in names})

    unnamed = replace(dataset.map_episodes(rename), camera_names=("left", "right"))
    (finding,) = swapped_cameras(faults.swapped_cameras(unnamed, episodes=(0, 1, 2)))
    assert finding.summary == "Cameras 'left' and 'right' are exchanged here, or else in episodes 0-2."
    assert finding.where.episodes == (3, 4, 5)
    assert finding.fix.command is None


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
