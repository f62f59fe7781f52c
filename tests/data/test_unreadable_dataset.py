"""What cannot be read is said in one sentence: found, where, expected, try."""

import json
import re
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

from regrasp.data import Camera, Dataset, Episode, read_dataset
from regrasp.data.video import VideoError
from regrasp.errors import DatasetError

AGAIN = "try to copy or download the dataset again."


@pytest.fixture
def folder(tmp_path):
    return write_v3(sound_dataset(cameras=False, episodes=5), tmp_path / "d")


def says(path, **options):
    with pytest.raises(DatasetError) as raised:
        read_dataset(path, **options)
    return str(raised.value)


def change_info(folder, **changes):
    path = folder / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_column(folder, name, column):
    path = folder / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(name), name, column(table)), path)


def test_missing_folder():
    assert says("/no/such/folder") == (
        "Found no dataset at /no/such/folder; expected a folder with meta/info.json, or a Hub id such as "
        "'owner/name'; try the path that was given to lerobot-record as --dataset.root."
    )


def test_a_file_instead_of_a_folder(folder):
    path = folder / "meta/info.json"
    assert says(path) == (
        f"Found a file at {path}; expected the folder of a LeRobot dataset; try the folder that holds 'meta'."
    )


def test_hub_id_while_offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    assert says("someone/something") == (
        "Found no folder 'someone/something', and the Hub did not give a dataset of that name "
        "(LocalEntryNotFoundError); expected either; try the path of the folder, or check the name and the "
        "network."
    )


def test_hub_id_that_lerobot_recorded_here(monkeypatch, tmp_path, folder):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    folder.parent.joinpath("me").mkdir()
    folder.rename(tmp_path / "me" / "brain")
    assert read_dataset("me/brain").repo_id == "me/brain"


def test_folder_without_metadata(tmp_path):
    assert says(tmp_path) == (
        f"Found no meta/info.json in {tmp_path}; expected the folder of a LeRobot dataset; "
        "try the folder that holds 'meta' and 'data'."
    )


@pytest.mark.parametrize("garbage", [b"{", b"\xff\xfe\x00", b"", b"[" * 100_000])
def test_garbage_instead_of_json(folder, garbage):
    (folder / "meta/info.json").write_bytes(garbage)
    assert says(folder) == (
        f"Found no valid JSON in {folder}/meta/info.json; expected LeRobot's metadata; "
        "try to copy or download the file again."
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"features": []}, "no 'features' in {info}; expected a description of each column"),
        (
            {"features": {}},
            "no 'observation.state' among the features in {info}; expected what the arm measured and was "
            "told",
        ),
        ({"fps": 0}, "fps 0 in {info}; expected frames per second, such as 30"),
        ({"fps": None}, "fps None in {info}; expected frames per second, such as 30"),
        (
            {"chunks_size": {}},
            "chunks_size {{}} in {info}; expected the number of episodes in a folder, such as 1000",
        ),
        ({"fps": "30"}, "fps '30' in {info}; expected frames per second, such as 30"),
    ],
)
def test_nonsense_in_the_metadata(folder, changes, found):
    change_info(folder, **changes)
    assert says(folder) == f"Found {found.format(info=folder / 'meta/info.json')}; {AGAIN}"


def test_a_version_that_nobody_knows(folder):
    change_info(folder, codebase_version="v1.6")
    assert says(folder) == (
        f"Found codebase_version 'v1.6' in {folder}/meta/info.json; expected 'v3.0' or 'v2.1'; "
        "try LeRobot's own converter to v3.0."
    )


def test_a_path_template_that_cannot_be_filled_in(folder):
    change_info(folder, data_path="data/{nonsense}.parquet")
    assert says(folder) == (
        f"Found data_path 'data/{{nonsense}}.parquet' in {folder}/meta/info.json; expected a path with chunk "
        "and file or episode numbers; try to restore info.json from the recording."
    )


