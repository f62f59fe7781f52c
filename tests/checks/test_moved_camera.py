"""A camera was moved between episodes."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.moved_camera import moved_camera
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.repair import DropEpisodes
from regrasp.faults.pictures import change_pictures


@pytest.mark.parametrize(
    ("move", "words"),
    [
        ({"right": 0.03}, "shifted by 3 % of its width"),
        ({"right": 0, "down": -0.03}, "shifted by 3 % of its width"),
        ({"right": 0, "turn_deg": 3}, "turned by 3 degrees"),
        ({"right": 0, "zoom": 1.1}, "zoomed by +10 %"),
        ({"right": 0.2}, "shifted by 20 % of its width"),
    ],
)
def test_the_episodes_are_named_and_what_happened_to_the_view(dataset, move, words):
    (finding,) = moved_camera(faults.moved_camera(dataset, episodes=(1, 4), **move))
    assert str(finding.where) == "episodes 1 and 4, camera 'front'"
    assert finding.summary == f"Camera 'front' looks from elsewhere in 2 episodes ({words})."
    assert finding.fix.repair == DropEpisodes((1, 4))


def test_the_number_is_the_shift_that_was_made(dataset):
    (finding,) = moved_camera(faults.moved_camera(dataset, right=-0.05))
    assert finding.evidence[0].value == pytest.approx(5, abs=0.2)


def test_of_equal_halves_the_later_is_named(dataset):
    (finding,) = moved_camera(faults.moved_camera(dataset, episodes=(3, 4, 5)))
    assert finding.where.episodes == (3, 4, 5)


def test_two_other_places_are_named_together(dataset):
    once = faults.moved_camera(dataset, episodes=(4,), right=0.05)
    (finding,) = moved_camera(faults.moved_camera(once, episodes=(5,), right=0, turn_deg=5))
    assert finding.where.episodes == (4, 5)


def test_a_shift_of_no_more_than_the_limit_is_fine(dataset):
    moved = faults.moved_camera(dataset, right=0.05)
    assert not list(moved_camera(moved, max_shift=0.052))
    assert list(moved_camera(moved, max_shift=0.048))


def test_other_light_is_no_move(dataset):
    assert not list(moved_camera(faults.changed_light(dataset, brightness=0.5, warmth=1.3)))


def test_things_that_lie_elsewhere_are_no_move(dataset):
    def clutter(number):
        rng = np.random.default_rng(number)
        places = [(int(rng.integers(0, 36)), int(rng.integers(0, 50))) for _ in range(3)]

        def put(picture, _):
            picture = picture.copy()
            for row, column in places:
                picture[row : row + 12, column : column + 14] = rng.integers(0, 255, 3)
            return picture

        return put

    cluttered = dataset
    for number in range(6):
        cluttered = change_pictures(cluttered, "front", clutter(number), (number,))
    assert not list(moved_camera(cluttered))


def test_a_camera_on_the_arm_is_not_judged_by_its_place(dataset):
    def alone(episode):
        return replace(episode, cameras={"wrist": episode.cameras["wrist"]})

    riding = replace(dataset.map_episodes(alone), camera_names=("wrist",))
    with pytest.raises(Undecided, match=r"^no camera stands still while the arm moves$"):
        list(moved_camera(riding))


def test_one_episode_leaves_it_undecided():
    with pytest.raises(Undecided, match=r"^needs 2 episodes to compare, got 1$"):
        list(moved_camera(sound_dataset(0, 1)))
