"""`last` and `best`, also where a file system has no links."""

import json
import os
from pathlib import Path

import pytest
from deployments import checkpoint

from regrasp.data.checkpoint import best_of, pretrained_folder, read_checkpoint
from regrasp.data.links import point, pointed
from regrasp.data.selection import Selection, forget_selection, keep_selection, which_checkpoint


@pytest.fixture
def checkpoints(tmp_path):
    folder = tmp_path / "run" / "checkpoints"
    for step in (100, 200):
        model = folder / f"{step:06d}" / "pretrained_model"
        model.mkdir(parents=True)
        (model / "config.json").write_text(json.dumps({"type": "act", **checkpoint().config}))
    return folder


@pytest.fixture(params=["links", "no links"])
def links(request, monkeypatch):
    def none(_path, _target):
        raise OSError(95, os.strerror(95))

    if request.param == "no links":
        monkeypatch.setattr(Path, "symlink_to", none)
    return request.param


def test_a_link_can_be_turned(checkpoints, links):
    last = checkpoints / "last"
    assert pointed(last) == last
    for step in ("000100", "000200"):
        point(last, checkpoints / step)
        assert pointed(last) == checkpoints / step
        assert last.is_symlink() == (links == "links")
    assert not list(checkpoints.glob(".*"))


def test_a_run_and_its_links_stand_for_the_same_checkpoints_either_way(checkpoints, links):
    run = checkpoints.parent
    point(checkpoints / "last", checkpoints / "000200")
    assert read_checkpoint(run).step == 200
    assert "last checkpoint is taken, step 200" in which_checkpoint(run)
    keep_selection(run, Selection(by="held-out", step=100, headline="", tried=()))
    assert best_of(checkpoints) == checkpoints / "000100"
    for given in (run, checkpoints, checkpoints / "best"):
        assert pretrained_folder(given).resolve() == checkpoints / "000100" / "pretrained_model"
    assert "best checkpoint is taken, step 100" in which_checkpoint(run)
    forget_selection(run)
    assert read_checkpoint(run).step == 200


def test_one_that_was_followed_by_a_copy_is_itself(checkpoints):
    assert pointed(checkpoints / "000100") == checkpoints / "000100"
