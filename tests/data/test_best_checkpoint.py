"""`best` beside LeRobot's `last`: what it points at, what a run then stands for, and what stays after mishaps."""

import json
import shutil

import pytest
from deployments import checkpoint

from regrasp.data.checkpoint import best_of, pretrained_folder, read_checkpoint
from regrasp.data.selection import (
    Selection,
    Trials,
    Tried,
    checkpoints_of,
    forget_selection,
    keep_selection,
    read_selection,
    read_trials,
    which_checkpoint,
    write_trials,
)
from regrasp.errors import CheckpointError


@pytest.fixture
def run(tmp_path):
    """A run of three checkpoints; `last` points at the latest."""
    for step in (100, 200, 300):
        model = tmp_path / "run" / "checkpoints" / f"{step:06d}" / "pretrained_model"
        model.mkdir(parents=True)
        (model / "config.json").write_text(json.dumps({"type": "act", **checkpoint().config}))
    (tmp_path / "run" / "checkpoints" / "last").symlink_to("000300")
    return tmp_path / "run"


def choice(step):
    return Selection(by="held-out", step=step, headline="chosen by a test", tried=(Tried(step=step),))


def test_a_run_stands_for_its_best_checkpoint_and_says_so(run):
    link = keep_selection(run, choice(200))
    assert link.readlink().name == "000200"
    assert pretrained_folder(run) == run / "checkpoints" / "000200" / "pretrained_model"
    assert pretrained_folder(run / "checkpoints") == pretrained_folder(run)
    assert read_checkpoint(run).step == 200
    assert which_checkpoint(run) == f"{run}: its best checkpoint is taken, step 200, chosen by a test"


def test_without_a_choice_it_stands_for_the_last_and_says_so(run):
    assert read_checkpoint(run).step == 300
    assert which_checkpoint(run) == f"{run}: its last checkpoint is taken, step 300; none was chosen"


def test_where_the_best_one_is_gone_the_last_is_taken_and_that_is_said(run):
    keep_selection(run, choice(200))
    shutil.rmtree(run / "checkpoints" / "000200")
    assert best_of(run / "checkpoints") is None
    assert read_checkpoint(run).step == 300
    assert which_checkpoint(run).endswith("none was chosen (what `best` points at is gone)")


@pytest.mark.parametrize(
    "inside", ["checkpoints/000100", "checkpoints/000100/pretrained_model", "checkpoints/last"]
)
def test_a_checkpoint_that_is_named_stays_what_it_is(run, inside):
    keep_selection(run, choice(200))
    assert read_checkpoint(run / inside).step == (300 if inside.endswith("last") else 100)
    assert which_checkpoint(run / inside) == ""


def test_a_copy_that_followed_links_keeps_its_best(run, tmp_path):
    keep_selection(run, choice(200))
    shutil.copytree(run, tmp_path / "copy")
    assert not (tmp_path / "copy" / "checkpoints" / "best").is_symlink()
    assert pretrained_folder(tmp_path / "copy").parent.name == "best"


def test_a_moved_run_keeps_its_best(run, tmp_path):
    keep_selection(run, choice(200))
    run.rename(tmp_path / "elsewhere")
    assert read_checkpoint(tmp_path / "elsewhere").step == 200


def test_another_choice_takes_the_place_of_the_first_and_a_forgotten_one_is_gone(run):
    keep_selection(run, choice(200))
    keep_selection(run, choice(100))
    assert (read_selection(run).step, read_checkpoint(run).step) == (100, 100)
    forget_selection(run)
    assert (read_selection(run), read_checkpoint(run).step) == (None, 300)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == [
        "000100",
        "000200",
        "000300",
        "last",
    ]


def test_a_damaged_choice_is_a_sentence_and_best_is_still_taken(run):
    keep_selection(run, choice(200))
    (run / "selection.json").write_text("{")
    with pytest.raises(CheckpointError) as raised:
        read_selection(run)
    assert str(raised.value) == (
        f"Found a selection.json in {run} that cannot be read; expected what Regrasp writes; delete it and choose again "
        f"with `regrasp select {run}`."
    )
    assert which_checkpoint(run) == f"{run}: its best checkpoint is taken, step 200"


def test_trials_of_other_settings_are_kept_apart(run):
    for seed in (0, 1):
        write_trials(run, Trials(settings={"seed": seed}, outcomes={"w": {0: bool(seed)}}))
    assert read_trials(run, {"seed": 0}).outcomes == {"w": {0: False}}
    assert read_trials(run, {"seed": 1}).outcomes == {"w": {0: True}}
    assert read_trials(run, {"seed": 2}).outcomes == {}


def test_a_folder_without_checkpoints_is_a_sentence(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"^Found no checkpoints in .*; expected a run with checkpoints/STEP"
    ):
        checkpoints_of(tmp_path)
