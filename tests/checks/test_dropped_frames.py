"""Frames are missing in the middle of an episode, although its timestamps run on."""

from dataclasses import replace

import numpy as np
import pytest
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.dropped_frames import dropped_frames
from regrasp.data import Camera


@pytest.mark.parametrize("fps", [10.0, 20.0, 30.0, 60.0])
@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.8])
def test_a_loss_in_motion_is_named_with_its_frame(fps, seconds):
    sound = sound_dataset(4, cameras=False, fps=fps)
    lost = max(round(seconds * fps), 2)
    (finding,) = dropped_frames(faults.dropped_frames(sound, episodes=[2], frames=lost))
    before = sound.episodes[2].states[:, :5]
    ways = np.linalg.norm(before[lost + 1 :] - before[: -lost - 1], axis=1)
    ways[:3], ways[-3:] = 0, 0
    assert finding.where.episodes == (2,)
    assert finding.where.frames == (ways.argmax() + 1,) * 2


def test_the_number_of_lost_frames_is_about_right(dataset):
    for frames in (6, 12):
        (finding,) = dropped_frames(faults.dropped_frames(dataset, frames=frames))
        told = int(finding.summary.rpartition("about ")[2].split()[0])
        assert told == pytest.approx(frames, rel=0.5)


def test_every_episode_that_lost_frames_is_named(dataset):
    (finding,) = dropped_frames(faults.dropped_frames(dataset, episodes=[1, 3, 4], frames=6))
    assert finding.where.episodes == (1, 3, 4)
    assert finding.summary.startswith("Frames are missing at 3 places in 3 of 6 episodes")


def test_commands_that_jump_alone_are_not_a_loss(dataset):
    assert not list(dropped_frames(faults.jerky_motion(dataset)))


def test_a_motor_of_its_own_that_jumps_is_not_a_loss(dataset):
    names = (*dataset.joint_names[:5], "screwdriver.vel")

    def turn(e):
        states, actions = e.states.copy(), e.actions.copy()
        states[:, 5], actions[:, 5] = [195.0 * (np.arange(e.length) // 40 % 2)] * 2
        return replace(e, states=states, actions=actions, joint_names=names)

    tool = replace(dataset.map_episodes(turn), joint_names=names, action_names=names)
    assert not list(dropped_frames(tool))


def test_a_hole_that_the_timestamps_show_is_left_to_them(dataset):
    def show(e):
        late = np.arange(e.length) >= lost.where.frames[0]
        return replace(e, timestamps=e.timestamps + 0.4 * late)

    broken = faults.dropped_frames(dataset)
    (lost,) = dropped_frames(broken)
    assert not list(dropped_frames(broken.map_episodes(show, [0])))


def test_a_loss_at_rest_does_no_harm_and_is_not_seen(dataset):
    assert not list(dropped_frames(faults.dropped_frames(dataset, at=2, frames=4)))


def test_the_video_decides_where_the_joints_leave_it_open(dataset):
    broken = faults.dropped_frames(dataset, frames=6)
    (finding,) = dropped_frames(broken)
    open_share = finding.evidence[0].value / 100 / 0.8
    (seen,) = dropped_frames(broken, jump_share=open_share)
    assert seen.where == finding.where

    def blind(e):
        dark = {n: Camera.from_array(n, 0 * c.frames(), e.fps) for n, c in e.cameras.items()}
        return replace(e, cameras=dark)

    assert not list(dropped_frames(broken.map_episodes(blind), jump_share=open_share))
    assert not list(
        dropped_frames(broken.map_episodes(lambda e: replace(e, cameras={})), jump_share=open_share)
    )


def test_a_jump_of_exactly_the_limit_is_fine(dataset):
    broken = faults.dropped_frames(dataset).map_episodes(lambda e: replace(e, cameras={}))
    (finding,) = dropped_frames(broken)
    assert not list(dropped_frames(broken, jump_share=finding.evidence[0].value / 100 * (1 + 1e-12)))
    assert list(dropped_frames(broken, jump_share=finding.evidence[0].value / 100 * (1 - 1e-9)))
