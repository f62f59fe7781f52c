"""The arm was calibrated anew since the training data were recorded."""

import json

import pytest
from deployments import contract, live

from regrasp import faults
from regrasp.checks.changed_calibration import changed_calibration
from regrasp.data.calibration import calibration_hash
from regrasp.diagnosis.check import Undecided
from regrasp.errors import StationError

MOTORS = {
    "shoulder_pan": {"id": 1, "drive_mode": 0, "homing_offset": -14, "range_min": 700, "range_max": 3400}
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "desk.json"
    path.write_text(json.dumps(MOTORS))
    return path


@pytest.fixture
def known(file):
    update = {
        "calibration_hash": calibration_hash(file),
        "calibration_id": "desk",
        "robot_type": "so_follower",
    }
    return contract().model_copy(update=update)


@pytest.fixture
def station(file):
    return live(robot_type="so_follower", calibration_hash=calibration_hash(file), calibration_id="desk")


def test_another_calibration_is_reported(known, station):
    (finding,) = changed_calibration(known, faults.changed_calibration(station))
    assert (
        finding.summary == "The arm 'desk' is calibrated otherwise than the arm 'desk' of the training data."
    )


def test_the_same_calibration_laid_out_otherwise_is_fine(known, station, file):
    file.write_text(json.dumps({"shoulder_pan": dict(reversed(MOTORS["shoulder_pan"].items()))}, indent=8))
    assert calibration_hash(file) == station.calibration_hash
    assert not list(changed_calibration(known, station))


def test_one_count_more_is_another_calibration(file):
    before = calibration_hash(file)
    file.write_text(file.read_text().replace("3400", "3401"))
    assert calibration_hash(file) != before


def test_a_simulated_arm_has_nothing_to_calibrate():
    assert not list(changed_calibration(contract(), live()))


@pytest.mark.parametrize("lacking", ["contract", "station"])
def test_what_nobody_knows_is_undecided(known, station, lacking):
    if lacking == "contract":
        known = known.model_copy(update={"calibration_hash": None})
    else:
        station = live(robot_type="so_follower")
    with pytest.raises(Undecided):
        list(changed_calibration(known, station))


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', "[" * 100_000, "\x00"])
def test_a_file_that_is_no_calibration_is_one_sentence(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(StationError) as error:
        calibration_hash(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
