"""Checkpoints are tried on the twin, noted as they are, and gone on with."""

import json
import shutil

import pytest

from regrasp.cli import main, twin_options
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract import write_contract
from regrasp.data.journal import Answers, Evaluation, read_journal, write_journal
from regrasp.data.rollouts import Outcome
from regrasp.data.selection import checkpoints_of, read_selection
from regrasp.data.station import Station, TwinOptions
from regrasp.errors import CheckpointError, MissingExtra, UsageError
from regrasp.lerobot_bridge import selecting
from regrasp.lerobot_bridge.rollout import rollout
from regrasp.lerobot_bridge.scoring import score
from regrasp.lerobot_bridge.selecting import select
from regrasp.lerobot_bridge.training import resume
from regrasp.sim import as_recorded

TASK = "Grab the brain"
RATES = {12: 1.0, 24: 0.6, 36: 0.3}


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the small run; its three checkpoints cannot do anything yet."""
    return shutil.copytree(trained.run, tmp_path / "run", symlinks=True)


@pytest.fixture
def arm(monkeypatch):
    """In place of the simulation: checkpoints that succeed as `RATES` says; a list of what was tried."""
    tried = []

    def outcomes(share):
        step = read_checkpoint(share.run.checkpoint).step
        tried.extend((step, start) for start in share.starts)
        return tuple(Outcome(start, start % 10 < 10 * RATES[step], 0.0, 1.0) for start in share.starts)

    monkeypatch.setattr(selecting, "score_share", outcomes)
    return tried


def with_held_out(run, errors):
    """Let the run's journal tell these errors of three held-out episodes, by step."""
    found = [
        Evaluation(step=step, epoch=step / 12, held_out=Answers(action_error=error, episodes={
            number: error + 0.01 * number for number in range(3)})) for step, error in errors.items()
    ]  # fmt: skip
    write_journal(run, read_journal(run).model_copy(update={"held_out": [0, 1, 2], "evaluations": found}))


def test_the_best_one_is_what_the_run_stands_for(run, station, arm):
    found = select(run, station, task=TASK, starts=20)
    assert (found.step, found.against_last.step) == (12, 36)
    assert read_checkpoint(run).step == 12
    assert read_selection(run) == found
    assert (run / "checkpoints" / "last").readlink().name == "000036"
    assert found.settings["task"] == TASK


def test_no_start_is_tried_twice_and_a_stopped_choice_goes_on(run, station, arm, monkeypatch):
    def stopped(done, _total, _note):
        if done >= 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        select(run, station, task=TASK, starts=20, advance=stopped)
    assert read_selection(run) is None
    assert read_checkpoint(run).step == 36
    before = list(arm)
    found = select(run, station, task=TASK, starts=20)
    assert len(before) == 15
    assert arm[:15] == before
    assert len(set(arm)) == len(arm)
    shutil.rmtree(run / "selection")
    assert select(run, station, task=TASK, starts=20) == found


def test_more_starts_go_on_with_those_that_were_tried(run, station, arm):
    select(run, station, task=TASK, starts=10)
    before = len(arm)
    assert select(run, station, task=TASK, starts=20).chosen.starts == 20
    assert len(set(arm)) == len(arm) > before


def test_another_seed_begins_anew_and_so_does_a_checkpoint_with_other_weights(run, station, arm):
    select(run, station, task=TASK, starts=10)
    del arm[:]
    select(run, station, task=TASK, starts=10, seed=1)
    assert {step for step, _ in arm} == {12, 24, 36}
    del arm[:]
    weights = run / "checkpoints" / "000024" / "pretrained_model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    select(run, station, task=TASK, starts=10, seed=1)
    assert {step for step, _ in arm} == {24}


def test_where_none_succeeds_held_out_errors_decide_and_it_is_said(run, station, monkeypatch):
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 4.0})
    found = select(run, station, task=TASK, starts=1, seed=5)
    assert (found.by, found.step) == ("held-out", 24)
    assert found.warnings[0] == (
        "No checkpoint succeeded in any of its starts on twin, so these tell nothing apart."
    )
    (noted,) = (run / "selection").glob("*.json")
    outcomes = json.loads(noted.read_text())["outcomes"]
    assert len(outcomes) == 3
    (last,) = score(run / "checkpoints" / "last", station, task=TASK, starts=[0], seed=5)
    assert [one["0"] for one in outcomes.values()] == [last.success] * 3


def test_a_real_station_leaves_it_to_held_out_errors(run, trained):
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 2.0})
    desk = Station(name="desk", robot={"type": "so101_follower", "port": "/dev/ttyACM0"})
    found = select(run, desk, task=TASK)
    assert (found.by, found.step) == ("held-out", 36)
    assert found.warnings[0].startswith("Station 'desk' is a so101_follower, which only a person can run")


