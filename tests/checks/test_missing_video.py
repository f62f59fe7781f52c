"""A video is missing, cannot be read, or is not as long as the table says."""

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from dataset_folder import write_v3, write_v21, write_video
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.missing_video import missing_video
from regrasp.data import read_dataset
from regrasp.diagnosis import Severity, Undecided

WRIST = "videos/observation.images.wrist/chunk-000/file-001.mp4"


@pytest.fixture(scope="module")
def small():
    return sound_dataset(3, episodes=3, seconds=2, height=32, width=32)


@pytest.fixture
def v3(small, tmp_path):
    return write_v3(small, tmp_path / "v3", codec="libx264", episodes_per_file=2)


@pytest.fixture
def v21(small, tmp_path):
    return write_v21(small, tmp_path / "v21")


def found_in(folder):
    return [(f.summary.split(" in ")[0], f.where.episodes) for f in missing_video(read_dataset(folder))]


def test_sound_folders_are_clean(v3, v21):
    assert found_in(v3) == found_in(v21) == []


def test_a_missing_file_is_reported_with_its_camera_episodes_and_name(v3):
    (v3 / WRIST).unlink()
    (finding,) = missing_video(read_dataset(v3))
    assert finding.summary == f"Camera 'wrist' has no video in 1 episode: no file {WRIST}."
    assert (finding.where.episodes, finding.where.camera) == ((2,), "wrist")
    assert finding.severity is Severity.ERROR
    assert "delete_episodes '--operation.episode_indices=[2]'" in (finding.fix.command or "")


def test_no_video_at_all_is_one_finding_for_each_camera(v3):
    for path in v3.rglob("*.mp4"):
        path.unlink()
    findings = list(missing_video(read_dataset(v3)))
    assert [f.where.camera for f in findings] == ["front", "wrist"]
    assert {f.where.episodes for f in findings} == {(0, 1, 2)}
    assert findings[0].fix.command is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"no video at all" * 100, "Invalid data found when processing input"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "a Git LFS pointer instead of the file",
        ),
    ],
)
def test_a_file_that_is_no_video_is_reported_with_the_reason(v3, content, said):
    (v3 / WRIST).write_bytes(content)
    (finding,) = missing_video(read_dataset(v3))
    assert finding.where.episodes == (2,)
    assert said in finding.summary


def test_a_video_that_ends_inside_an_episode_names_the_episodes_behind_its_end(v3, small):
    path = v3 / "videos/observation.images.front/chunk-000/file-000.mp4"
    write_video(path, small.episodes[0].cameras["front"].frames(), 30, "libx264")
    (finding,) = missing_video(read_dataset(v3))
    assert finding.where.episodes == (1,)
    assert finding.evidence[0].value == pytest.approx(small.episodes[1].length / 30)


@pytest.mark.parametrize(("lost", "found"), [(0, []), (1, [0])])
def test_one_lost_picture_is_one_too_few(v21, small, lost, found):
    camera = small.episodes[0].cameras["front"]
    path = v21 / f"videos/chunk-000/{camera.key}/episode_000000.mp4"
    write_video(path, camera.frames(range(camera.length - lost)), 30, "libx264")
    assert [number for f in missing_video(read_dataset(v21)) for number in f.where.episodes] == found


@pytest.mark.parametrize(("more", "found"), [(3, []), (4, [0])])
def test_a_video_longer_than_its_episode_by_more_than_the_limit_is_reported(v21, small, more, found):
    camera = small.episodes[0].cameras["front"]
    path = v21 / f"videos/chunk-000/{camera.key}/episode_000000.mp4"
    frames = [*range(camera.length), *[camera.length - 1] * more]
    write_video(path, camera.frames(frames), 30, "libx264")
    assert [number for f in missing_video(read_dataset(v21)) for number in f.where.episodes] == found


def test_a_longer_video_whose_rows_were_lost_is_left_to_the_counts(v21, small):
    lines = [json.loads(line) for line in (v21 / "meta/episodes.jsonl").read_text().splitlines()]
    lines[0]["length"] += 10
    (v21 / "meta/episodes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    camera = small.episodes[0].cameras["front"]
    path = v21 / f"videos/chunk-000/{camera.key}/episode_000000.mp4"
    write_video(path, camera.frames([*range(camera.length), *[0] * 10]), 30, "libx264")
    assert found_in(v21) == []


def test_pictures_that_are_lost_in_the_middle_of_a_file_are_found_where_they_are_looked_at(v3):
    content = bytearray((v3 / WRIST).read_bytes())
    begin = content.index(b"mdat") + 4
    content[begin : begin + (len(content) - begin) * 3 // 4] = bytes((len(content) - begin) * 3 // 4)
    (v3 / WRIST).write_bytes(bytes(content))
    assert [episodes for _, episodes in found_in(v3)] == [(2,)]


def test_videos_that_were_not_to_be_read_are_undecided(v3):
    with pytest.raises(Undecided, match="videos were not to be read"):
        list(missing_video(read_dataset(v3, video=False)))


def test_without_cameras_nothing_is_missing():
    assert not list(missing_video(sound_dataset(cameras=False)))


def test_pictures_in_tables_need_no_video(small, tmp_path):
    assert found_in(write_v3(small, tmp_path / "pictures", video=False)) == []


def test_a_video_of_another_rate_is_left_to_the_rate(v3):
    info = json.loads((v3 / "meta/info.json").read_text())
    (v3 / "meta/info.json").write_text(json.dumps(info | {"fps": 15}))
    assert all("too early" not in summary for summary, _ in found_in(v3))


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_the_fault_names_its_camera_and_episodes(dataset, camera):
    (finding,) = missing_video(faults.missing_video(dataset, camera=camera, episodes=(1, 4)))
    assert (finding.where.camera, finding.where.episodes) == (camera, (1, 4))


def test_a_decoder_that_is_missing_is_no_defect_of_the_dataset(v3, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "av.error", None)
    from regrasp.diagnosis.runner import run_checks

    result = run_checks({"dataset": read_dataset(v3)}, only=["missing-video"])
    assert result.findings == ()
    assert "the dataset may be sound" in dict(result.undecided)["missing-video"]


def test_an_unread_camera_beside_a_lost_one_keeps_the_finding(dataset):
    lost = faults.missing_video(dataset, camera="wrist", episodes=None)
    both = replace(lost, unavailable={**lost.unavailable, "front": "videos were not to be read"})
    (finding,) = missing_video(both)
    assert finding.where.camera == "wrist"


def test_pictures_that_the_tables_do_not_hold_are_missing(small, tmp_path):
    folder = write_v3(small, tmp_path / "pictures", video=False)
    path = folder / "data/chunk-000/file-000.parquet"
    pq.write_table(pq.read_table(path).drop(["observation.images.front"]), path)
    (finding,) = missing_video(read_dataset(folder))
    assert (finding.where.camera, finding.where.episodes) == ("front", (0, 1, 2))
    assert "Found no column 'observation.images.front'" in finding.summary
