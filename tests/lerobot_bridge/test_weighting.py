"""Frames of a merged dataset are drawn by the weights of its parts."""

import shutil

import numpy as np
import pytest
import torch
from lerobot.datasets import EpisodeAwareSampler
from safetensors.torch import load_file

from regrasp.data.provenance import Part, write_parts
from regrasp.lerobot_bridge.keeping import Progress
from regrasp.lerobot_bridge.training import resume, train
from regrasp.lerobot_bridge.weighting import WeightedSampler

STARTS, ENDS = [0, 300, 600, 700], [300, 600, 700, 800]
WEIGHTS = [1.0, 1.0, 4.0, 4.0]
"""Two old episodes of 300 frames, two new ones of 100: 600 against 4 x 200."""


def sampler(weights=WEIGHTS, seed=5, **more):
    return WeightedSampler(STARTS, ENDS, shuffle=True, seed=seed, episode_weights=weights, **more)


def drawn(one, epochs=1):
    return np.array([list(one) for _ in range(epochs)])


def test_shares_match_the_weights_in_every_epoch():
    samples = drawn(sampler(), epochs=20)
    assert samples.shape == (20, 800)
    shares = (samples >= 600).mean(axis=1)
    assert shares == pytest.approx(800 / 1400, abs=2 / 800)


def test_each_frame_is_drawn_as_often_as_expected_rounded_up_or_down():
    counts = np.stack([np.bincount(epoch, minlength=800) for epoch in drawn(sampler(), epochs=60)])
    per_epoch = np.repeat(WEIGHTS, [300, 300, 100, 100]) * 800 / 1400
    assert (counts >= np.floor(per_epoch)).all()
    assert (counts <= np.ceil(per_epoch)).all()
    deviation = np.sqrt(0.25 / 60)
    assert np.abs(counts.mean(axis=0) - per_epoch).max() < 5 * deviation


def test_equal_weights_draw_exactly_as_lerobot_does():
    theirs = EpisodeAwareSampler(STARTS, ENDS, shuffle=True, seed=5)
    assert (drawn(sampler([2.0] * 4), 3) == drawn(theirs, 3)).all()


def test_the_order_follows_from_seed_and_epoch_and_goes_on_within_one():
    whole = drawn(sampler(), epochs=3)
    torch.rand(3)
    assert (drawn(sampler(), epochs=3) == whole).all()
    assert (drawn(sampler(seed=6))[0] != whole[0]).any()
    assert (whole[0] != whole[1]).any()
    resumed = sampler()
    resumed.load_state_dict({"epoch": 2, "start_index": 130})
    assert list(resumed) == whole[2][130:].tolist()
    assert len(resumed) == 800


def test_episodes_left_out_are_never_drawn_and_keep_their_own_weight():
    places = {frame: row for row, frame in enumerate([*range(300), *range(700, 800)])}
    some = sampler(episode_indices_to_use=[0, 3], absolute_to_relative_idx=places, drop_n_last_frames=10)
    samples = drawn(some, epochs=10)
    assert samples.shape[1] == 290 + 90
    assert set(np.unique(samples)) <= {*range(290), *range(300, 390)}
    assert (samples >= 300).mean() == pytest.approx(4 * 90 / (4 * 90 + 290), abs=0.01)


def test_it_tells_where_it_begins():
    told = []
    one = sampler()
    one.on_begin = lambda epoch, place: told.append((epoch, place))
    one.load_state_dict({"epoch": 4, "start_index": 700})
    _ = list(one), list(one)
    assert told == [(4, 700), (5, 0)]


@pytest.fixture(scope="module")
def mixed(demonstrations, tmp_path_factory):
    """Two old demonstrations, and a new one of weight 6."""
    folder = tmp_path_factory.mktemp("mixed") / "data"
    shutil.copytree(demonstrations, folder)
    write_parts(
        folder,
        [
            Part(name="old", source="a", content="0", first_episode=0, episodes=2),
            Part(name="new", source="b", content="1", first_episode=2, episodes=1, weight=6.0),
        ],
    )
    return folder


OPTIONS = [
    "--policy.image_size=32",
    "--policy.channels=[4,4,4]",
    "--policy.hidden=32",
    "--save_freq=2",
    "--log_freq=1",
]


@pytest.fixture(scope="module")
def episodes_seen():
    """How often each episode's frames reach the policy."""
    from lerobot.scripts import lerobot_train

    def spied(run):
        seen = []
        original = lerobot_train.update_policy

        def spy(metrics, policy, batch, *rest, **more):
            seen.extend(batch["episode_index"].tolist())
            return original(metrics, policy, batch, *rest, **more)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(lerobot_train, "update_policy", spy)
            return run(), seen

    return spied


def test_a_training_draws_by_weight_and_resumes_to_the_same_weights(mixed, episodes_seen, tmp_path):
    """With changed pictures too: they follow from the place in the epoch."""

    def stop(done, _all):
        if done == 3:
            raise KeyboardInterrupt

    settings = {"steps": 5, "batch": 100, "options": OPTIONS, "augment": "light,front:shift,dropout"}
    whole, seen = episodes_seen(lambda: train(mixed, tmp_path / "whole", **settings))
    with pytest.raises(KeyboardInterrupt):
        train(mixed, tmp_path / "stopped", progress=Progress(on_step=stop), **settings)
    resumed = resume(tmp_path / "stopped")
    one, two = (load_file(run.checkpoint / "model.safetensors") for run in (whole, resumed))
    assert all(torch.equal(one[name], two[name]) for name in one)
    lengths = np.bincount(seen, minlength=3)
    assert lengths[2] / lengths.sum() == pytest.approx(6 / 8, abs=0.06)
    assert resumed.contract.augmentation == whole.contract.augmentation != {}
