"""Training with episodes held out: statistics without them, answers about them, and what is written of it."""

import csv
import json

import numpy as np
import pytest
from test_resuming import stop_at

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.dataset import read_dataset
from regrasp.diagnosis.judgement import judge
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.questions import Examiner
from regrasp.lerobot_bridge.training import resume, train
from regrasp.report.training_page import write_training_page

OPTIONS = ["--policy.image_size=32", "--policy.channels=[4,4,4]", "--policy.hidden=32", "--log_freq=2"]


@pytest.fixture(scope="module")
def held_out(demonstrations, tmp_path_factory):
    """Trained on two of three demonstrations, stopped once, and logged by Weights & Biases without a network."""
    out = tmp_path_factory.mktemp("held-out") / "run"
    options = [*OPTIONS, "--save_freq=4"]
    if has_wandb():
        options += ["--wandb.enable=true", "--wandb.mode=offline", "--wandb.disable_artifact=true"]
    with pytest.raises(KeyboardInterrupt):
        train(demonstrations, out, steps=12, batch=16, hold_out=[1], options=options, progress=stop_at(7))
    return resume(out)


def has_wandb():
    try:
        import wandb  # noqa: F401
    except ImportError:
        return False
    return True


def test_the_policy_is_not_trained_on_them(held_out, demonstrations):
    trained = read_checkpoint(held_out.checkpoint).train_config["dataset"]["episodes"]
    assert trained == [0, 2]
    data = read_dataset(demonstrations, video=False)
    assert held_out.contract.frames == data.frames - data.episodes[1].length


def test_statistics_are_those_of_the_other_episodes(held_out, demonstrations):
    data = read_dataset(demonstrations, video=False)
    others = np.concatenate([data.episodes[number].states for number in (0, 2)])
    found = read_checkpoint(held_out.checkpoint).normalizer["observation.state"]
    assert np.allclose(found["mean"], others.mean(axis=0), atol=1e-3)
    assert np.allclose(found["q01"], np.quantile(others, 0.01, axis=0), atol=1e-3)
    assert not np.allclose(found["mean"], data.states.mean(axis=0), atol=1e-3)


def test_every_checkpoint_is_asked_about_both(held_out):
    found = held_out.journal.evaluations
    assert [one.step for one in found] == [4, 8, 12]
    for one in found:
        assert set(one.held_out.episodes) == {1}
        assert set(one.training.episodes) <= {0, 2}
        assert one.held_out.action_error > 0
        assert 0 <= one.held_out.gripper_error <= 1
        assert one.held_out.seam >= 0
        assert one.held_out.queries == found[0].held_out.queries
        assert one.shifted.episodes.keys() == one.training.episodes.keys()
        assert one.shifted.action_error != one.training.action_error


