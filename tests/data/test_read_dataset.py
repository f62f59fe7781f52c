"""Datasets on disk, in both versions and all storages, become the same arrays."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_folder import write_v3, write_v21
from sound_dataset import INSTRUCTION, sound_dataset

from regrasp.arm.so101 import JOINTS
from regrasp.data import content_hash, read_dataset
from regrasp.data.sight import see

LAYOUTS = {
    "v3.0, AV1": lambda dataset, folder: write_v3(dataset, folder),
    "v3.0, H.264": lambda dataset, folder: write_v3(dataset, folder, codec="libx264"),
    "v3.0, pictures in the table": lambda dataset, folder: write_v3(dataset, folder, video=False),
    "v2.1, H.264": lambda dataset, folder: write_v21(dataset, folder),
    "v2.1, AV1": lambda dataset, folder: write_v21(dataset, folder, codec="libsvtav1"),
}


@pytest.fixture(scope="module", params=LAYOUTS)
def written(request, dataset, tmp_path_factory):
    return LAYOUTS[request.param](dataset, tmp_path_factory.mktemp("layout") / "made-up")


@pytest.fixture
def tables(tmp_path):
    """A v3.0 dataset without cameras, free to be damaged."""
    return write_v3(sound_dataset(cameras=False, episodes=5), tmp_path / "tables")


def test_every_layout_gives_the_same_tables(written, dataset):
    read = read_dataset(written)
    assert content_hash(read) == content_hash(dataset)
    assert [e.index for e in read.episodes] == [0, 1, 2, 3, 4, 5]
    assert (read.joint_names, read.camera_names) == (JOINTS, ("front", "wrist"))
    assert (read.fps, read.frames, read.robot_type) == (30.0, dataset.frames, "so101_follower")
    assert read.tasks == (INSTRUCTION,)
    assert all(e.tasks == (INSTRUCTION,) for e in read.episodes)


def test_every_layout_gives_the_pictures_of_the_right_episode_and_frame(written, dataset):
    read = read_dataset(written)
    for number in (0, 3, 5):
        mine, theirs = read.episodes[number].cameras["wrist"], dataset.episodes[number].cameras["wrist"]
        there = mine.frames([70, 50, 60]).astype(float)
        right, late = (np.abs(there - theirs.frames([70 + k, 50 + k, 60 + k])).mean() for k in (0, 1))
        assert there.shape == (3, 48, 64, 3)
        assert right < 10
        assert right < late


def test_motion_is_that_of_the_pictures(written, dataset):
    made, read = (
        see(d.episodes[4].cameras["wrist"], range(100)).motion for d in (dataset, read_dataset(written))
    )
    assert read.shape == (100,)
    assert np.isnan(read[0])
    assert np.corrcoef(read[1:], made[1:])[0, 1] > 0.9


def test_a_few_episodes_can_be_read_alone(written, dataset):
    read = read_dataset(written, episodes=[1, 4])
    assert [e.index for e in read.episodes] == [1, 4]
    assert np.allclose(read.episodes[1].states, dataset.episodes[4].states, atol=1e-4)
    assert read.episodes[1].cameras["front"].frames([0]).shape == (1, 48, 64, 3)


def test_instructions_are_read_from_an_unnamed_index_too(tmp_path):
    folder = write_v3(sound_dataset(cameras=False), tmp_path / "d", task_column="__index_level_0__")
    assert read_dataset(folder).tasks == (INSTRUCTION,)


def test_rows_in_any_order_are_put_in_order(tables):
    file = tables / "data/chunk-000/file-000.parquet"
    before = content_hash(read_dataset(tables))
    table = pq.read_table(file)
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), file)
    assert content_hash(read_dataset(tables)) == before


def test_other_numeric_columns_are_kept_as_extras(tables):
    for file in (tables / "data/chunk-000").iterdir():
        table = pq.read_table(file)
        last = np.arange(len(table)) % 2 == 0
        pq.write_table(table.append_column("next.success", pa.array(last)), file)
    assert read_dataset(tables).episodes[0].extras["next.success"][:3].tolist() == [1, 0, 1]


def test_an_empty_cell_becomes_nan(tables):
    file = tables / "data/chunk-000/file-000.parquet"
    table = pq.read_table(file)
    holes = pa.array([None, *table.column("timestamp").to_pylist()[1:]], pa.float32())
    pq.write_table(table.set_column(table.column_names.index("timestamp"), "timestamp", holes), file)
    assert np.isnan(read_dataset(tables).episodes[0].timestamps[0])


@pytest.mark.parametrize(
    ("names", "read"),
    [
        ({"motors": [f"main_{i}" for i in range(6)]}, "main_0"),
        ({f"m{i}": i for i in range(6)}, "m0"),
        (None, "joint_1"),
        (["too", "few"], "joint_1"),
    ],
)
def test_joint_names_come_in_many_forms(tables, names, read):
    info = json.loads((tables / "meta/info.json").read_text())
    info["features"]["observation.state"]["names"] = names
    (tables / "meta/info.json").write_text(json.dumps(info))
    assert read_dataset(tables).joint_names[0] == read
    assert len(read_dataset(tables).joint_names) == 6


def test_two_arms_are_twelve_joints(tmp_path):
    one = sound_dataset(cameras=False)
    names = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS)
    both = replace(
        one.map_episodes(
            lambda e: replace(
                e, states=np.hstack([e.states] * 2), actions=np.hstack([e.actions] * 2), joint_names=names
            )
        ),
        joint_names=names,
    )
    assert read_dataset(write_v3(both, tmp_path / "two")).joint_names == names


def test_a_dataset_without_its_videos_still_gives_its_tables(dataset, tmp_path):
    folder = write_v3(dataset, tmp_path / "d", codec="libx264")
    (folder / "videos/observation.images.wrist/chunk-000/file-000.mp4").unlink()
    read = read_dataset(folder)
    assert read.unavailable == {"wrist": "no file videos/observation.images.wrist/chunk-000/file-000.mp4"}
    assert [sorted(e.cameras) for e in read.episodes] == [["front"]] * 4 + [["front", "wrist"]] * 2


def test_videos_are_left_alone_when_they_are_not_wanted(written):
    read = read_dataset(written, video=False)
    assert sorted(read.unavailable) == ["front", "wrist"]
    assert not any(e.cameras for e in read.episodes)


def test_the_hash_tells_wording_and_motion_apart(dataset):
    other = replace(dataset.episodes[0], tasks=("Grab a brain",))
    moved = replace(dataset.episodes[0], actions=dataset.episodes[0].actions + 0.01)
    hashes = {content_hash(replace(dataset, episodes=(e,))) for e in (dataset.episodes[0], other, moved)}
    assert len(hashes) == 3
