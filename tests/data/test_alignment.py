"""How one picture must be shifted, turned and scaled to lie on another."""

import numpy as np
import pytest

from regrasp.data.alignment import Alignment, align

ONES = np.ones((48, 64))


def scene(seed, *, right=0.0, down=0.0, turn_deg=0.0, zoom=1.0, aspect=0.75):
    """A smooth field of random waves, seen from elsewhere; computed, not resampled."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :64]
    across = (x - 31.5) / 64 - right
    along = (y - 23.5) / 48 * aspect - down
    turn = np.radians(turn_deg)
    u = (np.cos(turn) * across + np.sin(turn) * along) / zoom
    v = (np.cos(turn) * along - np.sin(turn) * across) / zoom
    waves = rng.normal(0, 8, (40, 2))
    phases = rng.uniform(0, 2 * np.pi, 40)
    return 120 + 8 * sum(
        np.sin(2 * np.pi * (a * u + b * v) / 2 + p) for (a, b), p in zip(waves, phases, strict=True)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("aspect", [0.75, 1.0])
def test_any_small_move_is_measured(seed, aspect):
    rng = np.random.default_rng(100 + seed)
    known = {"right": rng.uniform(-0.06, 0.06), "down": rng.uniform(-0.06, 0.06)}
    known |= {"turn_deg": rng.uniform(-8, 8), "zoom": rng.uniform(0.93, 1.08)}
    found = align(scene(seed, aspect=aspect), scene(seed, **known, aspect=aspect), ONES, ONES, aspect=aspect)
    assert found.right == pytest.approx(known["right"], abs=0.001)
    assert found.down == pytest.approx(known["down"], abs=0.001)
    assert found.turn_deg == pytest.approx(known["turn_deg"], abs=0.3)
    assert found.zoom == pytest.approx(known["zoom"], abs=0.005)
    assert found.likeness > 0.99


def test_a_large_shift_is_found_by_its_phase():
    found = align(scene(3), scene(3, right=0.3, down=-0.1), ONES, ONES)
    assert (found.right, found.down) == (pytest.approx(0.3, abs=0.002), pytest.approx(-0.1, abs=0.002))


def test_brightness_and_contrast_do_not_matter():
    found = align(scene(1), 0.5 * scene(1, right=0.03) + 40, ONES, ONES)
    assert found.right == pytest.approx(0.03, abs=0.001)


def test_an_object_that_is_elsewhere_does_not_matter():
    one, other = scene(2), scene(2)
    one[10:20, 10:22], other[25:35, 40:52] = 250, 250
    assert align(one, other, ONES, ONES).away() < 0.001


def test_what_does_not_count_does_not_matter():
    other = scene(2)
    other[:, 32:] = scene(9)[:, 32:]
    counts = ONES.copy()
    counts[:, 32:] = 0
    assert align(scene(2), other, ONES, counts).away() < 0.001


@pytest.mark.parametrize("other", [np.zeros((48, 64)), np.full((48, 64), 255.0)])
def test_an_empty_picture_resembles_nothing(other):
    assert align(scene(0), other, ONES, ONES).likeness == pytest.approx(0, abs=0.01)


def test_distance_is_the_mean_way_of_the_points():
    place = Alignment(0.02, -0.01, 4.0, 1.05)
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 401), 0.75 * np.linspace(-0.5, 0.5, 401))
    turn = np.radians(4.0)
    right = 0.02 + (1.05 * np.cos(turn) - 1) * x - 1.05 * np.sin(turn) * y
    down = -0.01 + 1.05 * np.sin(turn) * x + (1.05 * np.cos(turn) - 1) * y
    assert place.away() == pytest.approx(np.sqrt(np.mean(right**2 + down**2)), rel=0.01)