def test_no_episodes(folder):
    (folder / "meta/episodes/chunk-000/file-000.parquet").unlink()
    assert says(folder) == (
        f"Found no episodes in {folder}; expected at least one; "
        "try to record some, or to finalize() the recording."
    )


def test_an_episode_that_is_not_there(folder):
    assert (
        says(folder, episodes=[9])
        == f"Found no episode 9 in {folder}/meta; expected one of its 5 episodes; {AGAIN}"
    )


def test_truncated_table(folder):
    path = folder / "data/chunk-000/file-000.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    assert says(folder) == (
        f"Found no readable table in {path}; expected a parquet file, whole to its last byte; "
        "try to copy it again, or to finalize() the recording that wrote it."
    )


def test_table_whose_middle_is_overwritten(folder):
    path = folder / "data/chunk-000/file-000.parquet"
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\x17" * 1996
    path.write_bytes(bytes(content))
    assert says(folder).startswith(f"Found no readable table in {path}; expected a parquet file")


def test_missing_table(folder):
    path = folder / "data/chunk-000/file-001.parquet"
    path.unlink()
    assert says(folder) == (
        f"Found no file {path}; expected it because meta/ names it; "
        "try to copy or download the dataset again."
    )


def test_missing_tasks(folder):
    path = folder / "meta/tasks.parquet"
    path.unlink()
    assert says(folder).startswith(f"Found no file {path}; expected it because meta/ names it")


def test_missing_column(folder):
    path = folder / "data/chunk-000/file-000.parquet"
    pq.write_table(pq.read_table(path).drop(["action"]), path)
    assert says(folder) == (
        f"Found no column 'action' in {path}; expected one for each feature of meta/info.json; {AGAIN}"
    )


@pytest.mark.parametrize(
    ("name", "column", "found"),
    [
        ("action", lambda t: pa.array(["a"] * len(t)), "column 'action' of type string"),
        ("action", lambda t: pa.array([[0.0] * 5] * len(t)), "column 'action' of type list<element: double>"),
        (
            "action",
            lambda t: pa.array([[0.0] * 6] * (len(t) - 1) + [[0.0]]),
            "rows of unequal width in column 'action'",
        ),
        ("frame_index", lambda t: pa.array([b"x"] * len(t)), "column 'frame_index' of type binary"),
        ("task_index", lambda t: pa.array([7] * len(t)), "task_index 7"),
    ],
)
def test_column_of_the_wrong_type(folder, name, column, found):
    change_column(folder, name, column)
    assert re.match(rf"Found {re.escape(found)} in {folder}/data\S*; expected .*; {AGAIN}", says(folder))


def test_episode_in_the_metadata_without_rows(folder):
    change_column(folder, "episode_index", lambda t: pa.array(np.zeros(len(t), dtype=np.int64)))
    assert says(folder) == (
        f"Found no rows of episode 1 in {folder}/data; expected some, because meta/ lists it; {AGAIN}"
    )


def test_garbage_in_lines_of_json(tmp_path):
    folder = write_v21(sound_dataset(cameras=False), tmp_path / "d")
    (folder / "meta/episodes.jsonl").write_text('{"episode_index": 0}\n[1, 2]\n')
    assert says(folder) == f"Found a JSON list in {folder}/meta/episodes.jsonl; expected an object; {AGAIN}"


def test_video_that_is_garbage_is_known_when_it_is_looked_at(dataset, tmp_path):
    folder = write_v3(dataset, tmp_path / "d", codec="libx264")
    path = folder / "videos/observation.images.front/chunk-000/file-000.mp4"
    path.write_bytes(b"no video at all" * 100)
    camera = read_dataset(folder).episodes[0].cameras["front"]
    with pytest.raises(VideoError) as raised:
        camera.frames([0])
    assert str(raised.value) == (
        f"Found no readable video in {path} (Invalid data found when processing input); "
        "expected an mp4 file; try to copy or download it again."
    )


