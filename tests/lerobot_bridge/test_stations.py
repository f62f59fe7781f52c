"""A station's robot is connected, or one sentence says why not."""

from unittest import mock

import pytest

from regrasp.data.station import Station
from regrasp.errors import DeviceError, StationError
from regrasp.lerobot_bridge import stations
from regrasp.lerobot_bridge.live_view import look
from regrasp.lerobot_bridge.parts import in_child
from regrasp.lerobot_bridge.stations import connected

DESK = Station(
    name="desk", robot={"type": "so101_follower", "port": "/dev/ttyACM0", "id": "left", "cameras": {}}, fps=30
)


class Arm:
    """Notes what is done to it."""

    id = "left"

    def __init__(self, *, calibrated=True, sees=None):
        self.is_calibrated, self.sees, self.done = calibrated, sees, []

    def connect(self, calibrate=True):
        self.done.append(("connect", calibrate))

    def disconnect(self):
        self.done.append("disconnect")

    def get_observation(self):
        raise self.sees


def made(monkeypatch, arm):
    monkeypatch.setattr(stations, "make_robot", lambda _station: arm)
    return arm


def test_an_arm_is_not_calibrated_in_passing_and_let_go_of(monkeypatch):
    arm = made(monkeypatch, Arm(calibrated=False))
    with pytest.raises(StationError) as raised, connected(DESK):
        pass
    assert str(raised.value) == (
        "The robot of station 'desk' is not calibrated as 'left': its motors and the calibration file differ, or there "
        "is no file. Run `lerobot-calibrate --robot.type=so101_follower --robot.port=/dev/ttyACM0 --robot.id=left` once; "
        "nothing has moved."
    )
    assert arm.done == [("connect", False), "disconnect"]


def test_a_calibrated_arm_is_lent(monkeypatch):
    arm = made(monkeypatch, Arm())
    with connected(DESK) as lent:
        assert lent is arm
    assert arm.done == [("connect", False), "disconnect"]


def test_a_camera_that_fails_at_the_first_look_is_a_device_that_failed(monkeypatch):
    made(monkeypatch, Arm(sees=TimeoutError("latest frame is too old")))
    with pytest.raises(DeviceError) as raised:
        look(DESK, "Grab the brain")
    assert str(raised.value) == (
        "The robot failed while showing what it sees (TimeoutError: latest frame is too old)."
    )


def test_ctrl_c_in_the_process_that_looks_prints_nothing(capfd):
    def stopped():
        raise KeyboardInterrupt

    with (
        pytest.raises(DeviceError),
        mock.patch("regrasp.lerobot_bridge.parts._start_method", return_value="fork"),
    ):
        in_child(stopped)
    assert "Traceback" not in capfd.readouterr().err
