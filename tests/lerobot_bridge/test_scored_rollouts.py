"""Episodes scored by a person or a camera, and an arm that loses a camera or its bus: held or released as configured."""

from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from instant_arm import DESK, InstantArm, model_folder, roll_out
from lerobot.utils.errors import DeviceNotConnectedError

from regrasp.arm.so101 import HOME, JOINTS
from regrasp.data.dataset import read_dataset
from regrasp.data.rollouts import read_outcomes
from regrasp.errors import DeviceError, UsageError
from regrasp.lerobot_bridge.parts import recording_folder
from regrasp.lerobot_bridge.stations import connected


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return model_folder(tmp_path_factory.mktemp("model"))


class Typist:
    """Presses one key in each episode, in its third tick."""

    def __init__(self, keys):
        self.keys, self.begun, self.looks = keys, [], 0

    def ready(self, episode):
        self.begun.append(episode)
        self.looks = 0

    def key(self):
        self.looks += 1
        return self.keys[self.begun[-1]] if self.looks == 1 + 3 else ""  # the first look clears old keys


def test_keys_end_and_score_episodes_and_the_outcome_says_who_decided(model, tmp_path):
    person = Typist({0: "s", 1: "f"})
    rolled = roll_out(model, tmp_path / "out", person=person)
    assert person.begun == [0, 1]
    outcomes, _ = read_outcomes(rolled.out)
    assert [(one.success, one.scored_by, one.ended) for one in outcomes] == [
        (True, "person", "finished"),
        (False, "person", "finished"),
    ]
    assert outcomes[0].progress == 1.0
    assert [episode.length for episode in read_dataset(rolled.out).episodes] == [3, 3]


def test_without_a_key_nobody_has_decided(model, tmp_path):
    rolled = roll_out(model, tmp_path / "out", person=Typist({0: "x", 1: ""}))
    outcomes, _ = read_outcomes(rolled.out)
    assert [(one.success, one.scored_by, one.ended) for one in outcomes] == [(None, "", "time")] * 2


def test_a_camera_scores_by_its_region(model, tmp_path):
    shown = []

    def reached(picture):
        shown.append(picture)
        return len(shown) > 9  # never in the first episode, and once it has been seen for 0.3 s in the second

    goal = SimpleNamespace(camera="front", region=(0.0, 0.0, 1.0, 1.0), reached=reached)
    rolled = roll_out(model, tmp_path / "out", ticks=9, goal=goal)
    outcomes, _ = read_outcomes(rolled.out)
    assert [(one.success, one.scored_by, one.ended) for one in outcomes] == [
        (False, "goal-region", "time"),
        (True, "goal-region", "finished"),
    ]
    assert shown[0].shape == (32, 32, 3)


def test_a_person_overrules_the_camera(model, tmp_path):
    goal = SimpleNamespace(camera="front", region=(0.0, 0.0, 1.0, 1.0), reached=lambda _picture: False)
    rolled = roll_out(model, tmp_path / "out", goal=goal, person=Typist({0: "s", 1: ""}))
    outcomes, _ = read_outcomes(rolled.out)
    assert [(one.success, one.scored_by) for one in outcomes] == [(True, "person"), (False, "goal-region")]


def test_a_goal_that_no_camera_sees_is_refused(model, tmp_path):
    goal = SimpleNamespace(camera="top", region=(0.0, 0.0, 1.0, 1.0), reached=lambda _picture: False)
    with pytest.raises(UsageError) as raised:
        roll_out(model, tmp_path / "out", goal=goal)
    assert str(raised.value) == "The goal is seen by camera 'top'; station 'desk' has front, wrist."


class Failing(InstantArm):
    """Its n-th answer of all does not come."""

    def __init__(self, at, error):
        super().__init__()
        self.left, self.error = at, error

    def get_observation(self):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().get_observation()


def test_a_camera_gone_in_mid_episode_is_one_sentence_and_exit_code_3(model, tmp_path):
    out = tmp_path / "out"
    lost = TimeoutError("Timed out waiting for frame from camera OpenCVCamera(4) after 200 ms")
    with pytest.raises(DeviceError) as raised:
        roll_out(model, out, arm=lambda: Failing(6 + 3, lost), home=False)
    assert raised.value.exit_code == 3
    flight = recording_folder(out) / "part-0" / "flight" / "episode-001-broken.npz"
    assert str(raised.value) == (
        "Episode 1 was broken off: The robot failed while reading tick 3 (TimeoutError: Timed out waiting for frame from "
        f"camera OpenCVCamera(4) after 200 ms). Its last seconds are in {flight}. The arm was released where its bus "
        "still answers (disable_torque_on_disconnect is true). Finished episodes are kept; check power and cables, then "
        "run the same command again to go on."
    )
    assert len(roll_out(model, out, home=False).outcomes) == 2


@pytest.fixture
def bus():
    """What LeRobot's driver of the SO-101 talks to, in place of a serial port."""
    made = mock.MagicMock(is_connected=False, is_calibrated=True)
    made.motors = dict.fromkeys(JOINTS)
    made.connect.side_effect = lambda: setattr(made, "is_connected", True)
    made.sync_read.side_effect = lambda *_words, **_options: dict(zip(JOINTS, HOME.tolist(), strict=True))
    with mock.patch("lerobot.robots.so_follower.so_follower.FeetechMotorsBus", return_value=made):
        yield made


@pytest.mark.parametrize("released", [True, False])
@pytest.mark.parametrize("camera_is_gone", [True, False])
def test_the_driver_lets_the_arm_go_as_its_station_says(bus, released, camera_is_gone):
    robot = {**DESK.robot, "disable_torque_on_disconnect": released, "cameras": {}}
    with connected(DESK.model_copy(update={"robot": robot})) as arm:
        camera = mock.MagicMock(is_connected=not camera_is_gone)
        camera.disconnect.side_effect = DeviceNotConnectedError if camera_is_gone else None
        arm.cameras = {"front": camera}
        assert np.isfinite(list(arm.bus.sync_read("Present_Position").values())).all()
    bus.disconnect.assert_called_once_with(released)
    camera.disconnect.assert_called_once_with()
