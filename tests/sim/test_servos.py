"""Servos that follow late, sag, have play and stop at their limits."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from regrasp.arm.so101 import GRIPPER, LIMITS
from regrasp.data import read_dataset
from regrasp.sim.free_space import lag_s, replay
from regrasp.sim.imperfections import (
    ENCODER_STEP_DEG,
    GRIPPER_STEP,
    IDEAL,
    Imperfections,
    noise_field,
    with_noise,
)

FPS = 30
REAL = Path(os.environ.get("REGRASP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
MIDDLE = np.array([0.0, -20.0, 40.0, 60.0, -90.0, 40.0])


def swinging(seconds=6.0, degrees=15.0):
    """All joints to and fro about the middle, shape [T, 6]."""
    time = np.arange(round(seconds * FPS)) / FPS
    return MIDDLE + degrees * np.sin(2 * np.pi * 0.4 * time)[:, None]


def settled(action, imperfections):
    """Where the arm comes to rest under one command."""
    return replay(action, np.tile(action, (90, 1)), FPS, imperfections)[-1]


def test_every_joint_follows_three_to_four_frames_late():
    actions = swinging()
    frames = FPS * lag_s(replay(MIDDLE, actions, FPS, Imperfections()), actions, FPS)
    assert (frames >= 2.9).all()
    assert (frames <= 4.3).all()


def test_an_ideal_arm_is_as_late_as_the_loop_alone():
    actions = swinging()
    frames = FPS * lag_s(replay(MIDDLE, actions, FPS, IDEAL), actions, FPS)
    assert (frames <= 1.5).all()


def test_a_stretched_arm_sags():
    stretched = np.array([0.0, 30.0, -30.0, 20.0, -90.0, 40.0])
    gap = settled(stretched, replace(Imperfections(), backlash_deg=(0.0,) * 6)) - stretched
    assert 0.8 < gap[1] < 3.0
    assert 0.8 < gap[2] < 3.0
    assert abs(gap[0]) < 0.2


def test_an_ideal_arm_does_not():
    stretched = np.array([0.0, 30.0, -30.0, 20.0, -90.0, 40.0])
    assert settled(stretched, IDEAL) == pytest.approx(stretched, abs=0.1)


def test_play_swallows_a_small_turn_back():
    imperfections = Imperfections()
    there = np.linspace(MIDDLE, MIDDLE + 10.0, 60)
    back = np.tile(MIDDLE + 10.0 - 0.9 * np.asarray(imperfections.backlash_deg), (60, 1))
    states = replay(MIDDLE, np.concatenate([there, np.tile(there[-1], (60, 1)), back]), FPS, imperfections)
    assert np.abs(states[-1] - states[119])[:GRIPPER].max() <= 2 * ENCODER_STEP_DEG


def test_readings_are_whole_steps_of_the_encoder():
    states = replay(MIDDLE, swinging(1.0), FPS, Imperfections())
    for joint, step in enumerate([ENCODER_STEP_DEG] * 5 + [GRIPPER_STEP]):
        steps = states[:, joint] / step
        assert steps == pytest.approx(np.round(steps), abs=1e-6)


def test_a_command_beyond_the_range_ends_at_its_limit():
    beyond = MIDDLE.copy()
    beyond[3] = 114.0
    assert settled(beyond, Imperfections())[3] == pytest.approx(LIMITS[3, 1], abs=1.0)


@pytest.mark.parametrize("name", ["chethantu_pick_place", "saintyuqi_test_data"])
def test_a_recording_is_followed_better_than_by_an_ideal_arm(name):
    if not (REAL / name).is_dir():
        pytest.skip(f"no recording {name}")
    dataset = read_dataset(REAL / name, video=False)
    episode = dataset.episodes[0]
    errors = [
        np.median(
            np.abs(replay(episode.states[0], episode.actions, round(dataset.fps), arm) - episode.states),
            axis=0,
        )
        for arm in (IDEAL, Imperfections())
    ]
    assert (errors[1][:GRIPPER] < errors[0][:GRIPPER]).all()
    assert (errors[1][:GRIPPER] < 1.0).all()


def test_noise_has_the_asked_strength_and_depends_on_its_key_only():
    grey, noise = np.full((96, 96, 3), 128, dtype=np.uint8), noise_field(2.0, 96, 96)
    one, again, other = (with_noise(grey, noise, key) for key in (5, 5, 6))
    assert (one == again).all()
    assert (one != other).mean() > 0.5
    assert np.std(one) == pytest.approx(2.0, abs=0.1)


def test_noise_stays_within_the_range_of_a_picture():
    for level in (0, 255):
        grey = np.full((32, 32, 3), level, dtype=np.uint8)
        assert np.abs(with_noise(grey, noise_field(5.0, 32, 32), 1).astype(int) - level).max() < 40
