"""The command line: exit codes, one sentence for a mishap, and no traceback."""

import subprocess
import sys

import pytest

import regrasp.cli
from regrasp.errors import DeviceError, UsageError


def regrasp_says(*words):
    """Exit code, stdout and stderr of `regrasp WORDS`, run as a user would."""
    ran = subprocess.run(
        [sys.executable, "-m", "regrasp", *words], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout, ran.stderr


def ended(monkeypatch, error):
    """The exit code with which the command line ends when a verb raises `error`."""

    def verb(words):
        raise error

    monkeypatch.setattr(regrasp.cli, "_run", verb)
    with pytest.raises(SystemExit) as left:
        regrasp.cli.main()
    return left.value.code


def test_help_lists_every_verb():
    code, out, _ = regrasp_says("--help")
    assert code == 0
    assert all(f"\n  {verb} " in out for verb in regrasp.cli.VERBS)


def test_every_verb_explains_itself():
    from importlib import import_module

    for verb in regrasp.cli.VERBS:
        module = import_module(f"regrasp.cli.{verb}")
        assert getattr(module, "command", None) or getattr(module, "app", None), verb


def test_a_mistyped_verb_is_guessed():
    assert regrasp_says("adit") == (2, "", "error: No verb named 'adit'. Did you mean 'audit'?\n")


def test_a_missing_argument_is_one_sentence():
    assert regrasp_says("audit") == (2, "", "error: Missing argument 'DATASET'.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rollout", "x", "--video", "--out", "y"), "Found --out where the value of --video should be"),
        (("station", "init", "--port", "--leader"), "Found --leader where the value of --port should be"),
    ],
)
def test_an_option_without_its_value_is_named_itself(words, said):
    code, out, err = regrasp_says(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {said}; write ")


def test_flags_and_what_is_passed_on_need_no_value():
    _, _, err = regrasp_says(
        "train", "no/such/folder/here", "--json", "--out", "x", "--", "--steps", "--batch"
    )
    assert err.startswith("error: Found no dataset at no/such")


def test_a_missing_dataset_is_one_sentence_and_code_2():
    code, out, err = regrasp_says("audit", "no/such/folder/here")
    assert (code, out) == (2, "")
    assert err.startswith("error: Found no dataset at no/such/folder/here; expected ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (DeviceError("x"), 3),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 2),
        (OSError("odd"), 2),
    ],
)
def test_each_mishap_has_its_exit_code(monkeypatch, capsys, error, code):
    assert ended(monkeypatch, error) == code
    assert capsys.readouterr().err.startswith("error: ")


def test_a_defect_of_ours_is_a_sentence_too(monkeypatch, capsys):
    assert ended(monkeypatch, ZeroDivisionError("division by zero")) == 2
    assert capsys.readouterr().err == (
        "error: ZeroDivisionError: division by zero. This is a defect of regrasp; "
        "set REGRASP_TRACEBACK=1 to see where.\n"
    )


def test_a_file_that_cannot_be_written_is_named(monkeypatch, capsys):
    assert ended(monkeypatch, IsADirectoryError(21, "Is a directory", "page.html")) == 2
    assert capsys.readouterr().err == (
        "error: Cannot read or write page.html: Is a directory. What was finished is kept.\n"
    )


def test_a_missing_library_names_the_remedy(monkeypatch, capsys):
    assert ended(monkeypatch, ModuleNotFoundError("No module named 'lerobot'", name="lerobot")) == 2
    assert "Try `pip install 'regrasp[all]'`." in capsys.readouterr().err


def test_quick_verbs_load_neither_torch_nor_lerobot_nor_scipy():
    code = (
        "import sys; sys.argv = ['regrasp', 'checks']\n"
        "from regrasp.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'lerobot', 'scipy', 'sklearn', 'plotly', 'mujoco'} & set(sys.modules)\n"
        "sys.exit(bool(heavy))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