def test_curves_are_written_as_table_and_json(held_out):
    rows = list(csv.DictReader((held_out.run / "training.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8, 10, 12]
    asked = [row for row in rows if row["held_out_action_error"]]
    assert [int(row["step"]) for row in asked] == [4, 8, 12]
    errors = [float(row["held_out_action_error"]) for row in asked]
    assert [float(row["held_out_rise"]) for row in asked] == pytest.approx(
        [error / min(errors[: place + 1]) - 1 for place, error in enumerate(errors)]
    )
    assert all(float(row["held_out_over_training"]) > 0 for row in asked)
    epochs = [float(row["epoch"]) for row in rows]
    assert np.allclose(epochs, [int(row["step"]) * 16 / held_out.journal.frames for row in rows])
    noted = json.loads((held_out.run / "training.json").read_text())
    assert noted["held_out"] == [1]
    assert noted["finished"] is True


def test_the_page_shows_the_curves(held_out, tmp_path):
    page = write_training_page(held_out.journal, tmp_path / "training.html").read_text()
    for title in ("Training loss", "Action error", "Gripper on the wrong side", "Seams", "The plan"):
        assert title in page
    assert "Stopped and taken up again at step 4." in page


def test_weights_and_biases_has_the_same_figures(held_out):
    if not has_wandb():
        pytest.skip("Weights & Biases is not installed")
    records = list((held_out.run / "wandb").glob("offline-run-*/*.wandb"))
    assert records
    logged = b"".join(path.read_bytes() for path in records)
    for name in ("held_out_action_error", "held_out_seam", "held_out_rise", "held_out_over_training"):
        assert f"eval/{name}".encode() in logged
    assert b"train/loss" in logged
    assert judge(held_out.journal).kind.encode() in logged


class Teacher:
    """Answers with what was demonstrated, or with something worse."""

    def __init__(self, data, execute, *, worse=lambda chunk: chunk):
        self.data, self.execute, self.worse, self.asked = data, execute, worse, 0

    def __call__(self, batch):
        self.asked += len(batch["task"])
        states = batch["observation.state"].numpy()
        chunks = []
        for state in states:
            distance = [np.abs(e.states - state).sum(axis=1) for e in self.data.episodes]
            number = int(np.argmin([d.min() for d in distance]))
            frame, actions = int(distance[number].argmin()), self.data.episodes[number].actions
            rows = np.minimum(frame + np.arange(self.execute), len(actions) - 1)
            chunks.append(self.worse(actions[rows].copy()))
        return np.stack(chunks)


@pytest.fixture(scope="module")
def data(demonstrations):
    return read_dataset(demonstrations, video=False)


def ask(data, worse=lambda chunk: chunk, **more):
    examiner = Examiner(data, [0], (), execute=10, **({"rounds": 3} | more))
    return examiner.examine(Teacher(data, 10, worse=worse), step=1, epoch=1.0, since_s=60.0)


def test_the_same_frames_are_asked_about_with_their_pictures_moved_a_little(demonstrations):
    data = read_dataset(demonstrations)
    keys = [camera.key for camera in data.episodes[0].cameras.values()]
    teacher, seen = Teacher(data, 10), []

    def watched(batch):
        seen.append(batch)
        return teacher(batch)

    examiner = Examiner(data, [0], keys, execute=10, rounds=1)
    found = examiner.examine(watched, step=1, epoch=1.0, since_s=60.0)
    assert found.shifted.episodes == found.training.episodes  # this one does not look
    *_, learned, moved = seen
    assert np.array_equal(learned["observation.state"], moved["observation.state"])
    step = max(1, round(0.02 * learned[keys[0]].shape[-1]))
    for key in keys:
        assert np.array_equal(moved[key][0, :, :, step:], learned[key][0, :, :, :-step])
        assert np.array_equal(moved[key][1, :, step:], learned[key][1, :, :-step])


def test_the_demonstrator_itself_makes_no_error(data):
    answers = ask(data).held_out
    assert answers.action_error == pytest.approx(0, abs=1e-4)
    assert answers.gripper_error == pytest.approx(0, abs=1e-4)
    assert answers.seam == pytest.approx(answers.seam_demonstrated)


def test_an_error_has_the_size_that_it_has(data):
    answers = ask(data, lambda chunk: chunk + 3.0).held_out
    assert answers.action_error == pytest.approx(3.0, abs=1e-4)


def test_a_gripper_that_never_moves_is_wrong_around_events(data):
    def stuck(chunk):
        chunk[:, -1] = 0.0
        return chunk

    assert ask(data, stuck).held_out.gripper_error > 0.2


def test_chunks_that_do_not_fit_each_other_show_at_the_seams(data):
    def drifting(chunk):
        return chunk + np.linspace(0, 20, len(chunk))[:, None]

    answers = ask(data, drifting).held_out
    assert answers.seam > answers.seam_demonstrated + 10


def test_a_slow_policy_is_asked_less(data):
    quick = ask(data, rounds=None).held_out

    def slow(chunk):
        import time

        time.sleep(0.15)
        return chunk

    assert ask(data, slow, rounds=None).held_out.queries < quick.queries


def test_all_episodes_cannot_be_held_out(demonstrations, tmp_path):
    with pytest.raises(UsageError, match="--hold-out is 3 of 3 episodes"):
        train(demonstrations, tmp_path / "run", hold_out=3)
    assert not list(tmp_path.iterdir())
