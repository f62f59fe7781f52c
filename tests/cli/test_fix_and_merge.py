"""`regrasp fix` and `regrasp merge`: what they print, and their exit codes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

import regrasp
from regrasp import faults
from regrasp.cli import main
from regrasp.data import read_dataset
from regrasp.data.provenance import read_parts
from regrasp.diagnosis.repair import RecomputeStatistics


@pytest.fixture
def run(capsys, monkeypatch):
    """Exit code, standard output and standard error of `regrasp WORDS`."""

    def said(*words):
        monkeypatch.setattr(sys, "argv", ["regrasp", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return said


def small(seed=0, **options):
    return sound_dataset(seed, episodes=4, seconds=1.5, cameras=False, **options)


@pytest.fixture
def broken(tmp_path):
    dataset = faults.near_duplicate_instructions(faults.nan_values(small(), episodes=[1]))
    return write_v3(dataset, tmp_path / "broken")


def parts_for_merging(tmp_path):
    from regrasp.lerobot_bridge.editing import apply_repairs

    for seed, name in enumerate(("a", "b")):
        plain = write_v3(small(seed), tmp_path / f"{name}-plain")
        apply_repairs(read_dataset(plain), tmp_path / name, [RecomputeStatistics()])
    return tmp_path / "a", tmp_path / "b"


NAMES = ("nan-values", "near-duplicate-instructions")


def test_fix_shows_the_plan_writes_the_copy_and_leaves_with_0(run, broken, tmp_path):
    code, out, err = run("fix", broken, *NAMES, "--into", tmp_path / "new")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == [
        "will fix   nan-values: leave out 1 episode (1)",
        "will fix   near-duplicate-instructions: write 'Grab the brain' instead of 'Grab the brai'",
        "keeps      3 of 4 episodes",
    ]
    frames = read_dataset(tmp_path / "new").frames
    assert f"written    {tmp_path}/new: 3 episodes, {frames} frames\n" in out
    assert out.endswith("its audit finds nothing\n")


def test_dry_run_shows_and_writes_nothing(run, broken, tmp_path):
    code, out, _ = run("fix", broken, *NAMES, "--into", tmp_path / "new", "--dry-run")
    assert code == 1
    assert out.count("will fix   ") == 2
    assert not (tmp_path / "new").exists()


def test_sound_data_are_said_to_be_so_and_nothing_is_written(run, tmp_path):
    sound = write_v3(small(), tmp_path / "sound")
    code, out, err = run("fix", sound, *NAMES, "--into", tmp_path / "new")
    assert (code, out, err) == (0, "sound: nothing to repair; nothing is written\n", "")
    assert not (tmp_path / "new").exists()


def test_what_has_no_repair_needs_a_person(run, tmp_path):
    every = [0, 1, 2, 3]
    folder = write_v3(faults.nan_values(small(), episodes=every), tmp_path / "broken")
    code, out, _ = run("fix", folder, "nan-values", "--into", tmp_path / "new")
    assert code == 0
    assert "needs you  nan-values (episodes 0-3, joint 'shoulder_pan'): Column 'action' holds" in out


def test_fix_as_json_is_one_object(run, broken, tmp_path):
    code, out, err = run("fix", broken, "nan-values", "--into", tmp_path / "new", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "dataset": str(broken),
        "into": str(tmp_path / "new"),
        "repairs": [{"check": "nan-values", "does": "leave out 1 episode (1)", "episodes": [1]}],
        "waiting": [],
        "needs_you": [],
        "remaining": [],
    }


def test_fix_into_an_existing_folder_leaves_with_2(run, broken, tmp_path):
    (tmp_path / "new").mkdir()
    code, out, err = run("fix", broken, "--into", tmp_path / "new")
    assert (code, out) == (2, "")
    assert err == (
        f"error: {tmp_path}/new exists already; expected a new folder. Choose another name or delete it first.\n"
    )


def test_fix_of_v21_leaves_with_2_and_the_converter(run, tmp_path):
    folder = write_v21(faults.nan_values(small(), episodes=[1]), tmp_path / "old")
    code, _, err = run("fix", folder, "nan-values", "--into", tmp_path / "new")
    assert code == 2
    assert err == (
        f"error: Found a v2.1 dataset in {folder}; expected v3.0, which alone LeRobot edits; try, on a copy because "
        "it works in place: python -m lerobot.scripts.convert_dataset_v21_to_v30 --repo-id=local/old "
        f"--root={folder} --push-to-hub=false\n"
    )


def test_fix_is_a_function_too(broken, tmp_path):
    fixed = regrasp.fix(broken, tmp_path / "new", names=["nan-values"])
    assert fixed.into == tmp_path / "new"
    assert fixed.done


def test_a_plan_is_made_without_heavy_libraries(broken):
    program = (
        "import sys; from regrasp.diagnosis.repair_plan import plan_repairs; "
        f"plan_repairs({str(broken)!r}); "
        "print([name for name in ('torch', 'lerobot', 'pandas', 'plotly', 'mujoco') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_an_interrupted_fix_leaves_with_130_and_no_half_folder(broken, tmp_path):
    command = [sys.executable, "-m", "regrasp", "fix", str(broken), "--into", str(tmp_path / "new")]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )  # fmt: skip
    assert running.stdout.readline().startswith("will fix")
    time.sleep(0.3)
    os.kill(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err == "error: stopped; what was finished is kept.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_merge_prints_warnings_parts_and_the_next_step(run, tmp_path):
    one, two = parts_for_merging(tmp_path)
    code, out, err = run("merge", one, two, "--into", tmp_path / "c", "--weights", "1,4")
    assert (code, err) == (0, "")
    assert "part       a: episodes 0-3\npart       b: episodes 4-7, weight 4\n" in out
    assert out.endswith(f"written    {tmp_path}/c: 8 episodes\nnext: regrasp audit {tmp_path}/c\n")
    assert [part.weight for part in read_parts(tmp_path / "c").parts] == [1.0, 4.0]


def test_merge_as_json_is_one_object(run, tmp_path):
    one, two = parts_for_merging(tmp_path)
    code, out, err = run("merge", one, two, "--into", tmp_path / "c", "--json")
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert (said["dataset"], said["episodes"]) == (str(tmp_path / "c"), 8)
    assert [part["first_episode"] for part in said["parts"]] == [0, 4]
    assert isinstance(said["warnings"], list)


def test_what_does_not_fit_leaves_with_2_and_a_line_for_each_reason(run, tmp_path):
    one = write_v3(small(), tmp_path / "a")
    two = write_v3(small(fps=15.0), tmp_path / "b")
    code, out, err = run("merge", one, two, "--into", tmp_path / "c")
    assert (code, out) == (2, "")
    assert err == (
        "error: These datasets do not fit together.\n"
        "  fps: a has 30 frames a second, b 15; expected the same, because an action lasts one frame. Record again "
        "at one rate.\n"
    )
    assert not (tmp_path / "c").exists()


def test_weights_that_are_no_numbers_leave_with_2(run, tmp_path):
    one = write_v3(small(), tmp_path / "a")
    code, _, err = run("merge", one, one, "--into", tmp_path / "c", "--weights", "1;2")
    assert (code, err) == (2, "error: Found the weights '1;2'; expected numbers such as 1,4.\n")
