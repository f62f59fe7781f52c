"""However a dataset's files are damaged, one sentence or an audit comes of it; never anything else."""

import json
import random
import shutil

import pytest
from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

from regrasp.data.dataset import read_dataset
from regrasp.data.new_folder import copy_folder
from regrasp.diagnosis.audit import audit
from regrasp.errors import DatasetError, RegraspError

JUNK = [None, True, -1, 0, 1e308, float("nan"), "", "x", [], {}, [[]], 10**30, "\0", "../.."]


@pytest.fixture(scope="module")
def sound_folders(tmp_path_factory):
    dataset = sound_dataset(1, episodes=3, seconds=2)
    root = tmp_path_factory.mktemp("sound")
    return [
        write_v3(dataset, root / "v3", codec="libx264", episodes_per_file=2),
        write_v21(dataset, root / "v21"),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_damage_ends_in_a_sentence_or_an_audit(seed, sound_folders, tmp_path):
    rng = random.Random(seed)
    folder = shutil.copytree(rng.choice(sound_folders), tmp_path / "damaged")
    damage(rng, rng.choice(sorted(path for path in folder.rglob("*") if path.is_file())))
    try:
        said = json.dumps(audit(folder).to_json(), allow_nan=False)
    except RegraspError as error:
        said = str(error)
    assert said


def damage(rng, path):
    """Junk into a place of a JSON file; bytes of any other cut off, changed, or all gone."""
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl"):
        lines = (
            [json.loads(line) for line in content.splitlines()]
            if path.suffix == ".jsonl"
            else [json.loads(content)]
        )
        replace_somewhere(rng, lines)
        path.write_text("\n".join(map(json.dumps, lines)))
        return
    changed = bytearray(content[: rng.choice([len(content), rng.randrange(len(content)), 0])])
    for _ in range(rng.choice([1, 10, 200]) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    path.write_bytes(bytes(changed))


def replace_somewhere(rng, value):
    places = []

    def visit(container):
        for key in container if isinstance(container, dict) else range(len(container)):
            places.append((container, key))
            if isinstance(container[key], dict | list):
                visit(container[key])

    visit(value)
    container, key = rng.choice(places)
    container[key] = rng.choice(JUNK)


def rewritten(folder, name, change):
    """A JSON file of the dataset, changed."""
    path = folder / "meta" / name
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))


def test_a_feature_that_would_become_a_path_is_refused(sound_folders, tmp_path):
    folder = shutil.copytree(sound_folders[0], tmp_path / "d")
    camera = "observation.images.front"
    rewritten(
        folder,
        "info.json",
        lambda info: info["features"].update({f"../../{camera}": info["features"][camera]}),
    )
    with pytest.raises(DatasetError, match=r"a feature called '\.\./\.\./observation\.images\.front'"):
        read_dataset(folder)


def test_a_number_of_many_digits_in_a_path_is_refused_and_not_written_out(sound_folders, tmp_path):
    folder = shutil.copytree(sound_folders[0], tmp_path / "d")
    wide = "videos/{video_key}/chunk-{chunk_index:0300000000d}/file-{file_index:03d}.mp4"
    rewritten(folder, "info.json", lambda info: info.update(video_path=wide))
    with pytest.raises(DatasetError) as raised:
        read_dataset(folder)
    assert len(str(raised.value)) < 500


def test_statistics_beyond_any_float_are_a_sentence(sound_folders, tmp_path):
    folder = shutil.copytree(sound_folders[0], tmp_path / "d")
    rewritten(folder, "stats.json", lambda stats: stats["action"]["mean"].__setitem__(0, 10**400))
    with pytest.raises(DatasetError, match="statistics"):
        audit(folder)


def test_a_reason_that_is_no_date_is_a_sentence(sound_folders, tmp_path):
    folder = shutil.copytree(sound_folders[0], tmp_path / "d")
    (folder / "meta" / "regrasp_expected.yaml").write_text("- check: idle-gripper\n  reason: 2024-13-45\n")
    with pytest.raises(DatasetError, match="no valid YAML"):
        audit(folder)


def test_a_link_that_leads_nowhere_is_left_out_of_a_copy(sound_folders, tmp_path):
    folder = shutil.copytree(sound_folders[0], tmp_path / "d")
    (folder / "notes.txt").symlink_to(tmp_path / "gone")
    copy_folder(folder, tmp_path / "copy")
    assert not (tmp_path / "copy" / "notes.txt").exists()
    assert (tmp_path / "copy" / "meta" / "info.json").exists()


def test_a_dataset_named_by_a_dot_has_its_folder_s_name(sound_folders, tmp_path, monkeypatch):
    folder = shutil.copytree(sound_folders[0], tmp_path / "demos")
    monkeypatch.chdir(folder)
    assert read_dataset(".", video=False).name == "demos"


@pytest.mark.parametrize("place", ["info", "video_info"])
@pytest.mark.parametrize("name", ["is_depth_map", "video.is_depth_map"])
def test_a_depth_camera_is_none_of_the_cameras_wherever_that_is_said(sound_folders, tmp_path, place, name):
    folder = shutil.copytree(sound_folders[0], tmp_path / "d")
    key = "observation.images.wrist"
    rewritten(
        folder, "info.json", lambda info: info["features"][key].setdefault(place, {}).update({name: True})
    )
    assert read_dataset(folder).camera_names == ("front",)
