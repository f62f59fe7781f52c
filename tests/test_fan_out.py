"""Pieces of work side by side: in order, the same as one by one, and a sentence where a process dies."""

import math
import os
import signal

import pytest

from regrasp import fan_out as module
from regrasp.data.station import load_station
from regrasp.errors import MissingExtra, RegraspError, StationError, UsageError
from regrasp.fan_out import KILLED, fan_out, require_ray


def square(number):
    return number * number, os.getpid()


def refuse(number):
    raise UsageError(f"{number} will not do.")


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_order_from_other_processes():
    with fan_out(2) as each:
        squares, processes = zip(*each(square, range(12)), strict=True)
    assert list(squares) == [number * number for number in range(12)]
    assert os.getpid() not in processes


def test_one_worker_is_this_process():
    with fan_out(1) as each:
        assert list(each(square, [3])) == [(9, os.getpid())]


def test_an_error_of_ours_arrives_as_it_is():
    with fan_out(2) as each, pytest.raises(UsageError, match=r"^7 will not do\.$"):
        list(each(refuse, [7]))


def test_a_process_that_was_killed_is_a_sentence():
    with pytest.raises(RegraspError) as raised, fan_out(2) as each:
        list(each(die, [1]))
    assert str(raised.value) == KILLED


def test_without_ray_there_is_a_sentence_and_exit_code_2(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra) as raised:
        require_ray()
    assert raised.value.exit_code == 2
    assert str(raised.value) == (
        "Found no Ray, which --ray needs; expected the extra 'ray'. Try `pip install 'regrasp[ray]'`, or leave --ray out."
    )
    with pytest.raises(MissingExtra), fan_out(ray=True):
        pass


@pytest.mark.usefixtures("ray_cluster")
def test_ray_gives_the_same_in_the_same_order_and_folder(tmp_path, monkeypatch):
    with fan_out(ray=True) as each:
        assert list(each(math.factorial, range(12))) == [math.factorial(number) for number in range(12)]
        (tmp_path / "desk.yaml").write_text("name: desk\nrobot: {type: so101_twin}\n")
        monkeypatch.chdir(tmp_path)
        (station,) = each(load_station, ["desk.yaml"])
        with pytest.raises(StationError) as raised:
            list(each(load_station, ["nowhere"]))
    assert station == load_station("desk.yaml")
    with pytest.raises(StationError) as expected:
        load_station("nowhere")
    assert str(raised.value) == str(expected.value)


def test_a_ray_cluster_that_cannot_be_reached_is_a_sentence(monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with (
        pytest.raises(
            RegraspError, match=r"^Could not join the Ray cluster at 127\.0\.0\.1:9 \(RAY_ADDRESS\): "
        ),
        fan_out(ray=True),
    ):
        pass
