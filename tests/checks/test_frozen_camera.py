"""A camera repeats one picture while the arm moves."""

from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3
from deployments import contract, rollouts, training
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.frozen_camera import frozen_camera, frozen_camera_deployed
from regrasp.data import Camera, read_dataset
from regrasp.diagnosis import Undecided, sights
from regrasp.diagnosis.repair import DropEpisodes


def test_frozen_stretch_is_reported_with_its_frames_and_length(dataset):
    (finding,) = frozen_camera(faults.frozen_camera(dataset, camera="front", episodes=[2], first=50, last=94))
    assert str(finding.where) == "episode 2, frames 50-94, camera 'front'"
    assert finding.evidence[0].value == pytest.approx(1.5)
    assert "'front'" in finding.summary


@pytest.mark.parametrize("codec", ["libsvtav1", "libx264"])
def test_frozen_stretch_is_seen_through_the_codec(dataset, tmp_path, codec):
    broken = faults.frozen_camera(dataset, episodes=[1])
    (finding,) = frozen_camera(read_dataset(write_v3(broken, tmp_path / "d", codec=codec)))
    assert (finding.where.episodes, finding.where.camera) == ((1,), "wrist")
    assert finding.where.frames == pytest.approx((30, dataset.episodes[1].length - 1), abs=3)


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_sampled_pictures_tell_a_freeze_of_three_seconds_within_the_sampling(monkeypatch, camera):
    monkeypatch.setattr(sights, "BUDGET_S", 0.001)
    sound = sound_dataset(1, 3, seconds=8.0)
    assert not list(frozen_camera(sound))
    (finding,) = frozen_camera(faults.frozen_camera(sound, camera=camera, episodes=[1], first=60, last=150))
    gap = sound.episodes[1].length / (sights.FEWEST_PAIRS - 1)
    assert (finding.where.episodes, finding.where.camera) == ((1,), camera)
    assert 60 <= finding.where.frames[0] <= 60 + gap
    assert 150 - gap <= finding.where.frames[1] <= 150


def test_the_repair_leaves_the_episode_out(dataset):
    (finding,) = frozen_camera(faults.frozen_camera(dataset, episodes=[3]))
    assert finding.fix.repair == DropEpisodes((3,))


def test_still_picture_of_a_resting_arm_is_fine(dataset):
    broken = faults.frozen_camera(dataset)
    resting = broken.map_episodes(lambda e: replace(e, states=e.states[:1] + 0 * e.states), [0])
    assert not list(frozen_camera(resting))


def test_noise_in_a_still_picture_of_a_moving_arm_does_not_hide_it(dataset):
    rng = np.random.default_rng(0)

    def add_noise(episode):
        frames = episode.cameras["wrist"].frames() + rng.normal(0, 1.5, (episode.length, 48, 64, 1))
        noisy = Camera.from_array("wrist", np.clip(frames, 0, 255).astype(np.uint8), episode.fps)
        return replace(episode, cameras={**episode.cameras, "wrist": noisy})

    (finding,) = frozen_camera(faults.frozen_camera(dataset).map_episodes(add_noise, [0]))
    assert finding.where.episodes == (0,)


def test_stretch_of_exactly_the_limit_is_fine(dataset):
    broken = faults.frozen_camera(dataset, camera="front", first=50, last=94)
    assert not list(frozen_camera(broken, max_frozen_s=1.5))
    assert list(frozen_camera(broken, max_frozen_s=1.49))


def test_missing_videos_leave_it_undecided_with_the_reason(dataset, tmp_path):
    folder = write_v3(dataset, tmp_path / "d", codec="libx264")
    for path in folder.glob("videos/*/*/*.mp4"):
        path.unlink()
    with pytest.raises(Undecided) as reason:
        list(frozen_camera(read_dataset(folder)))
    assert str(reason.value) == (
        "camera 'front': no file videos/observation.images.front/chunk-000/file-000.mp4, "
        "and 1 more camera likewise"
    )


def test_a_camera_that_froze_in_rollouts_is_reported_once_with_all_of_them():
    (finding,) = frozen_camera_deployed(contract(), faults.frozen_camera(rollouts(4), camera="wrist"))
    assert (finding.where.camera, finding.where.episodes) == ("wrist", (0, 1, 2, 3))
    assert finding.evidence[0].value == pytest.approx(3.0)
    assert list(frozen_camera_deployed(contract(), rollouts(4))) == []


def test_an_arm_that_hardly_moves_for_the_training_is_no_reason_to_call_a_camera_frozen():
    still = [replace(one, states=one.states[:1] + 0.01 * one.states) for one in rollouts(4).episodes]
    resting = replace(rollouts(4), dataset=replace(rollouts(4).dataset, episodes=tuple(still)))
    assert list(frozen_camera_deployed(contract(), faults.frozen_camera(resting))) == []


def test_without_the_ranges_of_the_training_rollouts_leave_it_undecided():
    known = contract(training())
    unknown = [joint.model_copy(update={"low": float("nan")}) for joint in known.joints]
    with pytest.raises(Undecided, match="whose ranges the contract knows"):
        list(frozen_camera_deployed(known.model_copy(update={"joints": unknown}), rollouts(2)))


def test_a_joint_that_the_training_hardly_moved_is_no_measure_of_motion():
    joints = [
        one.model_copy(update={"low": 0.0, "high": 0.18}) if one.name == "wrist_roll" else one
        for one in contract().joints
    ]
    rng = np.random.default_rng(0)
    run = faults.frozen_camera(rollouts(3))
    still = run.dataset.map_episodes(
        lambda e: replace(e, states=e.states[0] + rng.normal(0, 0.35, e.states.shape) * np.eye(6)[4])
    )
    known = contract().model_copy(update={"joints": joints})
    assert not list(frozen_camera_deployed(known, replace(run, dataset=still)))
    stuck = [
        one.model_copy(update={"low": 0.0, "high": 0.0}) if one.name == "wrist_roll" else one
        for one in joints
    ]
    assert list(frozen_camera_deployed(known.model_copy(update={"joints": stuck}), run))