def test_the_twin_does_not_judge_a_policy_of_a_real_arm(run, station, arm):
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 2.0})
    for folder in checkpoints_of(run).values():
        contract = read_checkpoint(folder).contract
        write_contract(folder, contract.model_copy(update={"robot_type": "so101_follower"}))
    found = select(run, station, task=TASK)
    assert (found.by, found.step, arm) == ("held-out", 36, [])
    assert found.warnings[0].startswith(
        "The policy was trained on a so101_follower, of which the simulated arm tells"
    )


def test_without_anything_to_go_by_the_last_one_stays(run):
    with pytest.raises(CheckpointError) as raised:
        select(run)
    assert str(raised.value) == (
        f"Found too few held-out figures in {run} to choose by; expected three held-out episodes or more (`regrasp train "
        "--hold-out`). The last checkpoint stays in use."
    )
    assert read_checkpoint(run).step == 36


def test_no_starts_are_a_mistake(run, station):
    with pytest.raises(UsageError, match=r"^--episodes is 0; expected 1 or more\.$"):
        select(run, station, task=TASK, starts=0)


def test_a_rollout_of_the_run_runs_the_best_one(run, station, arm, tmp_path):
    select(run, station, task=TASK, starts=10)
    rolled = rollout(run, station, task=TASK, episodes=1, out=tmp_path / "r", seconds=0.3)
    (same,) = rollout(
        checkpoints_of(run)[12], station, task=TASK, episodes=1, out=tmp_path / "s", seconds=0.3
    ).outcomes
    assert rolled.outcomes[0] == same


def test_a_training_that_goes_on_takes_the_choice_away(run, station, arm, demonstrations):
    select(run, station, task=TASK, starts=10)
    assert resume(run).steps == 36
    assert read_checkpoint(run).step == 12
    resume(run, options=["--steps=48"])
    assert (read_selection(run), read_checkpoint(run).step) == (None, 48)


def test_processes_give_what_one_gives(trained, station):
    alone = score(trained.checkpoint, station, task=TASK, starts=range(3), seed=5)
    assert score(trained.checkpoint, station, task=TASK, starts=range(3), seed=5, workers=2) == alone


@pytest.fixture
def regrasp(monkeypatch, capsys):
    """Runs a command in this process, trying checkpoints in it as well; gives the exit code and what it printed."""

    def regrasp(*words):
        monkeypatch.setattr("os.cpu_count", lambda: 1)
        monkeypatch.setattr("sys.argv", ["regrasp", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code, *capsys.readouterr()

    return regrasp


def test_a_training_on_the_twins_data_ends_with_a_choice_in_closed_loop(run, station, arm, regrasp):
    chosen = json.loads(regrasp("train", "--resume", run, "--json")[1])["selection"]
    assert (chosen["by"], chosen["step"]) == ("closed-loop", 12)
    assert chosen["settings"]["robot"] == station.robot
    assert chosen["settings"]["task"] == TASK


def with_contracts(run, **changes):
    """Let every checkpoint's contract say these things."""
    for folder in checkpoints_of(run).values():
        write_contract(folder, read_checkpoint(folder).contract.model_copy(update=changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"instructions": {"Stir the soup": 1}},
            "'Stir the soup' is not the instruction of one of its tasks",
        ),
        ({"fps": 50.0}, "it runs at 30 Hz, the data at 50"),
        ({"cameras": []}, "its pictures are squares of one size, those of the data are not"),
    ],
)
def test_what_the_twin_cannot_judge_is_chosen_by_held_out_errors(run, arm, regrasp, changes, reason):
    with_contracts(run, **changes)
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 4.0})
    code, out, err = regrasp("train", "--resume", run, "--json")
    chosen = json.loads(out)["selection"]
    assert (code, chosen["by"], chosen["step"], arm) == (0, "held-out", 24, [])
    assert f"not tried on the twin: {reason}; `regrasp select {run}` does so" in err


def test_where_nobody_noted_where_the_object_lay_held_out_errors_choose(run, arm, regrasp, tmp_path):
    write_journal(run, read_journal(run).model_copy(update={"dataset": str(tmp_path / "gone")}))
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 4.0})
    _, out, err = regrasp("train", "--resume", run, "--json")
    assert (json.loads(out)["selection"]["by"], arm) == ("held-out", [])
    assert "not tried on the twin: the data do not say where the object lay;" in err
    assert twin_options.recorded_with(run) == TwinOptions(task="grab-brain", size=64, starts="home")


