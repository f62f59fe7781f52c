"""Episodes start from different poses of the arm."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.scattered_starts import leader_apart, scattered_starts
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


def with_leader_apart(dataset, degrees, episodes, seconds=0.3, joint=4):
    def lead(e):
        offset = np.zeros_like(e.states)
        offset[:, joint] = -degrees * np.clip(1 - np.arange(e.length) / (seconds * e.fps), 0, 1)
        return replace(e, states=e.states + offset)

    return dataset.map_episodes(lead, episodes)


def test_a_leader_that_is_elsewhere_when_recording_begins_is_found(dataset):
    (finding,) = leader_apart(with_leader_apart(dataset, 35.0, [1, 3]))
    assert str(finding.where) == "episodes 1 and 3, joint 'wrist_roll'"
    assert finding.evidence[0].value == pytest.approx(35, abs=1.5)


def test_one_episode_is_enough_for_that():
    one = sound_dataset(episodes=1, cameras=False)
    assert list(leader_apart(with_leader_apart(one, 35.0, [0])))
    assert not list(leader_apart(one))


def test_a_joint_that_never_goes_there_is_another_defect(dataset):
    assert not list(leader_apart(with_leader_apart(dataset, 35.0, [1], seconds=60.0)))
    assert not list(leader_apart(faults.unfollowed_joint(dataset)))


def test_an_episode_that_begins_in_motion_is_fine(dataset):
    def cut(e):
        speed = np.abs(np.diff(e.actions[:, 1]))
        rows = slice(int(np.argmax(speed)), None)
        return replace(
            e,
            states=e.states[rows],
            actions=e.actions[rows],
            timestamps=e.timestamps[rows],
            task_indices=e.task_indices[rows],
            cameras={},
        )

    assert not list(leader_apart(dataset.map_episodes(cut)))
