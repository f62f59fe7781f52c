"""A camera's pictures come late or early against the joints."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.video_out_of_step import video_out_of_step
from regrasp.diagnosis import Undecided, sights
from regrasp.diagnosis.runner import run_checks


@pytest.mark.parametrize(("frames", "word"), [(5, "late"), (-5, "early"), (12, "late")])
def test_a_camera_that_is_out_of_step_throughout_is_named_with_the_sign(dataset, frames, word):
    broken = faults.video_out_of_step(dataset, camera="front", frames=frames, episodes=range(6))
    (finding,) = video_out_of_step(broken)
    assert str(finding.where) == "camera 'front'"
    assert f"frames {word} throughout" in finding.summary
    assert finding.evidence[0].value == pytest.approx(abs(frames) / 30, abs=1 / 30)


@pytest.mark.parametrize("frames", [6, -6])
def test_single_episodes_are_named_with_the_sign(dataset, frames):
    (finding,) = video_out_of_step(
        faults.video_out_of_step(dataset, camera="front", frames=frames, episodes=(1, 3))
    )
    assert finding.where.episodes == (1, 3)
    assert ("late" if frames > 0 else "early") in finding.summary


def test_the_latency_of_a_sound_camera_is_fine(dataset):
    late = faults.video_out_of_step(dataset, camera="front", frames=2, episodes=range(6))
    assert not list(video_out_of_step(faults.video_out_of_step(late, frames=3, episodes=range(6))))


def test_a_camera_far_from_another_one_is_out_of_step(dataset):
    apart = faults.video_out_of_step(dataset, camera="wrist", frames=4, episodes=range(6))
    apart = faults.video_out_of_step(apart, camera="front", frames=-1, episodes=range(6))
    (finding,) = video_out_of_step(apart, max_apart_s=0.1)
    assert finding.where.camera == "wrist"
    assert not list(video_out_of_step(apart, max_apart_s=0.2))


def test_apart_by_no_more_than_the_limit_is_fine(dataset):
    broken = faults.video_out_of_step(dataset, camera="front", frames=10, episodes=(3,))
    (finding,) = video_out_of_step(broken)
    apart_s = finding.evidence[0].value
    assert not list(video_out_of_step(broken, max_apart_s=apart_s + 0.01))
    assert list(video_out_of_step(broken, max_apart_s=apart_s - 0.01))


@pytest.mark.parametrize("frames", [8, -8])
def test_sampled_pictures_tell_it_of_all_episodes_together(monkeypatch, frames):
    monkeypatch.setattr(sights, "BUDGET_S", 0.001)
    sound = sound_dataset(1, 12)
    assert not list(video_out_of_step(sound))
    late = faults.video_out_of_step(sound, camera="front", frames=frames, episodes=range(12))
    (finding,) = video_out_of_step(late)
    assert str(finding.where) == "camera 'front'"
    assert ("late" if frames > 0 else "early") in finding.summary


def test_an_arm_at_rest_leaves_it_undecided(dataset):
    def rest(episode):
        return replace(episode, states=np.repeat(episode.states[:1], episode.length, axis=0))

    with pytest.raises(Undecided, match=r"^the arm moves too little"):
        list(video_out_of_step(dataset.map_episodes(rest)))


@pytest.mark.parametrize("fps", [10, 15, 60])
def test_other_rates_are_judged_in_seconds(fps):
    sound = sound_dataset(2, 4, fps=float(fps))
    assert not list(video_out_of_step(sound))
    late = faults.video_out_of_step(sound, camera="front", frames=round(0.4 * fps), episodes=range(4))
    (finding,) = video_out_of_step(late)
    assert finding.evidence[0].value == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("camera", ["front", "wrist"])
@pytest.mark.parametrize("first", [30, 50, 70])
def test_a_frozen_camera_is_not_out_of_step(dataset, camera, first):
    broken = faults.frozen_camera(dataset, camera=camera, first=first, episodes=(0, 4))
    assert not list(video_out_of_step(broken))
    assert {f.check for f in run_checks({"dataset": broken}).findings} == {"frozen-camera"}
