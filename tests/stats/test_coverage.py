"""How evenly places fill an area, where it is thin, and where to go next."""

import numpy as np
import pytest

from regrasp.stats.coverage import (
    Area,
    Cells,
    count_places,
    evenness_by_chance,
    hole_by_chance,
    largest_hole,
    nearest_m,
    next_places,
)

SQUARE = Area.square((0.23, 0.0), 0.16)


def lattice(per_side, area=SQUARE):
    """Places in the middle of each of per_side x per_side equal cells."""
    share = (np.arange(per_side) + 0.5) / per_side
    x, y = (low + share * (high - low) for low, high in zip(area.low, area.high, strict=True))
    return np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)


def test_a_lattice_is_as_even_as_can_be_and_has_no_thin_cell():
    cells = Cells.of(np.repeat(lattice(4), 2, axis=0), SQUARE)
    assert cells.counts.tolist() == [[2] * 4] * 4
    assert cells.evenness == pytest.approx(1.0)
    assert not cells.empty.any()
    assert not cells.thin.any()


def test_a_cell_with_half_the_mean_is_thin_and_one_more_is_not():
    counts = np.array([[2, 4], [5, 5]])
    cells = Cells(np.arange(3.0), np.arange(3.0), counts, np.ones((2, 2), np.bool_))
    assert cells.mean == 4
    assert cells.thin.tolist() == [[True, False], [False, False]]


def test_a_quarter_without_places_is_empty_and_holds_the_hole():
    places = lattice(6)
    places = places[~((places[:, 0] > 0.23) & (places[:, 1] > 0))]
    cells, hole = Cells.of(places, SQUARE), largest_hole(places, SQUARE)
    assert cells.empty[-1, -1]
    assert hole.x_m > 0.23
    assert hole.y_m > 0
    assert hole.radius_m > 2 * largest_hole(lattice(6), SQUARE).radius_m


def test_the_hole_is_as_wide_as_the_nearest_place_is_far():
    places = lattice(3)
    hole = largest_hole(places, SQUARE)
    assert nearest_m(np.array([[hole.x_m, hole.y_m]]), places)[0] == pytest.approx(hole.radius_m)
    assert (nearest_m(SQUARE.fine, places) <= hole.radius_m).all()


def test_every_place_is_counted_once_on_edges_too():
    corners = np.array([SQUARE.low, SQUARE.high, [SQUARE.low[0], SQUARE.high[1]], SQUARE.centre])
    assert Cells.of(corners, SQUARE).counts.sum() == len(corners)


def test_places_outside_a_marked_area_are_not_counted():
    outside = SQUARE.high + 0.001
    cells = Cells.of(np.array([outside, SQUARE.centre]), SQUARE)
    assert cells.counts.sum() == 1
    assert SQUARE.contains(np.array([outside, SQUARE.high])).tolist() == [False, True]


@pytest.mark.parametrize("seed", range(5))
def test_what_data_span_contains_every_place(seed):
    places = np.random.default_rng(seed).uniform([0.1, -0.2], [0.3, 0.2], (25, 2))
    area = Area.around(places, axis=(0.04, 0.0))
    assert area.contains(places).all()
    assert Cells.of(places, area).counts.sum() == len(places)


def test_an_arc_around_the_arm_has_no_hole_between_it_and_its_chord():
    angle = np.linspace(-1.0, 1.0, 40)
    arc = 0.25 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    area = Area.around(arc, axis=(0.0, 0.0))
    assert not area.contains(np.array([[0.25 * np.cos(1.0) + 0.03, 0.0]]))[0]
    assert largest_hole(arc, area).radius_m < 0.02


def test_places_on_a_line_or_on_one_point_span_an_area_all_the_same():
    line = np.stack([np.full(9, 0.2), np.linspace(-0.1, 0.1, 9)], axis=1)
    assert Area.around(line).contains(line).all()
    point = np.full((4, 2), 0.2)
    assert Area.around(point).contains(point).all()
    assert largest_hole(point, Area.around(point)).radius_m < 0.02


def test_chance_leaves_smaller_holes_the_more_places_there_are():
    limits = [hole_by_chance(number, SQUARE) for number in (10, 40, 160, 640)]
    assert limits == sorted(limits, reverse=True)


@pytest.mark.parametrize("seed", range(5))
def test_random_places_stay_below_what_chance_allows(seed):
    places = np.random.default_rng(100 + seed).uniform(SQUARE.low, SQUARE.high, (50, 2))
    hole = largest_hole(places, SQUARE)
    assert hole.radius_m < 1.2 * hole.by_chance_m


def test_random_places_are_as_even_as_chance_says():
    rng = np.random.default_rng(3)
    cells = [Cells.of(rng.uniform(SQUARE.low, SQUARE.high, (50, 2)), SQUARE) for _ in range(30)]
    found = np.mean([one.evenness for one in cells])
    assert found == pytest.approx(evenness_by_chance(50, cells[0]), abs=0.02)


def test_the_next_place_goes_into_the_empty_quarter():
    places = lattice(8)
    places = places[~((places[:, 0] < 0.23) & (places[:, 1] < 0))]
    (x, y), *_ = next_places(places, SQUARE, 3)
    assert x < 0.23
    assert y < 0


def test_next_places_keep_apart_and_fill_the_area():
    places = np.array([[0.16, -0.07]])
    chosen = next_places(places, SQUARE, 15)
    everything = np.vstack([places, chosen])
    apart = [nearest_m(one[None], np.delete(everything, row, 0))[0] for row, one in enumerate(everything)]
    assert min(apart) > 0.015
    before, after = (largest_hole(some, SQUARE).radius_m for some in (places, everything))
    assert after < before / 3
    assert SQUARE.contains(chosen).all()


def test_the_same_data_give_the_same_answer():
    places = lattice(3)
    np.testing.assert_array_equal(next_places(places, SQUARE, 6), next_places(places, SQUARE, 6))
    assert hole_by_chance(30, SQUARE) == hole_by_chance(30, SQUARE)


def test_places_are_counted_until_nearly_all_points_are_near_one():
    rng = np.random.default_rng(0)
    points = np.repeat([[0.2, 0.0], [0.3, 0.1], [0.3, -0.1]], 10, axis=0) + rng.normal(0, 0.001, (30, 2))
    assert count_places(points, 0.01, 0.9, most=5) == 3
    assert count_places(points, 0.01, 0.9, most=2) is None
    assert count_places(points, 0.01, 0.6, most=5) == 2


def test_a_point_at_exactly_the_radius_is_near():
    assert count_places(np.array([[0.0], [1.0]]), 1.0, 1.0, most=2) == 1
    assert count_places(np.array([[0.0], [1.0]]), 0.999, 1.0, most=2) is None


def test_parts_of_a_line_are_no_places():
    line = np.stack([np.full(60, 0.2), np.linspace(0, 0.06, 60)], axis=1)
    assert count_places(line, 0.01, 0.9, most=5) is None
