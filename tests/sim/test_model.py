"""The arm's model, and the cache of its simplified meshes."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from regrasp.data.cache_folder import cache_folder
from regrasp.errors import MissingExtra
from regrasp.sim import model
from regrasp.sim.model import model_folder, read_stl, simplified_meshes, simplify, write_stl

FEW = {"sts3215_03a_v1": 500, "waveshare_mounting_plate_so101_v2": 300}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and only two meshes to fill it with."""
    monkeypatch.setenv("REGRASP_CACHE", str(tmp_path))
    monkeypatch.setattr(model, "FACES", FEW)
    return tmp_path


def source():
    return model_folder() / "assets"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_meshes_are_made_once(cache):
    folder = simplified_meshes(source())
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert simplified_meshes(source()) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == made


def test_nothing_but_the_finished_folder_is_left(cache):
    folder = simplified_meshes(source())
    assert list(cache.iterdir()) == [folder]


@pytest.mark.parametrize("damage", ["truncate", "remove", "forget"])
def test_a_damaged_cache_is_mended(cache, damage):
    folder = simplified_meshes(source())
    whole = contents(folder)
    victim = folder / ("checksums.json" if damage == "forget" else "sts3215_03a_v1.stl")
    victim.write_bytes(victim.read_bytes()[:100]) if damage == "truncate" else victim.unlink()
    assert contents(simplified_meshes(source())) == whole


def test_an_interrupted_first_use_leaves_nothing_that_counts(cache, monkeypatch):
    def stop(path, corners):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(model, "write_stl", stop)
        with pytest.raises(KeyboardInterrupt):
            simplified_meshes(source())
    assert list(cache.iterdir()) == []
    assert set(contents(simplified_meshes(source()))) == {f"{name}.stl" for name in FEW} | {"checksums.json"}


def test_what_a_killed_process_left_behind_does_no_harm(cache):
    left = cache / ".meshes-killed" / "half"
    left.mkdir(parents=True)
    (left / "sts3215_03a_v1.stl").write_bytes(b"half")
    assert model._is_whole(simplified_meshes(source()))


def test_processes_that_start_at_once_agree(cache):
    code = (
        "from regrasp.sim import model\n"
        f"model.FACES = {FEW!r}\n"
        "print(model._is_whole(model.simplified_meshes(model.model_folder() / 'assets')))\n"
    )
    command, environment = [sys.executable, "-c", code], os.environ | {"REGRASP_CACHE": str(cache)}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate()[0] for process in started] == ["True\n"] * 3
    assert len(list(cache.iterdir())) == 1


def test_the_checksums_are_those_of_the_files(cache):
    folder = simplified_meshes(source())
    noted = json.loads((folder / "checksums.json").read_text())
    assert noted == {name: model._sha256(folder / f"{name}.stl") for name in FEW}


def test_a_simplified_mesh_fills_the_same_box(cache):
    before = read_stl(source() / "sts3215_03a_v1.stl").reshape(-1, 3)
    after = read_stl(simplified_meshes(source()) / "sts3215_03a_v1.stl").reshape(-1, 3)
    assert len(after) < 0.05 * len(before)
    assert after.min(0) == pytest.approx(before.min(0), abs=0.002)
    assert after.max(0) == pytest.approx(before.max(0), abs=0.002)


def test_a_mesh_that_is_small_enough_keeps_its_triangles():
    corners = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 1]]], dtype=float)
    assert simplify(corners, 10) == pytest.approx(corners)


def test_stl_files_survive_a_round_trip(tmp_path):
    corners = np.random.default_rng(0).normal(size=(5, 3, 3)).astype(np.float32)
    write_stl(tmp_path / "mesh.stl", corners)
    assert (read_stl(tmp_path / "mesh.stl") == corners).all()


def test_collision_meshes_are_the_original_ones():
    spec = model.robot_spec()
    collision = {mesh.file for mesh in spec.meshes if "_part" in mesh.file}
    assert len(collision) == 3
    assert all(file.startswith(str(model_folder())) for file in collision)


def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("REGRASP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "regrasp"


def test_a_missing_model_names_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        model_folder()
    assert str(caught.value) == (
        "Found no SO-101 model in this environment; the twin takes it from so101-nexus; "
        "try `pip install 'regrasp[sim]'`."
    )
