"""Pieces of work side by side: in order, the same as one by one, and a sentence where a process dies."""

import os
import signal
import time

import pytest

from regrasp import fan_out as module
from regrasp.errors import MissingExtra, RegraspError, UsageError
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


def stopped_after_one():
    with fan_out(2) as each:
        results = each(time.sleep, [0.0, 800.0, 800.0, 800.0])
        assert next(results) is None
        raise KeyboardInterrupt


def test_nobody_waits_for_what_is_left_after_ctrl_c():
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stopped_after_one()
    assert time.monotonic() - began < 600


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
