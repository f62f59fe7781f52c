"""A checkpoint or a station file that is malformed or hostile is one sentence and exit code 2, and does nothing."""

import json
import pickle
import struct
import time

import pytest
from deployments import checkpoint

from regrasp.cli import main

DEEP = 100_000
CONFIG = {"type": "keypoint", **checkpoint().config}


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["regrasp", *map(str, words)])
        began = time.process_time()
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        assert time.process_time() - began < 5
        return left.value.code, shown.out, shown.err

    return run


def is_one_sentence(told):
    code, out, err = told
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "defect of regrasp" not in err
    assert len(err) < 1200
    return True


def safetensors(header, numbers=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


STATIONS = {
    "empty": "",
    "a list": "- 1\n",
    "deep": "robot: " + "[" * DEEP,
    "deep maps": "robot: " + "{a: " * 5000,
    "aliases upon aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12))
    + "robot: {type: so101_follower, port: *m}\n",
    "a python object": "robot: !!python/object/apply:os.system ['touch HERE']\n",
    "a huge rate": "robot: {type: so101_follower}\nfps: 1" + "0" * 5000 + "\n",
    "no number": "robot: {type: so101_follower}\nfps: .nan\n",
    "infinite": "robot: {type: so101_follower}\nfps: .inf\n",
    "cameras that are none": "robot: {type: so101_follower, cameras: 7}\n",
    "a camera that is none": "robot: {type: so101_follower, cameras: {front: 7}}\n",
    "zero bytes": "robot: {type: so101_follower}\0",
    "a robot of a robot": "robot: &r {type: so101_follower, self: *r}\n",
    "a date": "robot: {type: so101_follower}\nname: 2020-13-45\nfps: 2020-01-01\n",
}


@pytest.mark.parametrize("content", STATIONS.values(), ids=STATIONS)
def test_a_hostile_station_file_is_one_sentence(run, tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_text(content.replace("HERE", str(tmp_path / "pwned")))
    assert is_one_sentence(run("station", "show", path))
    assert not (tmp_path / "pwned").exists()


def test_a_station_file_of_a_gigabyte_is_not_read(run, tmp_path):
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    assert is_one_sentence(run("station", "show", path))


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "run" / "pretrained_model"
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(CONFIG))
    return path


NORMALIZER = "policy_preprocessor_step_3_normalizer_processor.safetensors"

CHECKPOINTS = {
    "a pickled configuration": ("config.json", pickle.dumps({"type": "act"})),
    "a deep configuration": ("config.json", b"[" * DEEP),
    "a type that is none": ("config.json", b'{"type": 3}'),
    "features that are none": ("config.json", b'{"type": "act", "input_features": 3}'),
    "a feature that is none": (
        "config.json",
        b'{"type": "act", "input_features": {"observation.images.a": 3}}',
    ),
    "a shape that is none": (
        "config.json",
        b'{"type": "act", "output_features": {"action": {"type": "ACTION", "shape": "six"}}}',
    ),
    "a chunk of words": ("config.json", json.dumps(CONFIG | {"chunk_size": "many"}).encode()),
    "a chunk beyond measure": ("config.json", json.dumps(CONFIG | {"chunk_size": 1e400}).encode()),
    "a pickled training": ("train_config.json", pickle.dumps({"steps": 1})),
    "a deep training": ("train_config.json", b'{"dataset": ' * 50_000),
    "a batch of words": ("train_config.json", b'{"batch_size": "many"}'),
    "a dataset that is none": ("train_config.json", b'{"dataset": [1, 2]}'),
    "a dataset with a number for a name": ("train_config.json", b'{"dataset": {"root": 3}}'),
    "episodes in a list of lists": ("train_config.json", b'{"dataset": {"episodes": [[1], [2]]}}'),
    "more held out than there is": ("train_config.json", b'{"dataset": {"eval_split": 1.5}}'),
    "steps of words": ("train_config.json", b'{"steps": "many"}'),
    "pickled statistics": (NORMALIZER, pickle.dumps({"action.mean": [1.0]})),
    "a header beyond the file": (NORMALIZER, struct.pack("<Q", 1 << 62) + b"{}"),
    "a shape beyond the file": (
        NORMALIZER,
        safetensors({"action.mean": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}, bytes(4)),
    ),
    "a negative shape": (
        NORMALIZER,
        safetensors({"action.mean": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}, bytes(4)),
    ),
    "offsets that are none": (
        NORMALIZER,
        safetensors({"action.mean": {"dtype": "F32", "shape": [1], "data_offsets": ["a", {}]}}, bytes(4)),
    ),
    "a deep header": (NORMALIZER, safetensors(b'{"a":' * DEEP)),
    "a contract that is pickled": ("regrasp.json", pickle.dumps({})),
    "a deep contract": ("regrasp.json", b"[" * DEEP),
}


@pytest.mark.parametrize(("name", "content"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_hostile_checkpoint_is_one_sentence(run, folder, name, content):
    (folder / name).write_bytes(content)
    assert is_one_sentence(run("preflight", folder))


def test_nothing_is_unpickled(run, folder, tmp_path):
    for name in ("config.json", "train_config.json", "regrasp.json", NORMALIZER):
        (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "pwned")))
        assert is_one_sentence(run("preflight", folder))
        assert not (tmp_path / "pwned").exists()
        (folder / name).unlink()
        (folder / "config.json").write_text(json.dumps(CONFIG))


def test_a_normaliser_of_a_gigabyte_is_not_read(run, folder):
    with (folder / NORMALIZER).open("wb") as file:
        file.truncate(1 << 30)
    assert is_one_sentence(run("preflight", folder))


@pytest.mark.parametrize("named", ["../../../../etc", "/etc", "/dev", "..", "a/../../b"])
def test_a_training_that_names_a_folder_elsewhere_reads_no_dataset_there(folder, named):
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.recovery import training_data

    (folder / "train_config.json").write_text(json.dumps({"dataset": {"root": named, "repo_id": named}}))
    assert training_data(read_checkpoint(folder)) is None
