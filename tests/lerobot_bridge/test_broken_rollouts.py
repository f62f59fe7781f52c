"""A robot that fails in mid-episode, Ctrl-C, and a gate that closes: what is kept, and what is said."""

import numpy as np
import pytest

from regrasp.control.flight_recorder import read_flight
from regrasp.data.dataset import read_dataset
from regrasp.data.rollouts import read_rollouts
from regrasp.data.station import Station
from regrasp.errors import DeviceError, UsageError
from regrasp.lerobot_bridge import driving
from regrasp.lerobot_bridge.driving import held_robot
from regrasp.lerobot_bridge.rollout import rollout

DESK = Station(name="desk", robot={"type": "so101_follower", "port": "/dev/ttyACM0"})


class Lent:
    """What LeRobot would connect; may fail as it is let go."""

    def __init__(self, *, fails_in_the_end=False):
        self.fails_in_the_end = fails_in_the_end

    def __call__(self, station):
        return self

    def __enter__(self):
        return "robot"

    def __exit__(self, *_why):
        if self.fails_in_the_end:
            raise ConnectionError("Failed to write 'Torque_Enable'")


def broken_off(monkeypatch, station, **options):
    monkeypatch.setattr(driving, "connected", Lent(**options))
    with pytest.raises(DeviceError) as raised, held_robot(station):
        raise DeviceError("The robot failed while reading tick 3 (TimeoutError).")
    return str(raised.value)


@pytest.mark.parametrize("fails_in_the_end", [False, True])
def test_the_first_failure_is_said_and_that_the_arm_was_released(monkeypatch, fails_in_the_end):
    assert broken_off(monkeypatch, DESK, fails_in_the_end=fails_in_the_end) == (
        "The robot failed while reading tick 3 (TimeoutError). The arm was released where its bus still answers "
        "(disable_torque_on_disconnect is true). Finished episodes are kept; check power and cables, then run the same "
        "command again to go on."
    )


def test_an_arm_that_holds_as_its_station_says_is_said_to_hold(monkeypatch):
    holding = DESK.model_copy(update={"robot": {**DESK.robot, "disable_torque_on_disconnect": False}})
    assert "The arm holds its last command (disable_torque_on_disconnect is false)." in broken_off(
        monkeypatch, holding
    )


def test_a_failure_after_the_work_is_done_loses_nothing(monkeypatch):
    monkeypatch.setattr(driving, "connected", Lent(fails_in_the_end=True))
    with held_robot(DESK):
        pass


def test_what_is_no_failure_of_the_robot_is_passed_on(monkeypatch):
    monkeypatch.setattr(driving, "connected", Lent())
    with pytest.raises(KeyboardInterrupt), held_robot(DESK):
        raise KeyboardInterrupt


@pytest.fixture
def failing(monkeypatch):
    """Makes the twin's robot raise in its n-th command of all."""

    def fail(error, at):
        from lerobot_robot_so101_twin import SO101Twin

        send, count = SO101Twin.send_action, [0]

        def broken(self, action):
            count[0] += 1
            if count[0] == at:
                raise error
            return send(self, action)

        monkeypatch.setattr(SO101Twin, "send_action", broken)

    return fail


def run(trained, station, out):
    return rollout(
        trained.checkpoint, station, task="Grab the brain", episodes=2, out=out, seconds=0.4, seed=5
    )


def test_a_lost_bus_keeps_the_finished_episode_and_the_same_command_goes_on(
    trained, station, tmp_path, failing, monkeypatch
):
    out = tmp_path / "new"
    failing(ConnectionError("Failed to sync write 'Goal_Position'"), 12 + 6)
    with pytest.raises(DeviceError) as raised:
        run(trained, station, out)
    part = tmp_path / "new.recording" / "part-0"
    assert raised.value.exit_code == 3
    assert str(raised.value) == (
        "Episode 1 was broken off: The robot failed while moving in tick 5 (ConnectionError: Failed to sync write "
        f"'Goal_Position'). Its last seconds are in {part / 'flight' / 'episode-001-broken.npz'}. Finished episodes "
        "are kept; run the same command again to go on."
    )
    assert read_flight(part / "flight" / "episode-001-broken.npz")["tick"].tolist() == [0, 1, 2, 3, 4]
    assert [episode.length for episode in read_dataset(part / "dataset").episodes] == [12]
    monkeypatch.undo()
    assert len(run(trained, station, out).outcomes) == 2
    assert (out / "regrasp" / "flight" / "episode-001-broken.npz").exists()


def test_ctrl_c_keeps_the_finished_episode(trained, station, tmp_path, failing):
    out = tmp_path / "new"
    failing(KeyboardInterrupt(), 12 + 6)
    with pytest.raises(KeyboardInterrupt):
        run(trained, station, out)
    kept = read_dataset(tmp_path / "new.recording" / "part-0" / "dataset")
    assert [episode.length for episode in kept.episodes] == [12]


def test_a_closed_gate_is_written_down_with_its_flight(trained, station, tmp_path, monkeypatch):
    from regrasp.lerobot_bridge.policies import LoadedPolicy

    monkeypatch.setattr(LoadedPolicy, "_next_chunk", lambda self, batch: np.full((40, 6), np.nan))
    rolled = rollout(
        trained.checkpoint, station, task="Grab the brain", episodes=1, out=tmp_path / "new", seconds=2
    )
    (outcome,) = read_rollouts(rolled.out).outcomes
    assert outcome.ended == "gate-closed"
    assert outcome.interventions == {"not-finite": 16}
    assert rolled.ended == {"gate-closed": 1}
    (flight,) = rolled.flights
    assert "gate-closed in tick 15" in read_flight(flight)["tripped"]


def test_home_brings_a_scattered_arm_to_a_start_of_the_training(trained, station, tmp_path):
    scattered = station.model_copy(update={"robot": {**station.robot, "starts": "scattered"}})
    away, home = (
        rollout(
            trained.checkpoint, scattered, task="Grab the brain", episodes=1, out=tmp_path / name, seconds=0.2,
            seed=2, home=name == "home",
        )
        for name in ("away", "home")
    )  # fmt: skip
    low = np.array([joint.start_low for joint in trained.contract.joints]) - 2
    high = np.array([joint.start_high for joint in trained.contract.joints]) + 2
    first = read_rollouts(home.out).episodes[0].states[0]
    assert ((low <= first) & (first <= high)).all()
    other = read_rollouts(away.out).episodes[0].states[0]
    assert not ((low <= other) & (other <= high)).all()
    assert read_rollouts(home.out).deployment.control["home"] == "on"


def test_the_last_seconds_of_a_first_episode_stay_when_the_command_goes_on(
    trained, station, tmp_path, failing, monkeypatch
):
    out = tmp_path / "new"
    failing(ConnectionError("Failed to sync write 'Goal_Position'"), 6)
    with pytest.raises(DeviceError):
        run(trained, station, out)
    monkeypatch.undo()
    assert len(run(trained, station, out).outcomes) == 2
    assert (out / "regrasp" / "flight" / "episode-000-broken.npz").exists()


@pytest.mark.parametrize("seconds", [0.01, 0.0, -1.0, float("nan"), float("inf")])
def test_an_episode_without_a_command_is_refused_before_anything_moves(trained, station, tmp_path, seconds):
    out = tmp_path / "new"
    with pytest.raises(UsageError, match=f"--seconds is {seconds:g}; expected time for one command or more."):
        rollout(trained.checkpoint, station, task="Grab the brain", episodes=1, out=out, seconds=seconds)
    assert not (tmp_path / "new.recording").exists()
