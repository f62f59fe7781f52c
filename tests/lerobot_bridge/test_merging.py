"""Datasets that fit become one, with the right pictures and numbers; those that do not are refused with the reason."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_folder import write_v3, write_v21
from lerobot.datasets import LeRobotDataset
from sound_dataset import sound_dataset
from test_editing import bytes_of, loads_alike

import regrasp
from regrasp.data import content_hash, read_dataset
from regrasp.data.expected import Expected, read_expected, write_expected
from regrasp.data.new_folder import copy_folder
from regrasp.data.provenance import read_parts
from regrasp.data.rollouts import Deployment, Outcome, read_outcomes, write_outcomes
from regrasp.diagnosis.merge_plan import plan_merge
from regrasp.diagnosis.repair import DropEpisodes, RecomputeStatistics
from regrasp.errors import DatasetError, UsageError
from regrasp.lerobot_bridge import merging
from regrasp.lerobot_bridge.editing import apply_repairs
from regrasp.lerobot_bridge.folders import read_info, write_info
from regrasp.lerobot_bridge.merging import merge


def as_lerobot_writes_it(dataset, folder, codec="libx264"):
    """With the counts and statistics that LeRobot's own recordings have."""
    plain = write_v3(dataset, folder.with_name(f"{folder.name}-plain"), codec=codec)
    apply_repairs(read_dataset(plain), folder, [RecomputeStatistics()])
    return folder


