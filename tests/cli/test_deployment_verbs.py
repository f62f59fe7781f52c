"""The verbs about deployments: what they print, and their exit codes."""

import json

import pytest
from deployments import checkpoint, contract

from regrasp.cli import main
from regrasp.data.contract import write_contract


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["regrasp", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"type": "keypoint", **checkpoint().config}))
    return tmp_path


def test_contract_show_tells_what_was_expected(run, folder):
    write_contract(folder, contract())
    code, out, _ = run("contract", "show", folder)
    assert code == 0
    assert "instruction  'Grab the brain' (1200 frames)" in out
    assert "300 steps x batch 8 = 2.00 epochs" in out
    assert "shoulder_pan" in out


def test_contract_show_json_is_the_contract(run, folder):
    write_contract(folder, contract())
    code, out, _ = run("contract", "show", folder, "--json")
    assert code == 0
    assert json.loads(out)["instructions"] == {"Grab the brain": 1200}


def test_contract_make_keeps_the_calibration_that_it_is_given(run, folder, tmp_path):
    from dataset_folder import write_v3
    from sound_dataset import sound_dataset

    from regrasp.data.calibration import calibration_hash

    write_v3(sound_dataset(0, 2), tmp_path / "d", video=False)
    features = {"observation.state": {"type": "STATE", "shape": [6]}}
    (folder / "config.json").write_text(json.dumps({"type": "act", "input_features": features}))
    arm = tmp_path / "desk.json"
    arm.write_text('{"gripper": {"id": 6, "homing_offset": 12}}')
    code, out, _ = run(
        "contract", "make", folder, "--dataset", tmp_path / "d", "--calibration", arm, "--json"
    )
    told = json.loads(out)
    assert (code, told["calibration_id"], told["calibration_hash"]) == (0, "desk", calibration_hash(arm))
    assert set(told["policy_files"]) == {"config.json"}
    arm.write_text("{")
    code, _, err = run("contract", "make", folder, "--dataset", tmp_path / "d", "--calibration", arm)
    assert (code, err.count("\n")) == (2, 1)


def test_a_missing_contract_is_one_sentence_and_exit_code_2(run, folder):
    code, out, err = run("contract", "show", folder)
    assert (code, out) == (2, "")
    assert err.startswith("error: Found no contract at ")


@pytest.mark.parametrize(
    "words",
    [
        ("preflight", "nowhere"),
        ("contract", "make", "nowhere", "--dataset", "nowhere"),
        ("diagnose", "nowhere", "--train", "nowhere", "--rollouts", "nowhere"),
        ("compare", "nowhere", "nowhere"),
        ("report", "nowhere", "--train", "nowhere"),
    ],
)
def test_what_does_not_exist_is_one_sentence_and_exit_code_2(run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("error: Found no ")
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("rollout", "nowhere", "--out", "new", "--seed", "-1"),
        ("rollout", "nowhere", "--out", "new", "--n-action-steps", "0"),
        ("preflight", "nowhere", "--seed", "-1"),
        ("record", "--expert", "--dataset", "new", "--workers", "0"),
        ("select", "nowhere", "--workers", "-1"),
        ("train", "nowhere", "--out", "new", "--seed", "-1"),
    ],
)
def test_a_number_that_cannot_be_is_refused_before_anything_is_looked_for(run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words[-2] in err
    assert "Input should be greater than or equal to" in err
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_robot_is_refused_before_anything_is_connected(run, folder):
    other = contract().model_copy(update={"joints": contract().joints[:5]})
    write_contract(folder, other)
    code, out, err = run("preflight", folder)
    assert (code, out) == (2, "")
    assert err.startswith("error: Found a checkpoint that does not fit station 'twin': The policy moves ")


def test_diagnose_says_what_it_needs(run, folder):
    code, _, err = run("diagnose", folder)
    assert (code, err) == (
        2,
        "error: --train is missing; expected the dataset that the policy was trained on.\n",
    )
    for words in (("diagnose", "--train", folder), ("diagnose", folder, "--train", folder)):
        code, _, err = run(*words)
        assert code == 2
        assert err.startswith("error: There is nothing to compare the training with; expected --rollouts R")


def test_diagnose_compares_two_datasets_without_a_checkpoint(run, tmp_path):
    from dataset_folder import write_v3
    from sound_dataset import sound_dataset

    for name, seed in (("a", 0), ("b", 1)):
        write_v3(sound_dataset(seed, 6, cameras=False), tmp_path / name, video=False)
    code, out, _ = run("diagnose", "--train", tmp_path / "a", "--rollouts", tmp_path / "b", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["verdict"] is None
    assert (told["probed"], told["success"]["n"], told["symptoms"]) == (False, 0, [])
