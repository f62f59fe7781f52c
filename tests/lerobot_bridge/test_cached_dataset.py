"""Cached samples are LeRobot's own, every one of them, to the last bit."""

import pickle

import pytest
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.transforms import ImageTransformConfig, ImageTransforms, ImageTransformsConfig
from made_by_lerobot import make_dataset
from torchvision.transforms import v2

from regrasp.errors import DatasetError
from regrasp.lerobot_bridge.cached_dataset import CachedDataset, first_resize
from regrasp.lerobot_bridge.frame_cache import Uncached

CHUNK = {"action": [i / 30 for i in range(10)]}
HISTORY = {
    "action": [i / 30 for i in range(-3, 6)],
    "observation.state": [-2 / 30, 0],
    "observation.images.front": [-4 / 30, -1 / 30, 0],
    "observation.images.wrist": [0],
}
RESIZE = ImageTransformConfig(type="Resize", kwargs={"size": [20, 24]})
JITTER = ImageTransformConfig(type="ColorJitter", kwargs={"brightness": (0.5, 1.5)})


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("video") / "made", odd=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("pictures") / "made", video=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("REGRASP_FRAME_CACHE", str(tmp_path / "frames"))
    return tmp_path / "frames"


def opened(root, *, deltas=None, return_uint8=True, **settings):
    return LeRobotDataset(
        "local/made",
        root=root,
        video_backend="pyav",
        delta_timestamps=deltas,
        return_uint8=return_uint8,
        **settings,
    )


def transforms(*, most=2, **chosen):
    return ImageTransforms(ImageTransformsConfig(enable=True, max_num_transforms=most, tfs=chosen))


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if not isinstance(value, torch.Tensor):
            assert found[key] == value, key
            continue
        assert (found[key].dtype, found[key].shape) == (value.dtype, value.shape), key
        assert torch.equal(found[key], value), key


def assert_all_same(theirs, **settings):
    ours = CachedDataset(theirs, **settings)
    assert len(ours) == len(theirs)
    for row in range(len(theirs)):
        torch.manual_seed(row)
        expected = theirs[row]
        drawn = torch.get_rng_state()
        torch.manual_seed(row)
        assert_same(ours[row], expected)
        assert torch.equal(torch.get_rng_state(), drawn)  # what the policy draws next is the same too
    return ours


@pytest.mark.parametrize("deltas", [None, CHUNK, HISTORY], ids=["none", "chunk", "history"])
@pytest.mark.parametrize("return_uint8", [True, False], ids=["uint8", "float"])
def test_every_sample_of_a_video_dataset(video, deltas, return_uint8):
    assert_all_same(opened(video, deltas=deltas, return_uint8=return_uint8))


@pytest.mark.parametrize("deltas", [None, HISTORY], ids=["none", "history"])
def test_every_sample_of_an_image_dataset(pictures, deltas):
    assert_all_same(opened(pictures, deltas=deltas))


def test_every_sample_of_chosen_episodes(video):
    ours = assert_all_same(opened(video, deltas=HISTORY, episodes=[2, 0]))
    assert len(ours) == 16


def test_every_sample_of_a_video_with_rare_key_frames(tmp_path, cache, monkeypatch):
    monkeypatch.setattr("regrasp.lerobot_bridge.cached_dataset.BLOCK_BYTES", 5 * 48 * 64 * 3)
    root = make_dataset(tmp_path / "made", episodes=(23, 11), g=250, smooth=True)
    assert_all_same(opened(root, deltas=CHUNK))


@pytest.mark.parametrize("deltas", [CHUNK, HISTORY], ids=["chunk", "history"])
def test_every_sample_after_random_transforms(video, deltas):
    theirs = opened(video, deltas=deltas, image_transforms=transforms(jitter=JITTER, resize=RESIZE))
    theirs.set_image_transforms(transforms(jitter=JITTER))
    assert_all_same(theirs)


@pytest.mark.parametrize("deltas", [CHUNK, HISTORY], ids=["chunk", "history"])
def test_frames_that_are_resized_first_are_kept_small(video, cache, deltas):
    if deltas is HISTORY:  # batches of pictures, several at once
        deltas = {key: value for key, value in deltas.items() if "images" not in key or len(value) > 1}
    theirs = opened(video, deltas=deltas, image_transforms=transforms(resize=RESIZE, jitter=JITTER))
    assert_all_same(theirs)
    sizes = {path.stat().st_size for path in cache.glob("*/observation.images.front/episode-*")}
    assert sizes == {20 * 24 * 3 * length + 16 for length in (7, 5, 9)}


