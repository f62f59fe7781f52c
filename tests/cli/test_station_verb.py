"""`regrasp station`: what is found, asked, written, and compared, with fake ports and cameras."""

import json

import numpy as np
import pytest

import regrasp.cli.station as verb
from regrasp.cli import main
from regrasp.data.station import Station, load_station
from regrasp.errors import DeviceError
from regrasp.lerobot_bridge.hardware import Finders, check_station, find_cameras, find_ports, station_of


@pytest.fixture
def devices(tmp_path):
    """A /dev with two arms, a terminal that is no arm, and two cameras with lasting names."""
    folder = tmp_path / "dev"
    for name in ("ttyACM0", "ttyACM1", "tty0", "video0", "video2"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    links = {
        "serial/by-id/usb-follower": "ttyACM0",
        "serial/by-id/usb-leader": "ttyACM1",
        "v4l/by-path/pci-1-video-index0": "video0",
        "v4l/by-path/pci-2-video-index0": "video2",
    }
    for link, target in links.items():
        (folder / link).parent.mkdir(parents=True, exist_ok=True)
        (folder / link).symlink_to(folder / target)
    return folder


@pytest.fixture
def finders(devices):
    def ports():
        return sorted(str(path) for path in devices.glob("tty*"))

    def cameras():
        return [{"id": str(path)} for path in sorted(devices.glob("video*"))]

    return Finders(ports, cameras, lambda _: np.full((480, 640, 3), 90, np.uint8), devices)


@pytest.fixture
def run(monkeypatch, capsys, finders):
    monkeypatch.setattr(verb, "finders_in_use", lambda: finders)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["regrasp", "station", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return run


@pytest.fixture
def file(run, tmp_path, devices):
    out = tmp_path / "desk.yaml"
    code, _, _ = run(
        "init", "--out", out, "--port", devices / "ttyACM0", "--leader", devices / "ttyACM1",
        "--camera", f"front={devices}/video0", "--camera", f"wrist={devices}/video2",
    )  # fmt: skip
    assert code == 0
    return out


def test_names_that_last_are_written(file, devices):
    station = load_station(file)
    assert station.robot["port"] == str(devices / "serial/by-id/usb-follower")
    assert station.teleop == {
        "type": "so101_leader",
        "port": str(devices / "serial/by-id/usb-leader"),
        "id": "desk_leader",
    }
    assert [camera["index_or_path"] for camera in station.cameras.values()] == [
        str(devices / f"v4l/by-path/pci-{number}-video-index0") for number in (1, 2)
    ]


def test_what_is_written_is_what_is_plugged_in(run, file):
    code, out, _ = run("check", file)
    assert (code, out.splitlines()[-1]) == (0, "Everything is as written.")


def test_a_cable_that_was_pulled_is_named_with_what_is_there(run, file, devices):
    (devices / "video2").unlink()
    code, out, _ = run("check", file, "--json")
    told = json.loads(out)
    assert (code, told["fits"]) == (1, False)
    (wrong,) = [plug for plug in told["plugs"] if plug["wrong"]]
    assert wrong["what"] == "camera wrist"
    assert wrong["wrong"].startswith("Nothing is plugged in there; found ")


def test_a_name_that_the_next_start_may_change_is_told(finders, devices):
    station = station_of("desk", str(devices / "ttyACM0"), {"front": str(devices / "video0")})
    assert [bool(plug.wrong) for plug in check_station(station, finders)] == [True, True]
    assert "usb-follower stays" in check_station(station, finders)[0].wrong


def test_two_names_for_one_camera_are_told(finders, devices):
    path = str(devices / "v4l/by-path/pci-1-video-index0")
    station = station_of("desk", str(devices / "serial/by-id/usb-follower"), {"front": path, "wrist": path})
    assert [plug.wrong for plug in check_station(station, finders)] == [
        "", "", "It is the same device as 'front'; each needs its own.",
    ]  # fmt: skip


def test_another_size_and_no_picture_are_told(finders, file):
    station = load_station(file)
    small = Finders(
        finders.ports, finders.cameras, lambda _: np.zeros((96, 128, 3), np.uint8), finders.devices
    )
    assert check_station(station, small)[2].wrong == "It gives 128 x 96; the file says 640 x 480."

    def refuses(path):
        raise DeviceError(f"The camera at {path} gives no picture: busy.")

    broken = Finders(finders.ports, finders.cameras, refuses, finders.devices)
    assert check_station(station, broken)[2].wrong.endswith("gives no picture: busy.")


def test_only_what_an_arm_may_hang_on_counts_as_a_port(finders):
    assert [port.device.rpartition("/")[2] for port in find_ports(finders)] == ["ttyACM0", "ttyACM1"]
    assert all(port.lasts for port in (*find_ports(finders), *find_cameras(finders)))


def test_without_a_terminal_what_cannot_be_asked_is_told_with_the_flags(run, tmp_path, devices, monkeypatch):
    monkeypatch.setattr(verb, "_asks", lambda: False)
    code, out, err = run("init", "--out", tmp_path / "desk.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("error: Found 2 serial ports (")
    assert "--port" in err
    code, _, err = run("init", "--out", tmp_path / "desk.yaml", "--port", devices / "ttyACM0")
    assert code == 2
    assert err.startswith("error: Found 2 cameras (")
    assert (tmp_path / "desk_cameras" / "video0.png").is_file()
    assert not (tmp_path / "desk.yaml").exists()


def test_at_a_terminal_ports_and_cameras_are_asked_for(run, tmp_path, devices, monkeypatch):
    answers = iter([7, 2, "wrist", ""])
    monkeypatch.setattr(verb, "_asks", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    code, _, _ = run("init", "--out", tmp_path / "desk.yaml")
    assert code == 0
    station = load_station(tmp_path / "desk.yaml")
    assert station.robot["port"].endswith("usb-leader")
    assert list(station.cameras) == ["wrist"]


def test_a_file_without_a_suffix_is_no_trouble(run, tmp_path, monkeypatch):
    answers = iter([1, "front", "front", "wrist"])
    monkeypatch.setattr(verb, "_asks", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    code, out, _ = run("init", "--out", tmp_path / "desk")
    assert (code, "'front' is another camera already" in out) == (0, True)
    assert list(load_station(tmp_path / "desk").cameras) == ["front", "wrist"]


def test_a_camera_by_its_number_is_the_one_of_that_path(run, tmp_path, devices, finders):
    code, _, _ = run(
        "init", "--out", tmp_path / "desk.yaml", "--port", devices / "ttyACM0", "--camera", "front=2"
    )
    (camera,) = load_station(tmp_path / "desk.yaml").cameras.values()
    assert (code, str(camera["index_or_path"])) == (0, str(devices / "v4l/by-path/pci-2-video-index0"))
    written = {**camera, "index_or_path": 2}
    numbered = Station(name="d", robot={"type": "so101_follower", "cameras": {"front": written}})
    (plug,) = check_station(numbered, finders)
    assert "Nothing is plugged in" not in plug.wrong


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--camera", "front=a", "--camera", "front=b"), "Found two cameras called 'front'"),
        (("--camera", "front=a", "--fps", "0"), "--fps"),
        (("--camera", "front=a", "--fps", "240"), "--fps"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(run, tmp_path, devices, words, said):
    code, _, err = run("init", "--out", tmp_path / "desk.yaml", "--port", devices / "ttyACM0", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_a_file_that_is_there_is_kept(run, file, devices):
    before = file.read_text()
    code, _, err = run(
        "init", "--out", file, "--port", devices / "ttyACM1", "--camera", f"front={devices}/video0"
    )
    assert code == 2
    assert err.startswith(f"error: {file} exists already")
    assert file.read_text() == before


def test_show_prints_the_file_and_the_twin_is_built_in(run, file):
    code, out, _ = run("show", file)
    assert (code, out) == (0, file.read_text())
    code, out, _ = run("show", "twin", "--json")
    assert json.loads(out)["robot"]["type"] == "so101_twin"
    assert run("check", "twin")[0] == 0


def test_a_preview_has_the_colours_of_the_picture():
    shown = verb.preview(np.full((48, 64, 3), (10, 20, 30), np.uint8), columns=8)
    assert len(shown.splitlines()) == 3
    assert shown.count("38;2;10;20;30;48;2;10;20;30") == 24


def test_lerobot_takes_the_station_that_is_written(file):
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.stations import make_robot

    robot = make_robot(load_station(file))
    assert list(robot.cameras) == ["front", "wrist"]
    assert str(robot.cameras["front"].index_or_path).endswith("pci-1-video-index0")