def made_up(seed, **changes):
    dataset = sound_dataset(seed, episodes=4, seconds=1.5, height=48, width=64)
    return replace(dataset, **changes)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return as_lerobot_writes_it(made_up(0), tmp_path_factory.mktemp("one") / "one")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Other episodes of the same scene."""
    whole = sound_dataset(0, episodes=7, seconds=1.5, height=48, width=64)
    last = tuple(replace(episode, index=i) for i, episode in enumerate(whole.episodes[4:]))
    return as_lerobot_writes_it(replace(whole, episodes=last), tmp_path_factory.mktemp("two") / "two")


def test_merged_episodes_follow_on_with_their_own_pictures_and_numbers(one, two, tmp_path):
    kept = bytes_of(one), bytes_of(two)
    merge([one, two], tmp_path / "both")
    both = read_dataset(tmp_path / "both")
    parts = [*read_dataset(one).episodes, *read_dataset(two).episodes]
    assert len(both.episodes) == 7
    for merged, episode in zip(both.episodes, parts, strict=True):
        np.testing.assert_array_equal(merged.states, episode.states)
        np.testing.assert_array_equal(merged.actions, episode.actions)
        for name in ("front", "wrist"):
            np.testing.assert_array_equal(merged.cameras[name].frames(), episode.cameras[name].frames())
    assert loads_alike(both)
    assert (bytes_of(one), bytes_of(two)) == kept


def test_episodes_of_one_scene_merge_without_a_warning(one, two):
    assert plan_merge([one, two]).warnings == ()


def test_quantiles_of_the_whole_are_not_averages_of_the_parts(one, two, tmp_path):
    merge([one, two], tmp_path / "both")
    both = read_dataset(tmp_path / "both")
    np.testing.assert_allclose(
        both.stats["action"]["q01"], np.quantile(both.actions, 0.01, axis=0), rtol=1e-6
    )


def test_each_episode_knows_where_it_came_from(one, two, tmp_path):
    merge([one, two], tmp_path / "both", weights=[1, 4])
    first, second = read_parts(tmp_path / "both").parts
    assert (first.name, first.first_episode, first.episodes, first.weight) == ("one", 0, 4, 1.0)
    assert (second.name, second.first_episode, second.episodes, second.weight) == ("two", 4, 3, 4.0)
    assert second.content == content_hash(read_dataset(two))
    assert read_parts(tmp_path / "both").part_of(4) == second


def with_outcomes(dataset, folder, station="twin's expert"):
    """A copy that notes where the object lay in each episode."""
    copy_folder(dataset, folder)
    outcomes = [
        Outcome(number, True, 1.0, 1.5, initial={"object_x_m": 0.2 + number / 100})
        for number in range(len(read_dataset(dataset, video=False).episodes))
    ]
    write_outcomes(folder, outcomes, Deployment(station=station))
    return folder


def test_where_the_object_lay_is_carried_over(one, two, tmp_path):
    parts = [with_outcomes(one, tmp_path / "1"), with_outcomes(two, tmp_path / "2")]
    merge(parts, tmp_path / "both")
    outcomes, deployment = read_outcomes(tmp_path / "both")
    assert [outcome.episode for outcome in outcomes] == [*range(7)]
    assert [round(100 * outcome.initial["object_x_m"]) - 20 for outcome in outcomes] == [0, 1, 2, 3, 0, 1, 2]
    assert deployment == Deployment(station="twin's expert")


def test_what_is_meant_to_be_there_stays_declared(one, two, tmp_path):
    parts = [copy_folder(part, tmp_path / name) or tmp_path / name for part, name in ((one, "1"), (two, "2"))]
    write_expected(
        parts[0], [Expected("idle-stretches", "waits", (3,)), Expected("scattered-starts", "on purpose")]
    )
    write_expected(
        parts[1], [Expected("scattered-starts", "on purpose"), Expected("weak-grasp", "foam", (0,))]
    )
    merge(parts, tmp_path / "both")
    assert read_expected(tmp_path / "both") == (
        Expected("scattered-starts", "on purpose"),
        Expected("idle-stretches", "waits", (3,)),
        Expected("weak-grasp", "foam", (4,)),
    )


def test_the_part_that_lerobot_does_not_load_is_named(one, two, tmp_path):
    copy_folder(two, tmp_path / "broken")
    info = read_info(tmp_path / "broken")
    write_info(tmp_path / "broken", {**info, "total_episodes": 90, "total_frames": 9000})
    with pytest.raises(DatasetError, match=r"LeRobot could not edit a copy of \S*broken "):
        merge([one, tmp_path / "broken"], tmp_path / "both")


def test_no_outcomes_are_carried_over_where_a_part_has_none_or_others(one, two, tmp_path):
    noted = with_outcomes(one, tmp_path / "1")
    merge([noted, two], tmp_path / "some")
    merge([noted, with_outcomes(two, tmp_path / "2", station="desk")], tmp_path / "others")
    assert read_outcomes(tmp_path / "some") is read_outcomes(tmp_path / "others") is None


def test_parts_of_a_merged_dataset_stay_parts(one, two, tmp_path):
    merge([one, two], tmp_path / "both", weights=[1, 2])
    merge([two, tmp_path / "both"], tmp_path / "all", weights=[1, 3])
    parts = read_parts(tmp_path / "all").parts
    assert [(part.name, part.first_episode, part.weight) for part in parts] == [
        ("two", 0, 1.0),
        ("one", 3, 3.0),
        ("two", 7, 6.0),
    ]


def test_more_than_two_are_merged_in_their_order(one, two, tmp_path):
    regrasp.merge([two, one, two], tmp_path / "all")
    lengths = [len(read_dataset(part).episodes) for part in (two, one, two)]
    assert [part.episodes for part in read_parts(tmp_path / "all").parts] == lengths
    assert loads_alike(read_dataset(tmp_path / "all"))


def test_parts_from_which_episodes_were_cut_merge_too(one, two, tmp_path):
    apply_repairs(read_dataset(one), tmp_path / "less", [DropEpisodes((1,))])
    merge([tmp_path / "less", two], tmp_path / "both")
    both, parts = read_dataset(tmp_path / "both"), read_dataset(two).episodes
    for merged, episode in zip(both.episodes[3:], parts, strict=True):
        np.testing.assert_array_equal(merged.cameras["wrist"].frames(), episode.cameras["wrist"].frames())
    assert loads_alike(both)


def test_videos_of_two_codecs_stay_in_files_of_their_own(one, tmp_path):
    av1 = as_lerobot_writes_it(made_up(1), tmp_path / "av1", codec="libsvtav1")
    merge([one, av1], tmp_path / "both")
    assert loads_alike(read_dataset(tmp_path / "both"))


def test_instructions_of_both_are_kept_and_the_slip_is_warned_of(one, tmp_path):
    other = as_lerobot_writes_it(made_up(0, tasks=("grab the  brain",)), tmp_path / "other")
    merged = merge([one, other], tmp_path / "both")
    assert set(read_dataset(tmp_path / "both").tasks) == {"Grab the brain", "grab the  brain"}
    names = [warning.name for warning in merged.plan.warnings]
    assert "near-duplicate-instructions" in names
    assert loads_alike(read_dataset(tmp_path / "both"))


def test_another_instruction_is_said_to_be_a_task_of_its_own(one, tmp_path):
    task = "Put the brain into the bin"
    other = as_lerobot_writes_it(made_up(0, tasks=(task,)), tmp_path / "other")
    (warning,) = [w for w in plan_merge([one, other]).warnings if w.name == "instructions"]
    assert warning.summary == f'other says "{task}"; one says "Grab the brain": each is a task of its own.'


def test_the_same_demonstrations_twice_are_warned_of(one):
    assert [warning.name for warning in plan_merge([one, one]).warnings] == ["same-content"]


def test_other_start_poses_are_warned_of_with_joint_and_limit(one, tmp_path):
    moved = made_up(1)
    shift = np.array([30.0, 0, 0, 0, 0, 0])
    moved = moved.map_episodes(lambda e: replace(e, states=e.states + shift, actions=e.actions + shift))
    other = as_lerobot_writes_it(moved, tmp_path / "other")
    (warning,) = [w for w in plan_merge([one, other]).warnings if w.name == "start-pose"]
    assert "'shoulder_pan' at " in warning.summary
    assert "'elbow_flex'" not in warning.summary


def test_another_scene_is_warned_of_for_each_camera(one, tmp_path):
    other = as_lerobot_writes_it(made_up(1), tmp_path / "other")
    said = [w.summary for w in plan_merge([one, other]).warnings if w.name == "cameras"]
    assert len(said) == 2
    assert said[0].startswith(
        "camera 'front' sees another scene, or from elsewhere, in other than in one: likeness"
    )


def unfit(one, dataset, folder):
    """What is said of a dataset that does not fit `one`."""
    write_v3(dataset, folder, codec="libx264")
    with pytest.raises(DatasetError) as refused:
        plan_merge([one, folder])
    return str(refused.value).removeprefix("These datasets do not fit together.\n").splitlines()


def test_another_rate_is_refused(one, tmp_path):
    other = sound_dataset(0, episodes=2, seconds=1.5, height=48, width=64, fps=15.0)
    (reason,) = unfit(one, other, tmp_path / "other")
    assert reason == (
        "  fps: one has 30 frames a second, other 15; expected the same, because an action lasts one frame. "
        "Record again at one rate."
    )


def test_another_robot_is_refused(one, tmp_path):
    (reason,) = unfit(one, made_up(0, robot_type="koch_follower"), tmp_path / "other")
    assert reason.startswith(
        "  robot: one was recorded with so101_follower, other with koch_follower; expected"
    )


def test_other_joints_are_refused(one, tmp_path):
    names = ("base", *made_up(0).joint_names[1:])
    (reason,) = unfit(one, made_up(0, joint_names=names, action_names=names), tmp_path / "other")
    assert reason.startswith("  joints: one has shoulder_pan, ")
    assert "other has other names: base, " in reason


def test_joints_in_another_order_are_refused(one, tmp_path):
    names = made_up(0).joint_names[::-1]
    (reason,) = unfit(one, made_up(0, joint_names=names, action_names=names), tmp_path / "other")
    assert "other has the same in another order: gripper, " in reason


def scaled(dataset, factor):
    return dataset.map_episodes(lambda e: replace(e, states=e.states * factor, actions=e.actions * factor))


@pytest.mark.parametrize(
    ("factor", "unit"),
    [(np.pi / 180, "radians"), (4096 / 360, "ticks"), (np.deg2rad(1) * np.ones(6), "radians")],
)
def test_another_unit_is_refused(one, tmp_path, factor, unit):
    reasons = unfit(one, scaled(made_up(0), factor), tmp_path / "other")
    assert reasons[0].startswith("  units: the joints of one are in degrees")
    assert f"of other in {unit}; expected the same" in reasons[0]


def test_another_size_of_pictures_is_refused(one, tmp_path):
    other = sound_dataset(0, episodes=2, seconds=1.5, height=24, width=32)
    reasons = unfit(one, other, tmp_path / "other")
    assert reasons[0].startswith(
        "  cameras: 'front' has 48 x 64 pixels in one and 24 x 32 in other; expected"
    )


def test_other_cameras_are_refused(one, tmp_path):
    (reason,) = unfit(one, sound_dataset(0, episodes=2, seconds=1.5, cameras=False), tmp_path / "other")
    assert reason.startswith("  cameras: one has front, wrist; other has none; expected the same names.")


def test_every_reason_is_told_at_once(one, tmp_path):
    other = sound_dataset(0, episodes=2, seconds=1.5, height=24, width=32, fps=15.0)
    assert len(unfit(one, replace(other, robot_type="koch_follower"), tmp_path / "other")) == 4


def test_one_dataset_is_no_merge(one):
    with pytest.raises(UsageError, match="Found 1 dataset to merge; expected two or more"):
        plan_merge([one])


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [1, 0], [1, -2], [1, float("nan")]])
def test_weights_must_be_one_for_each_and_above_0(one, two, weights):
    with pytest.raises(UsageError, match="expected 2 numbers above 0, one for each dataset"):
        plan_merge([one, two], weights)


def test_v21_is_refused_with_lerobots_converter(one, tmp_path):
    old = write_v21(made_up(0), tmp_path / "old", video=False)
    with pytest.raises(DatasetError, match="convert_dataset_v21_to_v30"):
        plan_merge([one, old])


def test_records_that_name_a_file_of_metadata_that_is_not_there_merge(one, two, tmp_path):
    """As LeRobot's own merge leaves them, and refuses them later."""
    copy_folder(two, tmp_path / "merged-before")
    (records,) = (tmp_path / "merged-before" / "meta" / "episodes").rglob("*.parquet")
    table = pq.read_table(records)
    place = table.schema.get_field_index("meta/episodes/file_index")
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array([5] * len(table))), records)
    merge([one, tmp_path / "merged-before"], tmp_path / "both")
    assert loads_alike(read_dataset(tmp_path / "both"))