def test_frames_are_kept_as_recorded_where_the_resize_is_left_to_chance_or_comes_later(video):
    chance = transforms(most=1, resize=RESIZE, jitter=JITTER)
    later = transforms(jitter=JITTER, resize=RESIZE)
    for given in (chance, later, v2.Resize(20), v2.RandomCrop(20), None):
        assert first_resize(opened(video, image_transforms=given)) is None
    floating = opened(video, image_transforms=v2.Resize((20, 24)), return_uint8=False)
    assert first_resize(floating) is None
    assert_all_same(floating)
    assert first_resize(opened(video, image_transforms=v2.Compose([v2.Resize((20, 24))]))) is not None


def test_a_small_cache_takes_no_transforms_that_need_the_recorded_size(video):
    ours = CachedDataset(opened(video, image_transforms=v2.Resize((20, 24))))
    with pytest.raises(ValueError, match="make the dataset anew"):
        ours.clear_image_transforms()
    assert ours[0]["observation.images.front"].shape == (3, 20, 24)


def test_rows_count_from_the_end_in_slices_and_not_beyond(video):
    theirs = opened(video)
    ours = CachedDataset(theirs)
    assert_same(ours[-1], theirs[-1])
    for found, expected in zip(ours[3:9:2], theirs[3:9:2], strict=True):
        assert_same(found, expected)
    with pytest.raises(IndexError):
        ours[len(ours)]


def test_what_is_done_to_a_sample_leaves_the_next_one_alone(video):
    ours = CachedDataset(opened(video, deltas=HISTORY))
    spoilt = ours[4]
    expected = {key: value.clone() for key, value in spoilt.items() if isinstance(value, torch.Tensor)}
    for value in spoilt.values():
        if isinstance(value, torch.Tensor):
            value.zero_()
    again = ours[4]
    assert all(torch.equal(again[key], value) for key, value in expected.items())


@pytest.mark.parametrize(("context", "workers"), [("fork", 2), ("spawn", 1)])
def test_worker_processes_share_the_frames(video, context, workers):
    theirs = opened(video, deltas=CHUNK)
    ours = CachedDataset(theirs)
    assert len(pickle.dumps(ours)) < 200_000  # the tables, not the frames
    loader = torch.utils.data.DataLoader(
        ours, batch_size=None, num_workers=workers, multiprocessing_context=context
    )
    for found, expected in zip(loader, (theirs[row] for row in range(len(theirs))), strict=True):
        assert_same(found, expected)


def test_making_the_cache_draws_no_random_numbers(video, cache):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    CachedDataset(opened(video))
    assert torch.equal(torch.get_rng_state(), before)


def written(cache):
    return {path: path.stat().st_mtime_ns for path in cache.glob("*/*/episode-*")}


def test_frames_are_decoded_once_and_for_every_choice_of_episodes(video, cache):
    CachedDataset(opened(video, episodes=[0, 1]))
    first = written(cache)
    assert len(first) == 4
    CachedDataset(opened(video))
    both = written(cache)
    assert len(both) == 6
    assert first.items() <= both.items()


def test_another_picture_takes_another_cache(tmp_path, cache):
    root = make_dataset(tmp_path / "made", episodes=(4,))
    CachedDataset(opened(root))
    other = make_dataset(tmp_path / "other" / "made", episodes=(4,), seed=1)
    assert_all_same(opened(other))
    assert len(list(cache.iterdir())) == 2


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_file_is_found_and_its_frames_are_decoded_anew(video, cache):
    CachedDataset(opened(video))
    flip(sorted(written(cache))[2])
    assert_all_same(opened(video))


def test_a_video_that_ends_early_is_said_before_training_begins(tmp_path, cache):
    root = make_dataset(tmp_path / "made", episodes=(6,))
    (path,) = root.glob("videos/observation.images.wrist/*/*.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DatasetError, match=r"Cannot decode observation.images.wrist of episode 000000: .*"):
        CachedDataset(opened(root))


def test_samples_that_would_not_be_lerobot_s_own_are_refused(video, cache, monkeypatch):
    theirs = opened(video)
    plain = LeRobotDataset.__getitem__
    monkeypatch.setattr(
        LeRobotDataset, "__getitem__", lambda self, row: plain(self, row) | {"action": torch.zeros(6)}
    )
    with pytest.raises(Uncached, match="action would not be LeRobot's own to the last bit"):
        CachedDataset(theirs)
