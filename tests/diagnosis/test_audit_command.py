"""`regrasp audit`, `checks` and `explain`: what they print, and their exit codes."""

import json
import subprocess
import sys

import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

import regrasp
from regrasp import faults
from regrasp.cli import main


def regrasp_says(capsys, monkeypatch, *words):
    """Exit code, standard output and standard error of `regrasp WORDS`."""
    monkeypatch.setattr(sys, "argv", ["regrasp", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    captured = capsys.readouterr()
    return left.value.code or 0, captured.out, captured.err


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    return lambda *words: regrasp_says(capsys, monkeypatch, *words)


@pytest.fixture
def sound(tmp_path):
    return write_v3(sound_dataset(cameras=False), tmp_path / "sound")


@pytest.fixture
def broken(tmp_path):
    return write_v3(faults.nan_values(sound_dataset(cameras=False), episodes=[1]), tmp_path / "broken")


def test_sound_data_leave_with_0(run, sound):
    code, out, err = run("audit", sound)
    assert (code, err) == (0, "")
    assert out.startswith("sound: 6 episodes, ")
    assert "jerky-motion, " in out.split("\nclean ")[1].split("\nundecided ")[0]
    undecided = " ".join(out.split("\nundecided ")[1].split())
    assert "frozen-camera" in undecided
    assert "needs 1 camera, got 0" in undecided


def test_a_defect_leaves_with_1_and_says_place_number_and_next_step(run, broken):
    code, out, _ = run("audit", broken)
    assert code == 1
    assert "ERROR  nan-values  episode 1, frames 10-12, joint 'shoulder_pan'\n" in out
    assert "   values not finite 3 (limit 0)\n" in out
    assert "   -> Drop these episodes before training.\n" in out
    assert "--operation.type=delete_episodes '--operation.episode_indices=[1]'" in out


def test_json_is_one_object_and_nothing_else(run, broken):
    code, out, err = run("audit", broken, "--json", "--only", "nan-values,idle-gripper")
    said = json.loads(out)
    assert (code, err) == (1, "")
    assert said.pop("seconds") >= 0
    command = said["findings"][0]["fix"].pop("command")
    assert command.startswith("lerobot-edit-dataset ")
    assert said == {
        "dataset": str(broken),
        "episodes": 6,
        "frames": sound_dataset(cameras=False).frames,
        "findings": [
            {
                "check": "nan-values",
                "severity": "error",
                "summary": "Column 'action' holds values that are not numbers.",
                "where": {"episodes": [1], "frames": [10, 12], "camera": None, "joint": "shoulder_pan"},
                "evidence": [{"name": "values not finite", "value": 3.0, "limit": 0.0, "unit": ""}],
                "fix": {"summary": "Drop these episodes before training."},
            }
        ],
        "expected": [],
        "clean": ["idle-gripper"],
        "undecided": [],
        "keep": [0, 2, 3, 4, 5],
    }


def test_without_video_cameras_are_undecided(run, dataset, tmp_path):
    folder = write_v3(dataset, tmp_path / "d", codec="libx264")
    code, out, _ = run("audit", folder, "--no-video")
    assert code == 0
    undecided = " ".join(out.split("\nundecided ")[1].split())
    assert "frozen-camera" in undecided
    assert "swapped-cameras" in undecided
    assert "camera 'front': videos were not to be read, and 1 more camera likewise" in undecided


def test_what_cannot_be_read_leaves_with_2_and_one_sentence(run, tmp_path):
    code, out, err = run("audit", tmp_path / "nothing", "--json")
    assert (code, out) == (2, "")
    assert err == (
        f"error: Found no dataset at {tmp_path}/nothing; expected a folder with meta/info.json, or a Hub id "
        "such as 'owner/name'; try the path that was given to lerobot-record as --dataset.root.\n"
    )


def test_an_unknown_check_leaves_with_2(run, sound):
    meant = "error: No check named 'frozen-camer'. Did you mean 'frozen-camera'?\n"
    assert run("audit", sound, "--only", "frozen-camer") == (2, "", meant)
    assert run("explain", "frozen-camer") == (2, "", meant)


def test_every_check_is_listed_with_its_line(run):
    code, out, _ = run("checks")
    assert code == 0
    assert "frozen-camera" in out
    assert "Two cameras have changed places.\n" in out


def test_a_page_is_shown(run):
    code, out, _ = run("explain", "swapped-cameras")
    assert code == 0
    assert out.startswith("swapped-cameras\nTwo cameras have changed places.\n\nWhat it detects\n")


def test_audit_is_a_function_too(broken):
    audited = regrasp.audit(broken, only=["nan-values"])
    assert [finding.check for finding in audited.findings] == ["nan-values"]
    assert not audited.sound


def test_tables_are_judged_without_heavy_libraries(sound):
    """What costs seconds to import must stay off the path of the quick verbs."""
    program = (
        "import sys; from regrasp.diagnosis.audit import audit; "
        f"audit({str(sound)!r}); "
        "print([name for name in ('torch', 'lerobot', 'scipy', 'sklearn', 'pandas', 'plotly', 'mujoco') "
        "if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_keep_prints_the_list_for_lerobot_and_nothing_else(run, broken):
    code, out, err = run("audit", broken, "--keep")
    assert (code, out) == (0, "[0, 2, 3, 4, 5]\n")
    assert err == "without episode 1: nan-values\n"


def test_keep_and_json_do_not_go_together(run, broken):
    code, out, err = run("audit", broken, "--keep", "--json")
    assert (code, out) == (2, "")
    assert err == "error: --keep and --json both print on stdout; choose one: the JSON has 'keep' in it.\n"


def test_a_page_is_written_beside_the_text(run, broken, tmp_path):
    code, out, err = run("audit", broken, "--html", tmp_path / "page.html")
    assert code == 1
    assert "nan-values" in out
    assert err == f"wrote {tmp_path / 'page.html'}\n"
    assert "Which episode has what" in (tmp_path / "page.html").read_text()


def without_seconds(told):
    return {name: value for name, value in told.items() if name != "seconds"}


def test_several_datasets_are_judged_one_after_another(run, sound, broken):
    code, out, err = run("audit", sound, broken)
    assert (code, err) == (1, "")
    assert (
        out.index("sound: 6 episodes") < out.index("broken: 6 episodes") < out.index("nan-values  episode 1")
    )
    for folder in (sound, broken):
        alone = [line for line in run("audit", folder)[1].splitlines() if not line.startswith(folder.name)]
        assert all(line in out for line in alone)


def test_one_that_cannot_be_read_costs_none_of_the_others(run, sound, tmp_path):
    code, out, err = run("audit", tmp_path / "nowhere", sound, "--json")
    told = json.loads(out)
    assert code == 2
    assert err.startswith(f"error: {tmp_path / 'nowhere'}: Found no dataset at ")
    assert [one["dataset"] for one in told["unreadable"]] == [str(tmp_path / "nowhere")]
    alone = json.loads(run("audit", sound, "--json")[1])
    assert [without_seconds(one) for one in told["audits"]] == [without_seconds(alone)]


def test_a_page_or_a_list_is_of_one_dataset(run, sound, broken):
    code, out, err = run("audit", sound, broken, "--keep")
    assert (code, out) == (2, "")
    assert err == (
        "error: Found --keep with 2 datasets; expected it with one dataset, audited here. Audit them one by one for "
        "that.\n"
    )
