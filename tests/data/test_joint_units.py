"""In which unit the body joints are, told by the encoder's step."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp.data import read_dataset
from regrasp.data.joint_units import ENCODER_STEPS_DEG, body_unit


@pytest.fixture(scope="module")
def sound():
    """Whole counts of a servo, in degrees; no joint near 100 until the elbow is folded."""
    return sound_dataset(episodes=4, cameras=False)


def in_percent(episode, ranges=(2400, 2290, 2210, 2280, 4095)):
    """As LeRobot gives joints whose calibrated ranges are so many counts, with `use_degrees=false`."""
    counts = np.round(episode.states[:, :5] / ENCODER_STEPS_DEG[1])
    percent = np.clip(200 * counts / np.array(ranges), -100, 100)
    states = np.column_stack([percent, episode.states[:, 5]]).astype(np.float32).astype(np.float64)
    return replace(episode, states=states)


@pytest.mark.parametrize("step", ENCODER_STEPS_DEG)
def test_whole_counts_in_degrees_are_degrees(sound, step):
    counted = sound.map_episodes(lambda e: replace(e, states=np.round(e.states / step) * step))
    stored = counted.map_episodes(lambda e: replace(e, states=e.states.astype(np.float32).astype(np.float64)))
    assert body_unit(stored) == "deg"


def test_degrees_off_by_a_calibration_are_degrees(sound):
    offset = np.array([0.03, -17.0, 4.4, 0.02, 1.0, 0.0])
    assert body_unit(sound.map_episodes(lambda e: replace(e, states=e.states + offset))) == "deg"


def test_counts_of_differing_ranges_are_percent(sound):
    assert body_unit(sound.map_episodes(in_percent)) == "-100..100"


def test_an_episode_in_another_unit_leaves_it_unknown(sound):
    assert body_unit(sound.map_episodes(in_percent, [1])) == "unknown"
    radians = sound.map_episodes(lambda e: replace(e, states=np.deg2rad(e.states)), [1])
    assert body_unit(radians) == "unknown"


def test_smoothed_values_within_a_hundred_do_not_tell(sound):
    rng = np.random.default_rng(0)
    smooth = sound.map_episodes(
        lambda e: replace(e, states=0.9 * e.states + rng.normal(0, 0.1, e.states.shape))
    )
    assert body_unit(smooth) == "unknown"


def test_smoothed_values_beyond_a_hundred_are_degrees(sound):
    rng = np.random.default_rng(0)
    wide = sound.map_episodes(
        lambda e: replace(e, states=1.1 * e.states + rng.normal(0, 0.1, e.states.shape))
    )
    assert body_unit(wide) == "deg"


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("chethantu_pick_place", "deg"),
        ("saintyuqi_test_data", "deg"),
        ("record-test", "-100..100"),
        ("techin517_so101_test", "-100..100"),
    ],
)
def test_recordings_of_real_arms(real_data, name, unit):
    assert body_unit(read_dataset(real_data / name, video=False)) == unit


@pytest.mark.parametrize("step", ENCODER_STEPS_DEG)
def test_of_two_arms_neither_gripper_is_a_joint_of_its_body(sound, step):
    names = tuple(f"{side}_{name}" for side in ("left", "right") for name in sound.joint_names)

    def twice(episode):
        counted = np.rint(episode.states / step) * step
        counted[:, -1] = episode.states[:, -1]
        return replace(
            episode,
            states=np.hstack([counted] * 2),
            actions=np.hstack([episode.actions] * 2),
            joint_names=names,
        )

    assert body_unit(replace(sound.map_episodes(twice), joint_names=names)) == "deg"
