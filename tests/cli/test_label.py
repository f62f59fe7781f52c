"""`regrasp label`: outcomes by hand, who decided, and nothing else touched."""

import json
import time

import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp.cli import label, main
from regrasp.data.rollouts import Deployment, Outcome, read_outcomes, read_rollouts, write_outcomes


@pytest.fixture
def folder(tmp_path):
    """Five rollouts: one scored by physics, and four that nobody has scored."""
    path = tmp_path / "rollouts"
    write_v3(sound_dataset(0, 5), path, video=False)
    first = Outcome(
        0, False, progress=0.4, seconds=5.0, seed=7, initial={"object_x_m": 0.2}, scored_by="physics"
    )
    rest = [Outcome(number, None, seconds=5.0, seed=number) for number in range(1, 5)]
    write_outcomes(
        path, [first, *rest], Deployment("Grab the brain", ("rate-mismatch",), "runs/a", "desk.yaml")
    )
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["regrasp", "label", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return run


def scored(folder):
    return {one.episode: (one.success, one.scored_by) for one in read_outcomes(folder)[0] if one.scored_by}


def test_an_episode_is_scored_and_says_who_decided(run, folder):
    assert run("--episode", 3, "--success", folder)[0] == 0
    assert scored(folder) == {0: (False, "physics"), 3: (True, "person")}
    assert read_outcomes(folder)[0][3].progress == 1.0


def test_ranges_and_several_options_name_several(run, folder):
    assert run(folder, "--episode", "1-2", "--episode", 4, "--failure")[0] == 0
    assert {number for number, (won, _) in scored(folder).items() if won is False} == {0, 1, 2, 4}


def test_all_scores_what_nobody_has_scored(run, folder):
    code, out, _ = run(folder, "--all", "success")
    assert (code, out.splitlines()[0]) == (0, "success 4/5 (38-96 %)")
    assert scored(folder)[0] == (False, "physics")


def test_everything_else_stays(run, folder):
    before, deployment = read_outcomes(folder)
    run(folder, "--episode", 0, "--success")
    after, kept = read_outcomes(folder)
    assert kept == deployment
    assert [repr(one) for one in after[1:]] == [repr(one) for one in before[1:]]
    assert (after[0].seed, after[0].initial) == (7, {"object_x_m": 0.2})
    assert (after[0].success, after[0].scored_by) == (True, "person")


def test_a_success_that_was_none_has_not_gone_all_the_way(run, folder):
    run(folder, "--episode", 2, "--success")
    run(folder, "--episode", 2, "--failure")
    assert read_outcomes(folder)[0][2].progress < 1.0


def test_rollouts_that_are_called_by_their_id_are_labelled_where_they_lie(run, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "me").mkdir(parents=True)
    folder.rename(tmp_path / "home" / "me" / "eval_act")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, out, _ = run("me/eval_act", "--all", "success")
    assert (code, out.splitlines()[0]) == (0, "success 4/5 (38-96 %)")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_what_is_left_is_listed(run, folder):
    code, out, _ = run(folder)
    assert (code, out.splitlines()[-1]) == (0, "nobody has scored episodes 1-4")
    told = json.loads(run(folder, "--json")[1])
    assert (told["unscored"], told["changed"]) == ([1, 2, 3, 4], 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--episode", "9", "--success"], "--episode is '9'; expected episodes from 0 to 4."),
        (["--episode", "4-3", "--success"], "--episode is '4-3'; expected episodes from 0 to 4."),
        (["--episode", "0-99999999999", "--success"], "expected episodes from 0 to 4."),
        (["--episode", "x", "--success"], "--episode is 'x'; expected a number such as 3"),
        (["--episode", "3"], "--episode needs --success or --failure"),
        (["--success"], "--episode needs --success or --failure"),
        (["--all", "won"], "--all is 'won'; expected success or failure."),
        (["--all", "success", "--episode", "1"], "--all stands alone"),
    ],
)
def test_options_that_make_no_sense_change_nothing(run, folder, words, said):
    before = (folder / "regrasp" / "outcomes.parquet").read_bytes()
    code, out, err = run(folder, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert (folder / "regrasp" / "outcomes.parquet").read_bytes() == before


def test_keys_score_one_after_the_other_and_stopping_keeps_them(folder, capsys):
    keys = iter(["x", "s", " ", "F", "q"])
    label.ask(folder, label.known_outcomes(folder), lambda: next(keys))
    assert scored(folder) == {0: (False, "physics"), 1: (True, "person"), 3: (False, "person")}
    assert "episode 2 (5.0 s): later" in capsys.readouterr().out


def test_an_ordinary_dataset_is_labelled_too(run, tmp_path):
    path = tmp_path / "plain"
    write_v3(sound_dataset(0, 3), path, video=False)
    assert run(path, "--all", "failure")[0] == 0
    assert read_rollouts(path, video=False).successes == (False, False, False)


def test_it_starts_quickly(run, folder):
    run(folder)
    began = time.process_time()
    run(folder)
    assert time.process_time() - began < 0.5
