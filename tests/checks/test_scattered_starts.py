"""Episodes start from different poses of the arm."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.scattered_starts import scattered_starts
from regrasp.diagnosis import Undecided


def test_episodes_that_start_away_are_named(dataset):
    (finding,) = scattered_starts(faults.scattered_starts(dataset, episodes=[1, 4]))
    assert finding.where.episodes == (1, 4)
    assert finding.summary.startswith("2 of 6 episodes start away from the usual pose; in episode ")
    assert finding.evidence[0].value == pytest.approx(25, abs=10)


def test_starts_all_over_the_place_are_reported_as_that():
    rng = np.random.default_rng(1)
    pans = rng.uniform(-145, 14, 20)  # the starts of the project that Regrasp comes from
    sound = sound_dataset(episodes=20, cameras=False)
    anywhere = sound.map_episodes(lambda e: replace(e, states=e.states + np.eye(6)[0] * pans[e.index]))
    (finding,) = scattered_starts(anywhere)
    assert finding.summary.startswith("Episodes start anywhere: shoulder_pan between -")
    assert finding.where.episodes == tuple(range(20))
    assert finding.fix.command is None


@pytest.mark.parametrize("seed", range(5))
def test_the_spread_of_a_person_at_home_is_fine(seed):
    assert not list(scattered_starts(sound_dataset(seed, episodes=40, cameras=False)))


def test_the_unit_does_not_matter(dataset):
    broken = faults.scattered_starts(dataset, episodes=[2])
    radians = broken.map_episodes(lambda e: replace(e, states=np.deg2rad(e.states)))
    assert [f.where for f in scattered_starts(radians)] == [f.where for f in scattered_starts(broken)]


def test_two_episodes_have_no_usual_start(dataset):
    with pytest.raises(Undecided, match=r"^needs 3 episodes to know the usual start, got 2$"):
        list(scattered_starts(replace(dataset, episodes=dataset.episodes[:2])))
