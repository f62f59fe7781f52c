"""`regrasp plan` and `regrasp train` as they are typed."""

import json

import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp import cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("plan") / "data"
    write_v3(sound_dataset(0, 22, seconds=3, cameras=False), made)
    return made


def regrasp(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["regrasp", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code, *capsys.readouterr()


def test_the_plan_is_one_json_object(monkeypatch, capsys, folder):
    code, out, _ = regrasp(
        monkeypatch, capsys, "plan", folder, "--policy", "smolvla", "--batch", "4", "--json"
    )
    told = json.loads(out)
    assert code == 0
    assert told["batch"] == 4
    assert len(told["held_out"]) == 3


def test_the_plan_gives_each_number_its_reason_and_warns(monkeypatch, capsys, folder):
    code, out, _ = regrasp(monkeypatch, capsys, "plan", folder, "--policy", "smolvla", "--epochs", "20")
    assert code == 0
    words = " ".join(out.split())
    for part in ("20.00 epochs are many", "SmolVLA did better after 6.35 epochs than after 15.87", "--measure",
                 "n_action_steps", "held out 3 episodes"):  # fmt: skip
        assert part in words


def test_the_plan_for_several_machines_ends_with_what_to_run_on_each(monkeypatch, capsys, folder):
    code, out, _ = regrasp(
        monkeypatch, capsys, "plan", folder, "--policy", "act", "--gpus", "2", "--nodes", "2"
    )
    assert code == 0
    words = " ".join(out.split())
    assert "effective batch 32 samples a step" in words
    assert "--num_processes 4 --num_machines 2 --machine_rank RANK" in words
    assert f"-m regrasp train {folder} --policy act --out RUN once on each node: RANK is 0 to 1" in words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("plan", "FOLDER", "--steps", "5", "--epochs", "2"),
         "error: Found both --steps and --epochs; expected one of them: the other follows from it."),
        (("train", "FOLDER"),
         "error: Found no --out; expected --out: regrasp train DATASET --out NEW, or regrasp train --resume RUN."),
        (("train",),
         "error: Found no dataset; expected a dataset: regrasp train DATASET --out NEW, or regrasp train --resume RUN."),
        (("train", "--resume", "a", "--epochs", "9"),
         "error: Found --epochs with --resume; a run that goes on keeps what it began with. Give --steps N to take more "
         "steps, or train anew with --policy RUN."),
        (("train", "--resume", "a", "--new-statistics"),
         "error: Found --new-statistics with --resume; a run that goes on keeps what it began with. Give --steps N to "
         "take more steps, or train anew with --policy RUN."),
        (("train", "--resume", "a", "--out", "b"),
         "error: Found both --resume and --out; expected one of them: a resumed run stays in its folder."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_one_sentence(monkeypatch, capsys, folder, words, message):
    code, out, err = regrasp(
        monkeypatch, capsys, *(str(folder) if word == "FOLDER" else word for word in words)
    )
    assert (code, out, err.strip()) == (2, "", message)
