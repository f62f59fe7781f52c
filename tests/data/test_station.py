"""A station file: what is read, what is refused."""

import pytest

from regrasp.data.station import load_station, parse_permutation, save_station, station_text, twin
from regrasp.errors import StationError, UsageError


def test_the_twin_is_built_in():
    station = load_station("twin")
    assert station.robot_type == "so101_twin"
    assert station.camera_names == ("front", "wrist")
    assert station.fps == 30


def test_a_saved_station_reads_back_the_same(tmp_path):
    station = twin(area="6in", size=128)
    save_station(station, tmp_path / "desk.yaml")
    assert load_station(tmp_path / "desk.yaml") == station


def test_its_name_is_that_of_the_file_when_it_gives_none(tmp_path):
    (tmp_path / "desk.yaml").write_text("robot: {type: so101_follower}\n")
    assert load_station(tmp_path / "desk.yaml").name == "desk"


def test_a_twin_whose_loop_and_physics_keep_another_time_is_refused(tmp_path):
    path = tmp_path / "slow.yaml"
    save_station(twin(), path)
    slow = path.read_text().replace("\nfps: 30", "\nfps: 15")
    path.write_text(slow)
    with pytest.raises(
        StationError, match=r"fps is 15, and the twin runs at robot\.fps 30: give both the same"
    ):
        load_station(path)
    path.write_text(slow.replace("robot:\n", "robot:\n  fps: 15\n"))
    assert load_station(path).fps == 15


def test_exchanging_cameras_twice_changes_nothing():
    exchange = parse_permutation("front=wrist,wrist=front")
    swapped = twin().with_cameras_permuted(exchange)
    assert swapped.cameras["front"]["view"] == "wrist"
    assert swapped.with_cameras_permuted(exchange) == twin()


@pytest.mark.parametrize("text", ["front=wrist", "front=side,side=front", "front=front,wrist=front"])
def test_a_camera_used_twice_or_unknown_is_refused(text):
    with pytest.raises(StationError) as error:
        twin().with_cameras_permuted(parse_permutation(text))
    assert str(error.value) == (
        f"Found cameras '{text}' for station 'twin'; expected each of its cameras (front, wrist) once on "
        "either "
        "side; try 'front=wrist,wrist=front'."
    )


@pytest.mark.parametrize("text", ["front", "front=", "=wrist", ""])
def test_words_that_are_no_exchange_are_refused(text):
    with pytest.raises(UsageError) as error:
        parse_permutation(text)
    assert str(error.value) == (
        f"Found cameras '{text}'; expected NAME=SOURCE pairs; try 'front=wrist,wrist=front'."
    )


def test_a_missing_file_is_told_in_one_sentence(tmp_path):
    path = tmp_path / "none.yaml"
    with pytest.raises(StationError) as error:
        load_station(path)
    assert str(error.value) == (
        f"Found no readable station file at {path}; expected YAML written by `regrasp station init`, or "
        "the name "
        f"'twin'; try `regrasp station init --out {path}`."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("robot: [", "Found text that is not YAML in {path}, line 2; expected a station"),
        ("- a list", "Found no fields in {path}; expected at least 'robot' with a 'type'"),
        ("robot: {}", "whose 'robot' is wrong (robot needs a 'type', such as so101_follower)"),
        ("robot: {type: x}\nfps: 0", "whose 'fps' is wrong (Input should be greater than 0)"),
        ("robot: {type: x}\nfp: 30", "whose 'fp' is wrong (Extra inputs are not permitted)"),
        ("fps: 30", "whose 'robot' is wrong (Field required)"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(tmp_path, text, said):
    path = tmp_path / "bad.yaml"
    path.write_text(text + "\n")
    with pytest.raises(StationError) as error:
        load_station(path)
    assert said.format(path=path) in str(error.value)


def test_what_a_policy_from_elsewhere_calls_the_cameras_is_kept_in_the_file(tmp_path):
    station = twin().model_copy(update={"policy_names": {"front": "camera1", "wrist": "camera2"}})
    save_station(station, tmp_path / "desk.yaml")
    assert load_station(tmp_path / "desk.yaml") == station
    assert "policy_names" not in station_text(twin())


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("{top: camera1}", "policy_names has a camera 'top' that the robot has not"),
        ("{front: camera1, wrist: camera1}", "policy_names gives two cameras one name"),
    ],
)
def test_names_of_no_camera_or_of_two_are_refused(tmp_path, names, said):
    text = station_text(twin()) + f"policy_names: {names}\n"
    (tmp_path / "desk.yaml").write_text(text)
    with pytest.raises(StationError, match=said):
        load_station(tmp_path / "desk.yaml")
