"""The dataset was recorded at another rate than it says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v21, write_video
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.wrong_rate import wrong_rate
from regrasp.data import read_dataset
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.runner import run_checks


def test_half_the_rate_in_all_episodes_is_one_line_that_says_what_to_write(dataset):
    result = run_checks({"dataset": faults.wrong_rate(dataset)}, only=["wrong-rate", "irregular-timestamps"])
    (finding,) = result.findings
    assert finding.summary == "Timestamps go at 15 frames per second; meta/info.json says 30."
    assert finding.where.episodes == (0, 1, 2, 3, 4, 5)
    assert finding.fix.summary == "Write fps 15 into meta/info.json, or resample to 30."


def test_some_episodes_at_another_rate_are_named(dataset):
    (finding,) = wrong_rate(faults.wrong_rate(dataset, rate_hz=25, episodes=(1, 5)))
    assert "25 frames per second in 2 episodes of 6" in finding.summary
    assert finding.where.episodes == (1, 5)


@pytest.mark.parametrize(("rate_hz", "found"), [(29.97, 0), (29.12, 0), (29.08, 1), (30.92, 1)])
def test_three_per_cent_are_allowed(dataset, rate_hz, found):
    assert len(list(wrong_rate(faults.wrong_rate(dataset, rate_hz=rate_hz)))) == found


@pytest.mark.parametrize(("hole_s", "jitter_s"), [(0.3, 0.008), (5.0, 0.0)])
def test_holes_and_jitter_do_not_change_the_rate(dataset, hole_s, jitter_s):
    every = range(6)
    broken = faults.irregular_timestamps(dataset, episodes=every, hole_s=hole_s, jitter_s=jitter_s)
    assert not list(wrong_rate(broken))


def test_a_video_of_another_rate_names_camera_and_episode(tmp_path):
    small = sound_dataset(3, episodes=2, seconds=2, height=32, width=32)
    folder = write_v21(small, tmp_path / "d")
    camera = small.episodes[1].cameras["front"]
    path = folder / f"videos/chunk-000/{camera.key}/episode_000001.mp4"
    write_video(path, camera.frames(), 15, "libx264")
    result = run_checks(
        {"dataset": read_dataset(folder)}, only=["wrong-rate", "missing-video", "irregular-timestamps"]
    )
    (finding,) = result.findings
    assert finding.check == "wrong-rate"
    assert str(finding.where) == "episode 1, camera 'front'"
    assert not list(wrong_rate(read_dataset(folder, video=False)))


def test_a_wrong_fps_in_the_metadata_is_told_once_though_videos_disagree_too(tmp_path):
    folder = write_v21(sound_dataset(3, episodes=2, seconds=2, height=32, width=32), tmp_path / "d")
    info = json.loads((folder / "meta/info.json").read_text())
    (folder / "meta/info.json").write_text(json.dumps(info | {"fps": 15}))
    (finding,) = wrong_rate(read_dataset(folder))
    assert finding.summary == "Timestamps go at 30 frames per second; meta/info.json says 15."


def test_time_that_stands_still_has_no_rate(dataset):
    with pytest.raises(Undecided, match="needs an episode of 10 frames"):
        list(wrong_rate(dataset.map_episodes(lambda e: replace(e, timestamps=np.zeros(e.length)))))
