"""Repairs, carried out on a copy: the result is clean, loads in LeRobot, and shows the right pictures."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3, write_v21
from lerobot.datasets import LeRobotDataset
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.data import read_dataset
from regrasp.data.provenance import Part, read_parts, write_parts
from regrasp.data.rollouts import Deployment, Outcome, read_outcomes, write_outcomes
from regrasp.diagnosis.repair import (
    ConvertUnits,
    DropEpisodes,
    Line,
    RecomputeStatistics,
    RepairCounts,
    ReplaceInstructions,
    SwapCameras,
    TrimEpisodes,
)
from regrasp.errors import DatasetError, UsageError
from regrasp.lerobot_bridge import editing
from regrasp.lerobot_bridge.editing import apply_repairs, fix
from regrasp.lerobot_bridge.folders import count_anew, read_info, read_rows, write_info, write_rows


@pytest.fixture(scope="module")
def sound():
    return sound_dataset(episodes=5, seconds=1.5, height=48, width=64)


@pytest.fixture(scope="module")
def source(sound, tmp_path_factory):
    """Two tables and two H.264 files for each camera: episodes 0-3 and 4."""
    return write_v3(sound, tmp_path_factory.mktemp("source") / "source", codec="libx264")


@pytest.fixture
def repaired(source, tmp_path):
    """What a repair of `source` gives, and the source as it was read."""

    def repair(*repairs):
        before = read_dataset(source)
        apply_repairs(before, tmp_path / "new", repairs)
        return before, read_dataset(tmp_path / "new")

    return repair


def bytes_of(folder):
    """What every file of a folder holds, by name."""
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def same_pictures(episode, other, camera, *, of=None, frames=None):
    return np.array_equal(episode.cameras[camera].frames(), other.cameras[of or camera].frames(frames))


def loads_alike(dataset):
    """LeRobot gives the numbers and the pictures that Regrasp reads, at both ends of each episode."""
    theirs = LeRobotDataset("local/new", root=dataset.path, video_backend="pyav")
    assert (theirs.num_episodes, theirs.num_frames) == (len(dataset.episodes), dataset.frames)
    first = 0
    for episode in dataset.episodes:
        for frame in (0, episode.length - 1):
            item = theirs[first + frame]
            assert (item["episode_index"], item["frame_index"]) == (episode.index, frame)
            assert item["task"] == dataset.tasks[episode.task_indices[frame]]
            np.testing.assert_allclose(item["observation.state"], episode.states[frame], atol=1e-4)
            np.testing.assert_allclose(item["action"], episode.actions[frame], atol=1e-4)
            for name, camera in episode.cameras.items():
                pixels = item[camera.key].numpy().transpose(1, 2, 0) * 255
                np.testing.assert_allclose(pixels, episode.cameras[name].frames([frame])[0], atol=3)
        first += episode.length
    return True


def test_dropped_episodes_are_gone_and_the_others_keep_every_picture(repaired):
    before, after = repaired(DropEpisodes((1, 4)))
    assert [episode.index for episode in after.episodes] == [0, 1, 2]
    for left, old in zip(after.episodes, (0, 2, 3), strict=True):
        np.testing.assert_array_equal(left.states, before.episodes[old].states)
        assert same_pictures(left, before.episodes[old], "front")
        assert same_pictures(left, before.episodes[old], "wrist")
    assert loads_alike(after)


def test_cameras_are_put_back_in_the_named_episodes_alone(repaired):
    before, after = repaired(SwapCameras((1, 4), ("front", "wrist")))
    for new, old in zip(after.episodes, before.episodes, strict=True):
        turned = new.index in (1, 4)
        assert same_pictures(new, old, "front", of="wrist" if turned else "front")
        assert same_pictures(new, old, "wrist", of="front" if turned else "wrist")
    assert loads_alike(after)


def test_cameras_that_are_exchanged_twice_are_where_they_were(repaired):
    swap = SwapCameras((2,), ("front", "wrist"))
    before, after = repaired(swap, swap)
    assert same_pictures(after.episodes[2], before.episodes[2], "front")


def test_a_trimmed_episode_begins_at_0_with_the_first_frame_that_is_kept(repaired):
    before, after = repaired(TrimEpisodes({0: (7, 30), 3: (0, 20)}))
    for number, first, last in ((0, 7, 30), (3, 0, 20)):
        new, old = after.episodes[number], before.episodes[number]
        np.testing.assert_array_equal(new.states, old.states[first : last + 1])
        np.testing.assert_allclose(new.timestamps, np.arange(last - first + 1) / 30, atol=1e-5)
        assert same_pictures(new, old, "wrist", frames=range(first, last + 1))
    assert same_pictures(after.episodes[1], before.episodes[1], "front")
    assert loads_alike(after)


def test_of_two_cuts_of_one_episode_what_both_leave_is_kept(repaired):
    before, after = repaired(TrimEpisodes({1: (5, 40)}), TrimEpisodes({1: (0, 25)}))
    np.testing.assert_array_equal(after.episodes[1].states, before.episodes[1].states[5:26])


def test_a_unit_is_converted_in_the_named_episodes_and_joints_alone(repaired):
    before, after = repaired(ConvertUnits((1,), {"gripper": Line(-1, 100), "elbow_flex": Line(2)}))
    for new, old in zip(after.episodes, before.episodes, strict=True):
        for ours, theirs in ((new.states, old.states), (new.actions, old.actions)):
            expected = theirs.copy()
            if new.index == 1:
                expected[:, 2] *= 2
                expected[:, 5] = 100 - expected[:, 5]
            np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert loads_alike(after)


def test_all_repairs_at_once_speak_of_the_numbers_that_were_judged(repaired):
    before, after = repaired(
        DropEpisodes((0,)),
        TrimEpisodes({0: (3, 9), 3: (10, 20)}),
        SwapCameras((0, 3), ("front", "wrist")),
        ConvertUnits((4,), {"gripper": Line(-1, 100)}),
        ReplaceInstructions({"Grab the brain": "Lift the brain"}),
    )
    assert after.tasks == ("Lift the brain",)
    assert [episode.length for episode in after.episodes] == [
        before.episodes[1].length,
        before.episodes[2].length,
        11,
        before.episodes[4].length,
    ]
    assert same_pictures(after.episodes[2], before.episodes[3], "front", of="wrist", frames=range(10, 21))
    np.testing.assert_allclose(
        after.episodes[3].states[:, 5], 100 - before.episodes[4].states[:, 5], atol=1e-4
    )
    assert loads_alike(after)


def test_statistics_are_those_of_all_frames_quantiles_too(repaired):
    _, after = repaired(DropEpisodes((2,)))
    for name, values in (("observation.state", after.states), ("action", after.actions)):
        stats = after.stats[name]
        np.testing.assert_allclose(stats["mean"], values.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(stats["std"], values.std(axis=0), rtol=1e-6)
        np.testing.assert_allclose(stats["q01"], np.quantile(values, 0.01, axis=0), rtol=1e-6)
        np.testing.assert_allclose(stats["q99"], np.quantile(values, 0.99, axis=0), rtol=1e-6)
        assert stats["count"] == [after.frames]


def test_statistics_of_pictures_are_those_of_the_pixels(repaired):
    _, after = repaired(RecomputeStatistics(pictures=True))
    pixels = np.concatenate([episode.cameras["front"].frames() for episode in after.episodes]) / 255
    stats = after.stats["observation.images.front"]
    np.testing.assert_allclose(stats["mean"].ravel(), pixels.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(stats["std"].ravel(), pixels.std(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(stats["max"].ravel(), pixels.max(axis=(0, 1, 2)), rtol=1e-6)


def test_statistics_of_pictures_change_places_with_them(source, tmp_path):
    """They are exchanged, not computed anew: those of a real recording may cover more pictures."""
    apply_repairs(read_dataset(source), tmp_path / "plain", [RecomputeStatistics()])
    before = read_rows(tmp_path / "plain")
    swap = SwapCameras((1,), ("front", "wrist"))
    apply_repairs(read_dataset(tmp_path / "plain"), tmp_path / "new", [swap])
    after = read_rows(tmp_path / "new")
    for name in ("mean", "q10", "count"):
        front, wrist = (f"stats/observation.images.{camera}/{name}" for camera in ("front", "wrist"))
        assert (after[0][front], after[0][wrist]) == (before[0][front], before[0][wrist])
        assert (after[1][front], after[1][wrist]) == (before[1][wrist], before[1][front])
    assert (
        before[1]["stats/observation.images.front/mean"] != before[1]["stats/observation.images.wrist/mean"]
    )


def test_an_episode_that_is_not_there_is_named(source, tmp_path):
    with pytest.raises(
        DatasetError, match=r"Found no episode 7 to repair; expected one of the 5 there are\."
    ):
        apply_repairs(read_dataset(source), tmp_path / "new", [DropEpisodes((0, 7))])


def test_counts_are_written_as_the_tables_have_them(source, sound, tmp_path):
    broken = tmp_path / "broken"
    editing.copy_folder(source, broken)
    write_info(broken, {**read_info(broken), "total_episodes": 99, "total_frames": 1})
    rows = read_rows(broken)
    rows[1]["length"] = 3
    write_rows(broken, rows)
    fixed = fix(broken, tmp_path / "new", names=["wrong-counts"])
    assert [step.repair for step in fixed.plan.steps] == [RepairCounts()]
    assert fixed.after.findings == ()
    info = read_info(tmp_path / "new")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (5, sound.frames, 1)
    assert [row["length"] for row in read_rows(tmp_path / "new")] == [e.length for e in sound.episodes]
    assert loads_alike(read_dataset(tmp_path / "new"))


def test_counting_anew_what_is_right_changes_no_table(source, tmp_path):
    copy = tmp_path / "copy"
    editing.copy_folder(source, copy)
    before = bytes_of(copy / "data")
    assert count_anew(copy) == {number: number for number in range(5)}
    assert bytes_of(copy / "data") == before


def test_pictures_in_tables_are_exchanged_cut_and_dropped_too(sound, tmp_path):
    before = read_dataset(write_v3(sound, tmp_path / "images", video=False))
    apply_repairs(
        before,
        tmp_path / "new",
        [SwapCameras((1,), ("front", "wrist")), TrimEpisodes({1: (4, 12)}), DropEpisodes((0,))],
    )
    after = read_dataset(tmp_path / "new")
    assert same_pictures(after.episodes[0], before.episodes[1], "front", of="wrist", frames=range(4, 13))
    assert same_pictures(after.episodes[1], before.episodes[2], "front")
    assert loads_alike(after)


def test_av1_is_cut_without_loss(sound, tmp_path):
    before = read_dataset(write_v3(sound, tmp_path / "av1"))
    apply_repairs(before, tmp_path / "new", [DropEpisodes((1,)), TrimEpisodes({2: (5, 15)})])
    after = read_dataset(tmp_path / "new")
    assert same_pictures(after.episodes[0], before.episodes[0], "front")
    assert same_pictures(after.episodes[1], before.episodes[2], "wrist", frames=range(5, 16))
    assert loads_alike(after)


def test_without_cameras_there_is_nothing_to_cut(tmp_path):
    before = read_dataset(write_v3(sound_dataset(episodes=3, cameras=False), tmp_path / "joints"))
    apply_repairs(before, tmp_path / "new", [DropEpisodes((1,)), TrimEpisodes({0: (5, 40)})])
    after = read_dataset(tmp_path / "new")
    np.testing.assert_array_equal(after.episodes[0].states, before.episodes[0].states[5:41])
    assert loads_alike(after)


def test_fixed_data_pass_the_checks_that_found_the_defects(sound, tmp_path):
    broken = faults.near_duplicate_instructions(faults.nan_values(sound, episodes=[1]))
    folder = write_v3(broken, tmp_path / "broken", codec="libx264")
    kept = bytes_of(folder)
    names = ["nan-values", "near-duplicate-instructions"]
    fixed = fix(folder, tmp_path / "new", names=names)
    assert {step.check for step in fixed.plan.steps} == set(names)
    assert fixed.after.findings == ()
    assert fixed.done
    assert len(fixed.after.dataset.episodes) == 4
    assert loads_alike(fixed.after.dataset)
    assert bytes_of(folder) == kept


def test_only_the_named_checks_are_put_right(sound, tmp_path):
    broken = faults.near_duplicate_instructions(faults.nan_values(sound, episodes=[1]))
    folder = write_v3(broken, tmp_path / "broken", codec="libx264")
    fixed = fix(folder, tmp_path / "new", names=["near-duplicate-instructions"])
    assert len(fixed.after.dataset.episodes) == 5
    assert len(fixed.after.dataset.tasks) == 1


def test_sound_data_are_not_copied(source, tmp_path):
    fixed = fix(source, tmp_path / "new", names=["nan-values"])
    assert fixed.into is None
    assert fixed.done
    assert not (tmp_path / "new").exists()


def test_defects_in_every_episode_are_left_to_a_person(sound, tmp_path):
    every = [episode.index for episode in sound.episodes]
    folder = write_v3(faults.nan_values(sound, episodes=every), tmp_path / "broken", codec="libx264")
    fixed = fix(folder, tmp_path / "new", names=["nan-values"])
    assert not fixed.plan.steps
    assert [finding.check for finding in fixed.plan.needs_you] == ["nan-values"]


def test_frames_that_are_not_numbers_do_not_spoil_the_statistics(sound, tmp_path):
    every = [episode.index for episode in sound.episodes]
    before = read_dataset(
        write_v3(faults.nan_values(sound, episodes=every), tmp_path / "nan", codec="libx264")
    )
    apply_repairs(before, tmp_path / "new", [RecomputeStatistics()])
    stats = read_dataset(tmp_path / "new").stats["action"]
    assert all(np.isfinite(values).all() for values in stats.values())


def test_parts_of_a_merged_dataset_lose_the_dropped_episodes(source, tmp_path):
    merged = tmp_path / "merged"
    editing.copy_folder(source, merged)
    part = Part(name="a", source="a", content="0", first_episode=0, episodes=1)
    rest = part.model_copy(update={"name": "b", "first_episode": 1, "episodes": 4, "weight": 3.0})
    write_parts(merged, [part, rest])
    apply_repairs(read_dataset(merged), tmp_path / "new", [DropEpisodes((0, 2))])
    (left,) = read_parts(tmp_path / "new").parts
    assert (left.name, left.first_episode, left.episodes, left.weight) == ("b", 0, 3, 3.0)


def test_files_that_are_not_lerobots_are_carried_over(source, tmp_path):
    noted = tmp_path / "noted"
    editing.copy_folder(source, noted)
    (noted / "meta" / "regrasp_expected.yaml").write_text("[]")
    (noted / "README.md").write_text("ours")
    apply_repairs(read_dataset(noted), tmp_path / "new", [DropEpisodes((0,))])
    assert (tmp_path / "new" / "meta" / "regrasp_expected.yaml").read_text() == "[]"
    assert (tmp_path / "new" / "README.md").read_text() == "ours"


def test_an_existing_folder_is_left_alone(source, tmp_path):
    (tmp_path / "new").mkdir()
    with pytest.raises(UsageError, match="exists already; expected a new folder"):
        apply_repairs(read_dataset(source), tmp_path / "new", [DropEpisodes((0,))])
    assert list((tmp_path / "new").iterdir()) == []


def test_a_copy_inside_the_original_is_refused(source):
    with pytest.raises(UsageError, match=r"lies inside the dataset .* expected a folder outside it"):
        apply_repairs(read_dataset(source), source / "meta" / "new", [DropEpisodes((0,))])


@pytest.mark.parametrize(
    ("mishap", "raised"),
    [
        (OSError(28, "No space left on device"), DatasetError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ValueError("no"), DatasetError),
    ],
)
def test_a_mishap_leaves_no_half_folder_and_the_original_as_it_was(
    source, tmp_path, monkeypatch, mishap, raised
):
    def fail(*_args, **_kwargs):
        raise mishap

    kept = bytes_of(source)
    monkeypatch.setattr(editing, "delete_episodes", fail)
    with pytest.raises(raised) as caught:
        apply_repairs(read_dataset(source), tmp_path / "new", [DropEpisodes((0,))])
    assert list(tmp_path.iterdir()) == []
    assert bytes_of(source) == kept
    if isinstance(mishap, OSError):
        assert str(caught.value) == (
            f"Could not write {tmp_path}/new: the disk is full; expected room for a copy. "
            "Free some space and run the same command again."
        )


def test_a_full_disk_is_foreseen(source, tmp_path, monkeypatch):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(DatasetError, match=r"Found 0 MB free .* Free some space"):
        apply_repairs(read_dataset(source), tmp_path / "new", [DropEpisodes((0,))])


def test_a_read_only_original_gives_a_copy_that_can_be_written(source, tmp_path):
    locked = tmp_path / "locked"
    editing.copy_folder(source, locked)
    for path in [*locked.rglob("*"), locked]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    apply_repairs(read_dataset(locked), tmp_path / "new", [DropEpisodes((0,))])
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "new").rglob("*"))


def test_v21_is_refused_with_lerobots_converter(sound, tmp_path):
    folder = write_v21(sound, tmp_path / "old", video=False)
    with pytest.raises(DatasetError, match=r"expected v3\.0.*lerobot\.scripts\.convert_dataset_v21_to_v30"):
        apply_repairs(read_dataset(folder), tmp_path / "new", [DropEpisodes((0,))])


def test_a_missing_video_is_named_and_nobody_is_asked_over_the_network(source, tmp_path):
    lost = tmp_path / "lost"
    editing.copy_folder(source, lost)
    next(iter(sorted(lost.rglob("*.mp4")))).unlink()
    with pytest.raises(DatasetError, match=r"Found no file videos/observation\.images\.front/"):
        apply_repairs(read_dataset(lost), tmp_path / "new", [DropEpisodes((0,))])


def test_cameras_of_different_size_cannot_change_places(sound, tmp_path):
    small = [
        replace(
            episode,
            cameras={
                name: type(camera).from_array(
                    name, camera.frames()[:, :24, :32] if name == "wrist" else camera.frames(), 30
                )
                for name, camera in episode.cameras.items()
            },
        )
        for episode in sound.episodes
    ]
    folder = write_v3(replace(sound, episodes=tuple(small)), tmp_path / "sizes", codec="libx264")
    with pytest.raises(DatasetError, match="expected the same size, so that they can change places"):
        apply_repairs(read_dataset(folder), tmp_path / "new", [SwapCameras((0,), ("front", "wrist"))])


def test_lerobots_cache_of_tables_is_as_it_was(source, tmp_path, tmp_path_factory, monkeypatch):
    from datasets import config

    cache = tmp_path_factory.mktemp("cache")  # others fill the user's meanwhile
    monkeypatch.setattr(config, "HF_DATASETS_CACHE", cache)
    apply_repairs(read_dataset(source), tmp_path / "new", [DropEpisodes((0,))])
    assert cache == config.HF_DATASETS_CACHE
    assert list(cache.rglob("*.arrow")) == []
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_outcomes_of_the_episodes_that_are_left_go_with_them(source, tmp_path):
    scored = tmp_path / "scored"
    editing.copy_folder(source, scored)
    outcomes = [Outcome(episode=number, success=number % 2 == 0, seed=10 + number) for number in range(5)]
    write_outcomes(scored, outcomes, Deployment(task="Grab the brain"))
    apply_repairs(read_dataset(scored), tmp_path / "new", [DropEpisodes((0, 3))])
    left, _ = read_outcomes(tmp_path / "new")
    assert [(one.episode, one.seed) for one in left] == [(0, 11), (1, 12), (2, 14)]


def test_an_episode_that_lost_rows_is_not_counted_anew_in_passing(source, tmp_path):
    """Its pictures are out of step with its joints, and afterwards nothing would tell."""
    broken = tmp_path / "broken"
    editing.copy_folder(source, broken)
    rows = read_rows(broken)
    rows[1]["length"] += 5
    write_rows(broken, rows)
    with pytest.raises(DatasetError, match="rows were lost, and its pictures are out of step"):
        apply_repairs(read_dataset(broken), tmp_path / "new", [RecomputeStatistics()])
    apply_repairs(read_dataset(broken), tmp_path / "new", [RecomputeStatistics(), DropEpisodes((1,))])
    assert len(read_dataset(tmp_path / "new").episodes) == 4
