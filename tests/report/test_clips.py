"""A clip shows both cameras, the joints, the monitor and the outcome."""

from dataclasses import replace

import av
import numpy as np
import pytest
from deployments import FRAMES, contract, rollouts

from regrasp.data.episode import Camera
from regrasp.data.rollouts import Outcome, Ticks
from regrasp.errors import DatasetError
from regrasp.report.clips import (
    BAD,
    GOOD,
    JOINT_COLOURS,
    NEUTRAL,
    SHOWN_SCORES,
    TRACE,
    VIEW,
    clip,
    fitted,
    write_clips,
)
from regrasp.report.pictures import enlarged, filmstrip
from regrasp.report.pixel_font import text


def played(count=1, **scores):
    made = rollouts(count)
    whole = np.tile(np.arange(FRAMES), count)
    table = np.zeros((len(whole), 6))
    ticks = Ticks(
        np.repeat(np.arange(count), FRAMES), whole, whole / 10, whole * 0.0, whole // 10, whole % 10, table, table,
        whole == 5, scores={name: np.tile(values, count) for name, values in scores.items()},
    )  # fmt: skip
    return replace(made, ticks=ticks)


def film(outcome=None, **scores):
    made = played(**scores)
    return clip(made.episodes[0], made.ticks, outcome, "Grab the brain")


def has(frames, colour):
    return bool((frames == colour).all(axis=-1).any())


def test_a_clip_has_a_frame_for_each_of_the_episode_and_an_even_size():
    frames = film(stall=np.linspace(0, 1, FRAMES))
    assert len(frames) == FRAMES
    assert frames.shape[1] % 2 == frames.shape[2] % 2 == 0
    assert frames.dtype == np.uint8


def test_the_outcome_is_in_the_last_half_second_and_not_before():
    good = film(Outcome(0, True))
    assert has(good[-1], GOOD)
    assert not has(good[0], GOOD)
    assert has(film(Outcome(0, False))[-1], BAD)
    assert has(film(None)[-1], NEUTRAL)


def test_an_intervention_of_the_gate_leaves_its_mark_from_its_tick_on():
    frames = film()
    foot = frames[:, -60:-20]
    assert not has(foot[4], BAD)
    assert has(foot[5], BAD)
    assert has(foot[-1], BAD)


def test_nan_scores_and_missing_scores_are_drawn_as_nothing():
    assert film(stall=np.full(FRAMES, np.nan)).shape == film().shape
    assert film().shape[1] > 2 * TRACE


def test_the_names_of_all_scores_are_written_whatever_the_width_of_the_pictures():
    shown = {name: np.linspace(0, 1, FRAMES) for name in SHOWN_SCORES}
    made = played(**shown)
    front = made.episodes[0].cameras["front"]
    for cameras in ({"front": front}, {"front": front, "wrist": front}):
        frames = clip(replace(made.episodes[0], cameras=cameras), made.ticks, None, "Grab the brain")
        below = frames[:1, -(2 * TRACE + 40) : -TRACE]
        assert all(has(below, colour) for colour in JOINT_COLOURS[: len(shown)]), cameras.keys()


def test_one_file_per_episode_or_one_for_all(tmp_path):
    made = played(2)
    files = write_clips(made, tmp_path / "clips", contract=contract())
    assert [file.name for file in files] == ["episode-000.mp4", "episode-001.mp4"]
    (joined,) = write_clips(made, tmp_path / "all.mp4")
    with av.open(str(joined)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 2 * FRAMES


def test_an_episode_without_pictures_is_one_sentence():
    made = played()
    blind = replace(made.episodes[0], cameras={})
    with pytest.raises(DatasetError) as raised:
        clip(blind, made.ticks, None, "x")
    assert str(raised.value) == (
        "Found no pictures in episode 0; expected at least one camera. Roll out with cameras."
    )


def test_small_letters_are_written_as_capitals_and_unknown_signs_as_a_question():
    np.testing.assert_array_equal(text("ab"), text("AB"))
    np.testing.assert_array_equal(text("é"), text("?"))
    assert text("AB", 2).shape == (14, 22)
    assert text("").shape == (7, 0)


@pytest.mark.parametrize("height", [48, 120, 160, 240, 300, 360, 480, 720])
def test_a_view_shows_the_whole_picture(height):
    picture = np.zeros((1, height, 2 * height, 3), np.uint8)
    picture[:, : height // 8, :, 0] = picture[:, -height // 8 :, :, 1] = 200
    picture[:, :, -height // 8 :, 2] = 200
    shown = fitted(enlarged(picture))
    assert shown.shape[1] == VIEW
    assert has(shown, (200, 0, 0))
    assert has(shown, (0, 200, 0))
    assert has(shown, (0, 200, 200))


def test_a_strip_of_cameras_of_two_heights_shows_all_of_both():
    made = played().episodes[0]
    tall = np.zeros((FRAMES, 96, 128, 3), np.uint8)
    tall[:, -12:, :, 1] = 200
    name, other = made.cameras
    cameras = {name: Camera.from_array(name, tall, made.fps), other: made.cameras[other]}
    assert (filmstrip(replace(made, cameras=cameras))[0, :, :120, 1] > 150).any()
