"""The metadata count other frames or episodes than the tables hold."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.wrong_counts import wrong_counts
from regrasp.data import read_dataset
from regrasp.diagnosis import Undecided
from regrasp.diagnosis.repair import DropEpisodes, RepairCounts


@pytest.fixture
def folder(tmp_path):
    return write_v3(sound_dataset(cameras=False, episodes=5), tmp_path / "d")


def redeclare(dataset, **changes):
    return replace(dataset, declared=replace(dataset.declared, **changes))


def test_the_fault_names_its_episodes_and_the_rows(dataset):
    (finding,) = wrong_counts(faults.wrong_counts(dataset, episodes=(1, 4), rows=7))
    assert finding.where.episodes == (1, 4)
    assert [(e.value, e.limit) for e in finding.evidence] == [(14, 0)]
    assert f"episode 1 has {dataset.episodes[1].length - 7} rows, its record says" in finding.summary


def test_an_episode_that_lost_rows_can_be_left_out_and_one_with_more_than_recorded_stays(dataset):
    lost, more = (redeclare(dataset, lengths={1: dataset.episodes[1].length + by}) for by in (4, -4))
    assert [one.fix.repair for one in wrong_counts(lost) if one.where.episodes == (1,)] == [
        DropEpisodes((1,))
    ]
    assert [one.fix.repair for one in wrong_counts(more) if one.where.episodes == (1,)] == [None]


def test_one_lost_row_counts(dataset):
    (finding,) = wrong_counts(faults.wrong_counts(dataset, rows=1))
    assert (finding.where.episodes, finding.evidence[0].value) == ((5,), 1)


def test_rows_deleted_from_a_table_name_the_episode(folder):
    path = folder / "data/chunk-000/file-001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.filter(np.arange(len(table)) % 30 != 9), path)
    (finding,) = wrong_counts(read_dataset(folder))
    assert finding.where.episodes == (4,)


def test_wrong_totals_alone_can_be_written_anew(folder):
    info = json.loads((folder / "meta/info.json").read_text())
    (folder / "meta/info.json").write_text(json.dumps(info | {"total_frames": 7, "total_episodes": 9}))
    (finding,) = wrong_counts(read_dataset(folder))
    frames = read_dataset(folder).frames
    assert finding.summary == (
        f"meta/info.json counts 9 episodes instead of 5 and 7 frames instead of {frames}."
    )
    assert finding.fix.repair == RepairCounts()


@pytest.mark.parametrize("total", [None, "many", True, 1.5])
def test_a_total_that_is_no_number_is_not_compared(folder, total):
    info = json.loads((folder / "meta/info.json").read_text())
    (folder / "meta/info.json").write_text(json.dumps(info | {"total_frames": total}))
    assert not list(wrong_counts(read_dataset(folder)))


def test_rows_without_a_record_are_reported_under_their_numbers(folder):
    path = folder / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.filter(np.arange(len(table)) != 2), path)
    said = [(f.where.episodes, f.summary) for f in wrong_counts(read_dataset(folder))]
    assert [episodes for episodes, _ in said] == [(3, 4), (2,)]
    assert "has a gap: there is no episode 2," in said[0][1]
    assert "of episodes that meta/ does not list: 2." in said[1][1]


def test_an_episode_that_is_listed_twice(folder):
    path = folder / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    pq.write_table(table.take([0, 1, 1, 2, 3, 4]), path)
    assert (1,) in [f.where.episodes for f in wrong_counts(read_dataset(folder))]


@pytest.mark.parametrize(("frames", "found"), [(0, []), (1.5, []), (1.6, [(2,)]), (-30, [(2,)])])
def test_a_stretch_of_video_may_be_off_by_a_frame_and_a_half(dataset, frames, found):
    seconds = {e.index: e.length / dataset.fps for e in dataset.episodes}
    seconds[2] += (frames - 1e-9) / dataset.fps
    findings = wrong_counts(redeclare(dataset, video_s={"front": seconds}))
    assert [f.where.episodes for f in findings] == found


def test_lost_rows_explain_the_video_that_no_longer_fits(dataset):
    seconds = {e.index: e.length / dataset.fps for e in dataset.episodes}
    (finding,) = wrong_counts(redeclare(faults.wrong_counts(dataset), video_s={"front": seconds}))
    assert finding.where.camera is None


def test_a_part_of_the_episodes_cannot_be_counted(folder):
    with pytest.raises(Undecided, match="needs all episodes"):
        list(wrong_counts(read_dataset(folder, episodes=[1, 2])))
