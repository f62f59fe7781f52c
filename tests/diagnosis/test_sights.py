"""What cameras show, decoded once: whole where that is quick, in pairs of neighbouring frames where it is not."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp.data import read_dataset
from regrasp.data.sight import see
from regrasp.data.video import MissingDecoder, VideoError
from regrasp.diagnosis import Undecided
from regrasp.diagnosis import sights as module
from regrasp.diagnosis.sights import sights
from regrasp.faults.pictures import change_camera


class Refusing:
    """A source whose pictures cannot be decoded."""

    def __init__(self, error):
        self.error = error

    def frames(self, indices):
        raise self.error
        yield


def unreadable(dataset, episode, camera, error):
    return change_camera(dataset, camera, lambda one: replace(one, source=Refusing(error)), (episode,))


def test_a_short_recording_is_looked_at_whole(dataset):
    seen = sights(dataset)
    assert seen.whole
    for episode, sight in seen.seen["front"]:
        assert sight.indices.tolist() == list(range(episode.length))


def test_a_long_one_in_pairs_of_neighbours_from_the_first_frame_to_the_last(monkeypatch):
    monkeypatch.setattr(module, "BUDGET_S", 0.001)
    seen = sights(sound_dataset(1, 3))
    assert not seen.whole
    for episode, sight in seen.seen["wrist"]:
        assert (sight.indices[0], sight.indices[-1]) == (0, episode.length - 1)
        assert np.isfinite(sight.motion).sum() >= module.FEWEST_PAIRS
        assert len(sight.indices) < episode.length / 2


def test_sampled_and_whole_agree_where_both_looked(monkeypatch):
    sound = sound_dataset(2, 2)
    whole = sights(sound)
    monkeypatch.setattr(module, "BUDGET_S", 0.001)
    sampled = sights(replace(sound))
    for name in ("front", "wrist"):
        for (_, full), (_, part) in zip(whole.seen[name], sampled.seen[name], strict=True):
            assert np.array_equal(full.grey[part.indices], part.grey)
            known = np.isfinite(part.motion)
            assert np.array_equal(full.motion[part.indices][known], part.motion[known])


@pytest.mark.parametrize("codec", ["libsvtav1", "libx264"])
def test_what_is_jumped_to_is_what_is_decoded_in_a_row(tmp_path, codec):
    camera = (
        read_dataset(write_v3(sound_dataset(3, 2), tmp_path / "d", codec=codec)).episodes[1].cameras["wrist"]
    )
    whole, some = see(camera, range(camera.length)), see(camera, [0, 1, 57, 58, camera.length - 1])
    assert np.array_equal(whole.grey[some.indices], some.grey)


def test_pictures_come_in_the_order_of_the_episodes_whatever_is_decoded_first(dataset):
    numbers = [episode.index for episode, _ in sights(dataset).seen["front"]]
    assert numbers == [episode.index for episode in dataset.episodes]
    for episode, sight in sights(dataset).seen["front"]:
        assert np.array_equal(sight.grey, see(episode.cameras["front"], range(episode.length)).grey)


def test_thumbnails_are_the_means_of_the_picture(dataset):
    camera = dataset.episodes[0].cameras["front"]  # 48 x 64 already
    red, green, blue = np.moveaxis(camera.frames([7])[0].astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue  # ITU-R BT.601
    assert see(camera, [7]).grey[0] == pytest.approx(luma, abs=2.5)


def test_moments_are_spread_from_the_first_frame_to_the_last(dataset):
    for episode, sight in sights(dataset).seen["front"]:
        assert (sight.moments[0], sight.moments[-1], len(sight.moments)) == (0, episode.length - 1, 9)
        assert np.ptp(np.diff(sight.moments)) <= 1


def test_an_episode_that_cannot_be_decoded_leaves_the_others_seen(dataset):
    seen = sights(unreadable(dataset, 2, "wrist", VideoError("cut off")))
    assert [episode.index for episode, _ in seen.seen["wrist"]] == [0, 1, 3, 4, 5]
    assert seen.unseen["wrist"] == {2: "cut off"}
    assert len(seen.seen["front"]) == 6
    assert [episode.index for episode, _ in seen.of("front", "wrist")] == [0, 1, 3, 4, 5]


def test_a_decoder_that_is_missing_is_told_rather_than_blamed_on_the_data(dataset):
    with pytest.raises(MissingDecoder):
        sights(unreadable(dataset, 2, "wrist", MissingDecoder("no AV1 decoder")))


def test_nothing_to_look_at_is_undecided_with_the_reason(dataset):
    blind = dataset
    for number in range(6):
        for camera in ("front", "wrist"):
            blind = unreadable(blind, number, camera, VideoError(f"cut off at {number}"))
    with pytest.raises(Undecided, match=r"^cut off at 0, and 11 more cameras likewise$"):
        sights(blind)


def test_each_picture_is_decoded_once_for_all_checks(dataset, monkeypatch):
    copy = replace(dataset)
    first = sights(copy)
    monkeypatch.setattr(module, "see", lambda *_: pytest.fail("looked twice"))
    assert sights(copy) is first


def test_one_frame_is_enough_to_look_at(dataset):
    camera = dataset.episodes[0].cameras["front"]
    sight = see(camera, [0])
    assert np.isnan(sight.motion).all()
    assert sight.colours.shape == (1, 48, 64, 3)


def test_memory_grows_with_thumbnails_and_not_with_pictures():
    large = sound_dataset(0, 2, seconds=2.0, height=240, width=320)
    pictures = sum(240 * 320 * 3 * episode.length for episode in large.episodes)
    tracemalloc.start()
    sights(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < pictures / 8
