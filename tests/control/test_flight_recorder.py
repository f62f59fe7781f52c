"""The last seconds are kept, and nothing is pickled."""

import gc
import weakref

import numpy as np
import pytest

from regrasp.control import Decision, Tick
from regrasp.control.flight_recorder import FlightRecorder, read_flight
from regrasp.errors import DatasetError

JOINTS = ("pan", "gripper")


def tick(index, wanted=None, **scores):
    picture = np.full((240, 320, 3), index % 256, np.uint8)
    action = np.array([index, 0.0]) if wanted is None else wanted
    return Tick(
        index, index / 10, {"pan.pos": float(index), "gripper.pos": 1.0, "front": picture},
        Decision(action, 1.0, 0, index),
        np.array([index, 0.0]), wanted is not None, ("wrong-shape",) if wanted is not None else (), scores,
    )  # fmt: skip


def flown(ticks, trips=lambda _tick: ()):
    recorder = FlightRecorder(JOINTS, 10, trips)
    for one in ticks:
        recorder(one)
    return recorder


def test_the_last_five_seconds_are_kept(tmp_path):
    path = flown(tick(i, stall=i / 10) for i in range(80)).write(
        tmp_path / "flight" / "episode-000.npz", "Why."
    )
    kept = read_flight(path)
    assert kept["tick"].tolist() == list(range(30, 80))
    assert kept["state"][:, 0].tolist() == list(range(30, 80))
    assert kept["score_stall"][-1] == 7.9
    assert str(kept["said"]) == "Why."
    assert kept["joints"].tolist() == list(JOINTS)


def test_pictures_are_small_and_each_tick_s_own(tmp_path):
    kept = read_flight(flown(tick(i) for i in range(80)).write(tmp_path / "a.npz"))
    assert kept["picture_front"].shape == (50, 60, 80, 3)
    assert kept["picture_front"][:, 0, 0, 0].tolist() == list(range(30, 80))


def test_whole_pictures_are_not_kept():
    ticks = [tick(i) for i in range(3)]
    seen = [weakref.ref(one.observation["front"]) for one in ticks]
    recorder = flown(ticks)
    del ticks
    gc.collect()
    assert [one() for one in seen] == [None] * 3
    assert len(recorder._kept) == 3


def test_what_tripped_is_named_with_its_first_tick(tmp_path):
    recorder = flown((tick(i) for i in range(20)), lambda one: ("stall",) if one.index > 12 else ())
    assert recorder.tripped == {"stall": 13}
    assert read_flight(recorder.write(tmp_path / "a.npz"))["tripped"].tolist() == ["stall in tick 13"]


def test_an_action_of_the_wrong_shape_is_nan_and_has_its_reason(tmp_path):
    kept = read_flight(flown([tick(0), tick(1, wanted=np.zeros(7))]).write(tmp_path / "a.npz"))
    assert np.isnan(kept["wanted"][1]).all()
    assert kept["reasons"].tolist() == ["", "wrong-shape"]


def test_nothing_kept_is_nothing_written(tmp_path):
    recorder = flown([tick(0)])
    recorder.reset()
    assert recorder.write(tmp_path / "a.npz") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"half a file", None])
def test_a_broken_record_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.npz"
    if content:
        path.write_bytes(content)
    with pytest.raises(DatasetError) as raised:
        read_flight(path)
    assert str(raised.value) == (
        f"Found no readable flight record at {path}; expected what `regrasp rollout` writes beside its rollouts."
    )
