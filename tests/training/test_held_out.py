"""Held-out episodes are spread over the workspace."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp.training.held_out import choose_held_out, held_out_count


@pytest.fixture(scope="module")
def along_a_line():
    """Thirty episodes recorded from one side of the table to the other."""

    def moved(episode):
        offset = np.zeros(episode.states.shape[1])
        offset[0] = 2.0 * episode.index
        return replace(episode, states=episode.states + offset, actions=episode.actions + offset)

    return sound_dataset(0, 30, cameras=False, seconds=3).map_episodes(moved)


def test_they_are_not_the_last_ones(along_a_line):
    chosen = choose_held_out(along_a_line, 3)
    assert len(chosen) == 3
    thirds = {index // 10 for index in chosen}
    assert thirds == {0, 1, 2}


def test_the_outermost_stay_in_training(along_a_line):
    assert not {0, 29} & set(choose_held_out(along_a_line, 5))


def test_the_order_of_recording_does_not_matter(along_a_line):
    rng = np.random.default_rng(1)
    shuffled = replace(
        along_a_line, episodes=tuple(rng.permutation(np.array(along_a_line.episodes, dtype=object)))
    )
    assert choose_held_out(shuffled, 4) == choose_held_out(along_a_line, 4)


def test_each_instruction_has_its_share(along_a_line):
    two = along_a_line.map_episodes(lambda e: replace(e, tasks=("rare" if e.index < 10 else "usual",)))
    chosen = choose_held_out(two, 6)
    assert sum(index < 10 for index in chosen) == 2


def test_episodes_that_are_all_alike_are_held_out_all_the_same():
    same = sound_dataset(0, 6, cameras=False)
    alike = same.map_episodes(lambda e: replace(e, states=0 * e.states, actions=0 * e.actions))
    assert len(set(choose_held_out(alike, 4))) == 4


@pytest.mark.parametrize(("episodes", "count"), [(3, 0), (19, 0), (20, 3), (50, 5), (120, 12), (5000, 12)])
def test_small_datasets_are_spared_and_large_ones_give_twelve(episodes, count):
    assert held_out_count(episodes) == count


def test_none_can_be_held_out(along_a_line):
    assert choose_held_out(along_a_line, 0) == ()
