"""Scoring without a recording gives what a rollout gives."""

import pytest

from regrasp.data.station import Station
from regrasp.errors import UsageError
from regrasp.faults.mis_set_station import mis_set_station
from regrasp.lerobot_bridge.rollout import rollout
from regrasp.lerobot_bridge.scoring import score


def test_outcomes_are_those_of_a_recorded_rollout(trained, station, tmp_path):
    scored = score(trained.checkpoint, station, task="Grab the brain", starts=[0], seed=5)
    rolled = rollout(
        trained.checkpoint, station, task="Grab the brain", episodes=1, out=tmp_path / "r", seed=5
    )
    assert [(one.success, one.progress, one.seed) for one in scored] == [
        (one.success, one.progress, one.seed) for one in rolled.outcomes
    ]


def test_an_episode_ends_when_the_rollout_s_would(trained, station, tmp_path):
    slow = mis_set_station(station, "late-inference:seconds=0.5")
    (scored,) = score(trained.checkpoint, slow, task="Grab the brain", starts=[0], seed=5, seconds=1.0)
    rolled = rollout(
        trained.checkpoint, slow, task="Grab the brain", episodes=1, out=tmp_path / "r", seed=5, seconds=1.0
    )
    assert scored.seconds == rolled.outcomes[0].seconds < 1.0


def test_only_the_twin_can_be_scored(trained):
    desk = Station(name="desk", robot={"type": "so101_follower", "port": "/dev/ttyACM0"})
    with pytest.raises(UsageError) as raised:
        score(trained.checkpoint, desk, task="Grab the brain", starts=[0])
    assert str(raised.value) == "Station 'desk' cannot be scored without a person; only the twin can."
