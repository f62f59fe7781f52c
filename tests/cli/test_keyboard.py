"""Keys at a terminal while an arm moves."""

import os
import pty
import termios

import pytest

from regrasp.cli.keyboard import Keyboard, keyboard


@pytest.fixture
def terminal(monkeypatch):
    """A pseudo-terminal as standard input; write to it what is typed."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield ours
    os.close(ours)


def typed(terminal, text, key):
    os.write(terminal, text)
    for _ in range(1000):
        if pressed := key():
            return pressed
    raise AssertionError("no key came")


def test_keys_are_read_one_by_one_without_return(terminal):
    with keyboard() as person:
        assert person.key() == ""
        assert typed(terminal, b"s", person.key) == "s"
        assert person.key() == ""


def test_the_terminal_is_as_before_afterwards(terminal):
    import sys

    before = termios.tcgetattr(sys.stdin)
    with keyboard():
        assert termios.tcgetattr(sys.stdin) != before
    assert termios.tcgetattr(sys.stdin) == before


def test_without_a_terminal_there_is_nobody(monkeypatch, tmp_path):
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with keyboard() as person:
            assert person is None


def test_an_episode_waits_for_the_space_bar_and_q_stops():
    keys, said = iter(["x", " ", "q"]), []
    person = Keyboard(lambda: "", lambda: next(keys), said.append)
    person.ready(3)
    assert said == [
        "episode 3: set the scene, then press space; while it runs, s success, f failure (q stops)"
    ]
    with pytest.raises(KeyboardInterrupt):
        person.ready(4)