def test_video_that_is_too_short(dataset, tmp_path):
    from dataset_folder import write_video

    folder = write_v3(dataset, tmp_path / "d", codec="libx264", episodes_per_file=1)
    path = folder / "videos/observation.images.front/chunk-000/file-000.mp4"
    write_video(path, dataset.episodes[0].cameras["front"].frames(range(50)), 30, "libx264")
    with pytest.raises(VideoError) as raised:
        read_dataset(folder).episodes[0].cameras["front"].frames()
    assert str(raised.value) == (
        f"Found the end of {path} near frame 49 of a stretch that begins at 0.00 s; "
        f"expected {dataset.episodes[0].length} frames; try to copy or download the file again."
    )


def test_episode_whose_parts_differ_in_length():
    frames = np.zeros((88, 4, 4, 3), dtype=np.uint8)
    still = np.zeros((90, 6))
    with pytest.raises(DatasetError) as raised:
        Episode(
            0, 30.0, np.arange(90) / 30, still, still, ("a",) * 6, np.zeros(90, int), (),
            {"wrist": Camera.from_array("wrist", frames, 30.0)},
        )  # fmt: skip
    assert str(raised.value) == "Episode 0: camera 'wrist' has 88 frames but the joints have 90."


def test_reading_changes_nothing(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert isinstance(read_dataset(folder), Dataset)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_pictures_of_another_size_than_was_declared(dataset, tmp_path):
    folder = write_v3(dataset, tmp_path / "d", codec="libx264")
    info = json.loads((folder / "meta/info.json").read_text())
    info["features"]["observation.images.front"]["shape"] = [480, 640, 3]
    (folder / "meta/info.json").write_text(json.dumps(info))
    with pytest.raises(DatasetError) as raised:
        read_dataset(folder).episodes[0].cameras["front"].frames([0])
    assert str(raised.value) == (
        "Found pictures of 48 x 64 pixels in camera 'front'; expected 480 x 640, as meta/info.json says; "
        f"{AGAIN}"
    )


@pytest.mark.parametrize("line", ['{"task_index": {}, "task": "x"}', '{"task": "x"}', '{"task_index": 0}'])
def test_instructions_without_a_number_or_a_text(tmp_path, line):
    folder = write_v21(sound_dataset(cameras=False), tmp_path / "d")
    (folder / "meta/tasks.jsonl").write_text(line)
    assert says(folder) == (
        f"Found the line {line} in {folder}/meta/tasks.jsonl; expected 'task_index', a number, and 'task', "
        f"a text; {AGAIN}"
    )


def test_rows_of_pictures_in_another_order_are_a_sentence(tmp_path):
    folder = write_v3(sound_dataset(episodes=1, seconds=1), tmp_path / "d", video=False)
    path = folder / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array(range(len(table) - 1, -1, -1))), path)
    with pytest.raises(VideoError, match="before picture 1 of an episode"):
        read_dataset(folder).episodes[0].cameras["front"].frames()


def test_metadata_of_a_million_episodes_are_refused_in_seconds(tmp_path):
    folder = write_v21(sound_dataset(cameras=False, episodes=2), tmp_path / "d")
    line = '{{"episode_index": {}, "tasks": ["x"], "length": 60}}'
    (folder / "meta/episodes.jsonl").write_text("\n".join(line.format(n) for n in range(300_000)))
    started = time.process_time()
    assert says(folder).startswith(
        f"Found no file {folder}/data/chunk-000/episode_000002.parquet; expected it"
    )
    assert time.process_time() - started < 5


def test_lines_that_are_json_only_together_are_refused(tmp_path):
    folder = write_v21(sound_dataset(cameras=False), tmp_path / "d")
    (folder / "meta/episodes.jsonl").write_text('{"episode_index": 0,\n"length": 9}\n')
    assert says(folder).startswith(f"Found no valid JSON in {folder}/meta/episodes.jsonl")