def test_without_a_simulation_held_out_errors_choose_and_it_is_said(run, regrasp, monkeypatch):
    def nothing_to_draw_with(*_):
        raise MissingExtra("Found no OpenGL.")

    monkeypatch.setattr(as_recorded, "as_recorded", nothing_to_draw_with)
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 4.0})
    code, out, err = regrasp("train", "--resume", run)
    assert (code, "not tried on the twin: Found no OpenGL." in err) == (0, True)
    assert "best: step 24, chosen of 3 checkpoints by held-out error" in out
    assert out.splitlines()[-1] == f"next: regrasp rollout {run} --station twin --episodes 20 --out NEW"
    assert regrasp("select", run, "--held-out")[0] == 0


def test_where_the_twin_fails_to_run_held_out_errors_choose_unless_it_was_asked_for(
    run, regrasp, monkeypatch
):
    def nothing_to_draw_with(_share):
        raise MissingExtra("Found no OpenGL.")

    monkeypatch.setattr(selecting, "score_share", nothing_to_draw_with)
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 4.0})
    asked = regrasp("train", "--resume", run, "--select-on", "twin", "--json")
    assert (asked[0], json.loads(asked[1])["selection"]) == (0, None)
    assert "no checkpoint was chosen: Found no OpenGL." in asked[2]
    code, out, err = regrasp("train", "--resume", run, "--json")
    assert (code, json.loads(out)["selection"]["by"]) == (0, "held-out")
    assert "not tried on the twin: Found no OpenGL." in err


def test_the_next_rollout_meets_other_starts_on_the_twin_of_the_data(run, arm, regrasp):
    _, out, _ = regrasp("train", "--resume", run)
    last = f"next: regrasp rollout {run} --station twin --size 64 --seed 1 --episodes 20 --out NEW"
    assert out.splitlines()[-1] == last
    _, out, _ = regrasp("select", run, "--area", "6in", "--seed", "4")
    last = f"next: regrasp rollout {run} --station twin --area 6in --size 64 --seed 5 --episodes 20 --out NEW"
    assert out.splitlines()[-1] == last


def test_a_choice_in_closed_loop_stays_until_another_one_is_asked_for(run, arm, regrasp):
    regrasp("select", run, "--seed", "4", "--episodes", "20")
    kept = json.loads(regrasp("train", "--resume", run, "--json")[1])["selection"]
    assert (kept["settings"]["seed"], kept["success"]["n"]) == (4, 20)
    new = json.loads(regrasp("train", "--resume", run, "--select-on", "twin", "--json")[1])["selection"]
    assert (new["settings"]["seed"], new["success"]["n"]) == (0, 60)


def test_a_stopped_choice_is_gone_on_with_as_it_was_asked_for(run, regrasp, monkeypatch):
    def stopped(_share):
        raise KeyboardInterrupt

    monkeypatch.setattr(selecting, "score_share", stopped)
    code, _, err = regrasp("train", "--resume", run, "--area", "6in")
    assert code == 130
    assert f"trained; go on choosing with: regrasp train --resume {run} --area 6in\n" in err


def test_a_choice_on_the_twin_takes_its_set_up_from_the_data(run, arm, regrasp):
    with_contracts(run, instructions={"Put the brain in the bin": 3})
    code, out, _ = regrasp("select", run, "--json")
    assert (code, json.loads(out)["settings"]["robot"]["task"]) == (0, "brain-to-bin")
    code, out, _ = regrasp("select", run, "--area", "6in", "--twin-task", "grab-brain", "--json")
    robot = json.loads(out)["settings"]["robot"]
    assert (code, robot["task"], robot["area"]) == (0, "grab-brain", "6in")


def test_a_training_ends_with_a_choice_and_keeps_the_one_of_a_closed_loop(run, station, arm, regrasp):
    held_out = ("train", "--resume", run, "--select-on", "held-out", "--json")
    code, out, err = regrasp(*held_out)
    assert (code, json.loads(out)["selection"]) == (0, None)
    assert err.startswith("no checkpoint was chosen: Found too few held-out figures")
    with_held_out(run, {12: 3.0, 24: 2.0, 36: 4.0})
    assert json.loads(regrasp(*held_out)[1])["selection"]["step"] == 24
    select(run, station, task=TASK, starts=20)
    kept = json.loads(regrasp(*held_out)[1])["selection"]
    assert (kept["step"], kept["by"], kept["success"]["n"]) == (12, "closed-loop", 20)
    assert json.loads(regrasp("select", run, "--held-out", "--json")[1])["step"] == 24
    code, out, err = regrasp("contract", "show", run)
    assert (
        err
        == f"checkpoint: {run}: its best checkpoint is taken, step 24, chosen of 3 checkpoints by held-out error, 2.01\n"
    )
    assert "24 steps x batch 16" in out
