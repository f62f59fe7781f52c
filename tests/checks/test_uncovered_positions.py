"""Rollouts fail where no demonstration showed the object."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import rollouts, training, training_of

from regrasp import faults
from regrasp.checks.uncovered_positions import uncovered_positions
from regrasp.data.rollouts import Deployment, Outcome, write_outcomes
from regrasp.diagnosis.check import Undecided

CENTRE, HALF_M = np.array([0.23, 0.0]), 0.0254


def noted(rng, number, success=True):
    """An outcome with the object somewhere in a square of two inches."""
    x, y = CENTRE + rng.uniform(-HALF_M, HALF_M, 2)
    return Outcome(number, success, initial={"object_x_m": float(x), "object_y_m": float(y)})


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A training whose objects lay in two inches."""
    folder, rng = tmp_path_factory.mktemp("demos"), np.random.default_rng(0)
    write_outcomes(folder, [noted(rng, number) for number in range(40)], Deployment())
    return training_of(replace(training(), path=folder))


def deployed(count=10, seed=1, success=True):
    rng = np.random.default_rng(seed)
    given = rollouts(count)
    return replace(given, outcomes=tuple(noted(rng, number, success) for number in range(count)))


@pytest.mark.parametrize("seed", range(5))
def test_failures_outside_are_reported_with_both_rates_and_the_places(learned, seed):
    (finding,) = uncovered_positions(learned, faults.uncovered_positions(deployed(seed=seed)))
    assert finding.where.episodes == (0, 2, 4, 6, 8)
    assert "5/5" in finding.summary
    assert "0/5" in finding.summary
    assert "regrasp merge TRAIN TRAIN_more" in finding.fix.command


@pytest.mark.parametrize("seed", range(5))
def test_failures_at_covered_places_are_not_blamed_on_them(learned, seed):
    given = deployed(12, seed)
    failed = [replace(one, success=place % 2 == 0) for place, one in enumerate(given.outcomes)]
    assert not list(uncovered_positions(learned, replace(given, outcomes=tuple(failed))))


def test_places_outside_at_which_it_succeeds_are_fine(learned):
    far = faults.uncovered_positions(deployed(20), every=4)
    won = tuple(replace(one, success=place % 2 == 0) for place, one in enumerate(far.outcomes))
    assert not list(uncovered_positions(learned, replace(far, outcomes=won)))


def test_all_outside_is_suspected_without_a_comparison(learned):
    (finding,) = uncovered_positions(learned, faults.uncovered_positions(deployed(), every=1))
    assert "0/0 (no trials)" in finding.summary


def test_chance_of_exactly_the_limit_counts(learned):
    given = faults.uncovered_positions(deployed())
    chance = next(iter(uncovered_positions(learned, given))).evidence[1].value
    assert list(uncovered_positions(learned, given, max_chance=chance + 1e-4))
    assert not list(uncovered_positions(learned, given, max_chance=chance / 2))


def test_rollouts_without_noted_places_are_undecided(learned):
    with pytest.raises(Undecided, match="needs 5 scored rollouts with the place"):
        list(uncovered_positions(learned, rollouts(10, successes=0)))
