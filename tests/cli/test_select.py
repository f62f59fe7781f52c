"""`regrasp select` and `--select-on` as they are typed."""

import json

import pytest
from deployments import checkpoint, contract

from regrasp import cli, fan_out
from regrasp.data.contract import write_contract
from regrasp.data.journal import Answers, Evaluation, Journal, write_journal


@pytest.fixture
def run(tmp_path):
    """A run of three checkpoints with held-out figures, the middle one's least."""
    errors = {100: 3.0, 200: 2.0, 300: 2.8}
    for step in errors:
        model = tmp_path / "run" / "checkpoints" / f"{step:06d}" / "pretrained_model"
        model.mkdir(parents=True)
        (model / "config.json").write_text(json.dumps({"type": "act", **checkpoint().config}))
    (tmp_path / "run" / "checkpoints" / "last").symlink_to("000300")
    found = [
        Evaluation(step=step, epoch=step / 100, held_out=Answers(
            action_error=error, episodes={number: error + 0.02 * number for number in range(4)}))
        for step, error in errors.items()
    ]  # fmt: skip
    write_journal(tmp_path / "run", Journal(dataset="d", policy="act", arguments=[], total_steps=300, frames=100,
                                            held_out=[0, 1, 2, 3], evaluations=found, finished=True))  # fmt: skip
    return tmp_path / "run"


@pytest.fixture
def regrasp(monkeypatch, capsys):
    def regrasp(*words):
        monkeypatch.setattr("sys.argv", ["regrasp", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, *capsys.readouterr()

    return regrasp


def test_it_says_which_how_sure_and_what_a_run_stands_for_now(regrasp, run):
    code, out, _ = regrasp("select", run, "--held-out")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "best: step 200, chosen of 3 checkpoints by held-out error, 2.03"
    assert any("warning: Held-out error is weak evidence of success" in line for line in lines)
    assert "       300  held-out error 2.8" in out
    assert f"{run} stands for it from now on" in out
    assert "Step 200, chosen of 3 checkpoints" in (run / "training.html").read_text()


def test_json_is_one_object_with_every_checkpoint(regrasp, run):
    code, out, _ = regrasp("select", run, "--held-out", "--json")
    told = json.loads(out)
    assert (code, told["step"], told["by"], told["success"]) == (0, 200, "held-out", None)
    assert [one["step"] for one in told["tried"]] == [100, 200, 300]
    assert told["checkpoint"] == str(run / "checkpoints" / "best" / "pretrained_model")


@pytest.mark.parametrize(
    ("robot", "given", "named"),
    [
        ("so101_twin", (), "twin"),
        ("so101_follower", (), "station.yaml"),
        ("so101_follower", ("--station", "my desk.yaml"), "'my desk.yaml'"),
    ],
)
def test_the_next_command_names_a_station_of_the_arm_that_it_was_trained_on(
    regrasp, run, tmp_path, monkeypatch, robot, given, named
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my desk.yaml").write_text("name: desk\nrobot: {type: so101_follower, port: /dev/ttyACM0}\n")
    write_contract(run / "checkpoints" / "000200", contract().model_copy(update={"robot_type": robot}))
    code, out, _ = regrasp("select", run, "--held-out", *given)
    assert code == 0
    assert out.splitlines()[-1] == f"next: regrasp rollout {run} --station {named} --episodes 20 --out NEW"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("select", "NOWHERE"),
         "Found no checkpoints in NOWHERE; expected a run with checkpoints/STEP/pretrained_model; try the folder that "
         "`regrasp train --out` named."),
        (("train", "--resume", "r", "--area", "6in", "--select-on", "held-out"),
         "Found --area with --select-on held-out; expected it with --select-on twin, where checkpoints are tried."),
        (("train", "--resume", "r", "--ray", "--select-on", "none"),
         "Found --ray with --select-on none; expected it with --select-on twin, where checkpoints are tried."),
        (("train", "--resume", "r", "--area", "7in"), "Found area '7in'; expected one of 2in, 6in."),
        (("train", "--resume", "r", "--select-on", "NOWHERE.yaml"),
         "Found no readable station file at NOWHERE.yaml;"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_one_sentence(regrasp, words, message):
    code, out, err = regrasp(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_ray_that_is_not_there_is_said_before_anything_is_tried(regrasp, run, monkeypatch):
    monkeypatch.setattr(fan_out, "find_spec", lambda _name: None)
    code, out, err = regrasp("select", run, "--task", "Grab the brain", "--ray")
    assert (code, out) == (2, "")
    assert err.startswith("error: Found no Ray, which --ray needs; expected the extra 'ray'.")
    assert not (run / "selection").exists()