def test_columns_described_in_other_words_merge(one, two, tmp_path):
    """As those of a recording made with an earlier LeRobot are; LeRobot's own merge refuses it."""
    copy_folder(two, tmp_path / "older")
    info = read_info(two)
    info["features"]["action"]["names"] = {"motors": info["features"]["action"]["names"]}
    info["features"]["observation.images.front"]["info"] = {"video.fps": 30, "video.is_depth_map": False}
    write_info(tmp_path / "older", info)
    merge([one, tmp_path / "older"], tmp_path / "both")
    assert read_info(tmp_path / "both")["features"]["action"] == read_info(one)["features"]["action"]
    assert loads_alike(read_dataset(tmp_path / "both"))


def test_what_lerobot_cannot_merge_leaves_no_half_folder(one, two, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ValueError("x" * 1000)

    monkeypatch.setattr(merging, "merge_datasets", fail)
    with pytest.raises(DatasetError) as refused:
        merge([one, two], tmp_path / "both")
    assert str(refused.value).startswith(f"LeRobot could not edit a copy of {one} (ValueError: xxx")
    assert len(str(refused.value)) < 500
    assert list(tmp_path.iterdir()) == []


def test_a_merged_dataset_trains_as_one(one, two, tmp_path):
    merge([one, two], tmp_path / "both")
    batch = LeRobotDataset(
        "local/both",
        root=tmp_path / "both",
        video_backend="pyav",
        delta_timestamps={"action": [0, 1 / 30, 2 / 30]},
    )[read_dataset(one).frames]
    second = read_dataset(two).episodes[0]
    np.testing.assert_allclose(batch["action"], second.actions[:3], atol=1e-4)
