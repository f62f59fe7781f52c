"""What stays in the pictures of a camera on the arm."""

import numpy as np
import pytest

from regrasp.data.contract import JawsContract
from regrasp.data.jaws import FEWEST, NATURAL_AWAY, find_jaws
from regrasp.faults.moved_camera import moved

ASPECT = 0.75


def tables(count, seed=0):
    """Pictures of a table, elsewhere in each: smooth stripes of random direction and colour, uint8 [n, 96, 128, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :128]
    waves = [np.sin((x * rng.normal() + y * rng.normal()) / 8 + rng.uniform(0, 6)) for _ in range(count)]
    return np.stack([120 + 25 * wave[..., None] * rng.uniform(0.5, 1, 3) for wave in waves]).astype(np.uint8)


def with_jaws(pictures, colour=(230, 190, 20)):
    """Two fingers that rise from the lower edge, the left one higher."""
    pictures = pictures.copy()
    pictures[:, 55:, 45:58] = colour
    pictures[:, 65:, 72:85] = colour
    return pictures


@pytest.fixture(scope="module")
def jaws():
    return find_jaws(with_jaws(tables(12)))


def test_they_are_found_where_they_are(jaws):
    rows, columns = np.nonzero(jaws.weight > 0.5)
    spread = 3  # cells of two pixels
    assert rows.min() >= 55 / 2 - spread
    assert columns.min() >= 45 / 2 - spread
    assert columns.max() <= 85 / 2 + spread


def test_they_fit_in_pictures_of_other_places(jaws):
    for picture in with_jaws(tables(5, seed=1)):
        assert jaws.fits(jaws.place(picture, ASPECT), ASPECT)


def test_jaws_as_bright_as_the_table_are_seen_by_their_colour():
    jaws = find_jaws(with_jaws(tables(12), colour=(170, 150, 40)))
    assert min(jaws.mix) < 0
    (picture,) = with_jaws(tables(1, seed=1), colour=(170, 150, 40))
    assert jaws.fits(jaws.place(picture, ASPECT), ASPECT)


@pytest.mark.parametrize(("share", "fits"), [(0.8, True), (1.2, False)])
def test_they_fit_up_to_what_is_natural_and_no_further(jaws, share, fits):
    (picture,) = with_jaws(tables(1, seed=1))
    place = jaws.place(moved(picture, share * jaws.max_away, 0, 0, 1), ASPECT)
    assert place.away(ASPECT) == pytest.approx(share * jaws.max_away, abs=0.1 * NATURAL_AWAY)
    assert jaws.fits(place, ASPECT) == fits


def test_where_nothing_stays_none_are_found():
    assert find_jaws(tables(12)) is None


def test_an_edge_along_which_nothing_would_be_noticed_is_not_enough():
    pictures = tables(12)
    pictures[:, :, 60:] = 20
    assert find_jaws(pictures) is None


def test_jaws_that_open_differently_in_each_episode_do_not_stay():
    pictures = tables(12)
    for number, picture in enumerate(pictures):
        picture[55:, 10 + 8 * number : 23 + 8 * number] = (230, 190, 20)
    assert find_jaws(pictures) is None


def test_too_few_pictures_tell_nothing():
    pictures = with_jaws(tables(FEWEST))
    assert find_jaws(pictures) is not None
    assert find_jaws(pictures[1:]) is None


@pytest.mark.parametrize("shape", [(12, 1, 1, 3), (12, 20, 30, 3)])
def test_pictures_smaller_than_a_thumbnail_tell_nothing(shape, jaws):
    pictures = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    assert find_jaws(pictures) is None
    assert jaws.place(pictures[0], ASPECT) is None


def test_the_contract_keeps_them(jaws):
    again = JawsContract.model_validate_json(JawsContract.of(jaws).model_dump_json()).unpacked
    assert (again.plane == jaws.plane).all()
    assert np.abs(again.weight - jaws.weight).max() <= 0.5 / 255 + 1e-9
    assert (again.mix, again.wander, again.likeness) == (jaws.mix, jaws.wander, jaws.likeness)


@pytest.mark.parametrize(
    "damage", [{"plane": ""}, {"weight": "no base 64!"}, {"mix": (float("nan"), 0.0, 0.0)}]
)
def test_kept_ones_that_are_not_whole_are_none(jaws, damage):
    assert JawsContract.of(jaws).model_copy(update=damage).unpacked is None
