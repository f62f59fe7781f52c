"""Episodes have no instruction."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.checks.empty_instruction import empty_instruction
from regrasp.data import read_dataset


@pytest.mark.parametrize("wording", ["", " ", "\t\n", "...", "_", "\N{ZERO WIDTH SPACE}"])
def test_a_text_without_a_letter_says_nothing(dataset, wording):
    (finding,) = empty_instruction(faults.empty_instruction(dataset, episodes=(1, 3), wording=wording))
    assert finding.summary == "2 episodes of 6 have no instruction."
    assert finding.where.episodes == (1, 3)
    assert finding.evidence[0].value == dataset.episodes[1].length + dataset.episodes[3].length
    assert "such as 'Grab the brain'" in finding.fix.summary


def test_some_frames_of_an_episode_are_enough(dataset):
    broken = faults.empty_instruction(dataset)
    half = replace(
        broken.episodes[5],
        task_indices=(np.arange(broken.episodes[5].length) > 100).astype(np.int64),
        tasks=("Grab the brain", ""),
    )
    (finding,) = empty_instruction(replace(broken, episodes=(*dataset.episodes[:5], half)))
    assert finding.evidence[0].value == broken.episodes[5].length - 101


def test_an_empty_instruction_that_no_frame_uses_is_fine(dataset):
    assert not list(empty_instruction(replace(dataset, tasks=(*dataset.tasks, ""))))


@pytest.mark.parametrize("wording", ["拿起", "7", "x"])
def test_one_letter_of_any_script_is_not_nothing(dataset, wording):
    assert not list(empty_instruction(faults.empty_instruction(dataset, wording=wording)))


def test_an_instruction_that_is_missing_in_the_file_is_empty(tmp_path):
    folder = write_v3(sound_dataset(cameras=False, episodes=2), tmp_path / "d")
    texts = pa.array([None], pa.string())
    pq.write_table(pa.table({"task_index": [0], "task": texts}), folder / "meta/tasks.parquet")
    (finding,) = empty_instruction(read_dataset(folder))
    assert finding.where.episodes == (0, 1)
