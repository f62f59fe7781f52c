"""A training that was stopped goes on to the weights of one that was not."""

import contextlib
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from dataset_folder import write_v3
from lerobot.scripts import lerobot_train
from safetensors.torch import load_file
from sound_dataset import sound_dataset

from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.journal import read_journal, write_journal
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.keeping import Progress
from regrasp.lerobot_bridge.resuming import newest_checkpoint
from regrasp.lerobot_bridge.training import resume, train

STEPS, BATCH = 11, 32
"""More than two epochs of one demonstration, so that stops fall into different ones."""

OPTIONS = [
    "--dataset.episodes=[1]",
    "--policy.image_size=32",
    "--policy.channels=[4,4,4]",
    "--policy.shift_px=2",
    "--policy.hidden=32",
    "--save_freq=3",
    "--log_freq=1",
]


def run(demonstrations, out, **more):
    return train(
        demonstrations, out, **{"steps": STEPS, "batch": BATCH, "options": OPTIONS, "hold_out": 0} | more
    )


def stop_at(step):
    """A crash after so many steps."""

    def stop(done, _all):
        if done == step:
            raise KeyboardInterrupt

    return Progress(on_step=stop)


@contextlib.contextmanager
def dying_while_saving(step):
    """A crash while the checkpoint of this step is written."""
    save = lerobot_train.save_checkpoint

    def dying(*, checkpoint_dir, **parts):
        save(checkpoint_dir=checkpoint_dir, **parts)
        if parts["step"] == step:
            (checkpoint_dir / "training_state" / "training_step.json").unlink()
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lerobot_train, "save_checkpoint", dying)
        yield


def weights(folder):
    return load_file(folder / "model.safetensors")


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.fixture(scope="module")
def uninterrupted(demonstrations, tmp_path_factory):
    return run(demonstrations, tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def stopped(demonstrations, tmp_path_factory):
    """A run that was stopped before its first checkpoint, within an epoch, and while it was saving; then moved."""
    folder = tmp_path_factory.mktemp("stopped")
    out, seen = folder / "run", SimpleNamespace(newest=[], folder=folder)
    with pytest.raises(KeyboardInterrupt):
        run(demonstrations, out, progress=stop_at(2))
    seen.newest.append(newest_checkpoint(out))
    with pytest.raises(KeyboardInterrupt):
        resume(out, progress=stop_at(8))
    seen.newest.append(newest_checkpoint(out))
    with pytest.raises(UsageError) as raised:
        run(demonstrations, out)
    seen.refusal = str(raised.value)
    shutil.copytree(out, folder / "lerobot-alone", symlinks=True)
    with dying_while_saving(9), pytest.raises(KeyboardInterrupt):
        resume(out)
    seen.newest.append(newest_checkpoint(out))
    seen.left = [path.name for path in (out / "checkpoints").glob(".*")]
    out.rename(folder / "moved")
    seen.result = resume(folder / "moved")
    return seen


def test_the_weights_are_those_of_the_uninterrupted_run(stopped, uninterrupted):
    assert stopped.result.steps == STEPS
    assert same(weights(stopped.result.checkpoint), weights(uninterrupted.checkpoint))


def test_so_is_the_state_of_the_optimizer(stopped, uninterrupted):
    name = "training_state/optimizer_state.safetensors"
    assert same(*(load_file(one.checkpoint.parent / name) for one in (stopped.result, uninterrupted)))


def test_so_is_the_curve(stopped, uninterrupted):
    assert stopped.result.losses == uninterrupted.losses
    assert [step for step, _ in uninterrupted.losses] == list(range(1, STEPS + 1))


def test_the_stops_fell_within_the_second_epoch(stopped, uninterrupted):
    """Else the order of the samples would be the same by chance."""
    assert stopped.result.journal.resumed_at == [0, 6, 6]
    per_epoch = -(-uninterrupted.contract.frames // BATCH)
    assert per_epoch < 6 < 2 * per_epoch


def test_lerobot_alone_ends_with_other_weights(stopped, uninterrupted, monkeypatch):
    """The reason for this module; should it fail, LeRobot has been put right and this can go."""
    monkeypatch.setattr("regrasp.lerobot_bridge.running.exact_resuming", contextlib.nullcontext)
    theirs = resume(stopped.folder / "lerobot-alone")
    assert not same(weights(theirs.checkpoint), weights(uninterrupted.checkpoint))


def test_a_run_without_a_checkpoint_begins_anew(stopped):
    assert stopped.newest[0] is None
    assert stopped.result.journal.resumed_at[0] == 0


def test_half_a_checkpoint_does_not_count_and_is_removed(stopped):
    assert [path.name for path in stopped.newest[1:]] == ["000006", "000006"]
    assert stopped.left == [".partial-000009"]
    assert not list((stopped.result.run / "checkpoints").glob(".*"))


def test_a_stopped_run_is_recognised_and_told_how_to_go_on(stopped):
    out = stopped.folder / "run"
    assert stopped.refusal == (
        f"{out} holds a training that was stopped; 6 of its {STEPS} steps are kept. Go on with "
        f"`regrasp train --resume {out}`, or choose another --out."
    )


def test_a_run_goes_on_where_it_was_moved_to(stopped):
    assert stopped.result.run == stopped.folder / "moved"
    assert not (stopped.folder / "run").exists()


def test_a_finished_run_is_left_as_it_is(uninterrupted):
    before = uninterrupted.checkpoint.stat().st_mtime_ns
    assert resume(uninterrupted.run).steps == STEPS
    assert uninterrupted.checkpoint.stat().st_mtime_ns == before


def test_a_folder_without_training_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Found no training to go on with"):
        resume(tmp_path)


def test_every_checkpoint_has_its_contract(uninterrupted):
    steps = sorted(path for path in (uninterrupted.run / "checkpoints").iterdir() if path.name.isdigit())
    contracts = [read_checkpoint(path).contract for path in steps]
    assert [contract.steps for contract in contracts] == [3, 6, 9, STEPS]
    shown = [contract.steps * BATCH / contract.frames for contract in contracts]
    assert np.allclose([contract.epochs for contract in contracts], shown, atol=1e-3)


def test_the_journal_tells_that_a_run_is_finished(stopped):
    journal = read_journal(stopped.result.run)
    assert journal.finished
    assert journal.total_steps == STEPS


def test_begun_anew_only_the_episodes_it_was_given_count(demonstrations, tmp_path):
    """Statistics are those of the episodes that are trained on; of an episode that was not chosen nothing is learned."""
    options = ["--dataset.episodes=[0,2]", *OPTIONS[1:]]
    whole = run(demonstrations, tmp_path / "whole", options=options, hold_out=[2], steps=3)
    with pytest.raises(KeyboardInterrupt):
        run(demonstrations, tmp_path / "run", options=options, hold_out=[2], steps=3, progress=stop_at(1))
    moved = tmp_path / "moved"
    shutil.copytree(demonstrations, moved)
    again = resume(tmp_path / "run", dataset=moved)
    assert same(weights(again.checkpoint), weights(whole.checkpoint))
    assert again.contract.normalisation == whole.contract.normalisation
    assert again.journal.dataset == str(moved)
    assert again.journal.chosen == [0, 2]


def test_a_run_whose_training_state_is_gone_keeps_its_weights(uninterrupted, tmp_path):
    """Nobody who has made room on a disk loses the policy by asking to go on."""
    out = shutil.copytree(uninterrupted.run, tmp_path / "run", symlinks=True)
    for state in out.glob("checkpoints/0*/training_state"):
        shutil.rmtree(state)
    with pytest.raises(UsageError, match="that can be used and not be gone on with"):
        resume(out)
    assert same(weights(read_checkpoint(out).path), weights(uninterrupted.checkpoint))


def test_what_lerobot_refuses_costs_nothing(demonstrations, tmp_path):
    """Neither a run without a checkpoint yet, nor the choice among those of a finished one."""
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run(demonstrations, out, progress=stop_at(2))
    before = (out / "training.json").read_bytes()
    with pytest.raises(UsageError, match="LeRobot refuses"):
        resume(out, options=["--no_such_option=1"])
    assert (out / "training.json").read_bytes() == before
    out.rename(tmp_path / ".partial-run")  # as a kill in that moment leaves it
    with pytest.raises(KeyboardInterrupt):
        resume(out, progress=stop_at(4))
    best = out / "checkpoints" / "best"
    best.symlink_to("000003")
    with pytest.raises(UsageError, match="LeRobot refuses"):
        resume(out, options=["--no_such_option=1"])
    assert best.is_symlink()
    assert not list(tmp_path.glob(".*"))


def test_a_run_goes_on_with_its_own_data_alone(uninterrupted, demonstrations, tmp_path):
    out = shutil.copytree(uninterrupted.run, tmp_path / "run", symlinks=True)
    other = tmp_path / "other"
    write_v3(sound_dataset(0, 3), other)
    with pytest.raises(
        UsageError, match=f"Found other demonstrations in {other} than {out} has learned from"
    ):
        resume(out, dataset=other, options=["--steps=20"])
    assert resume(out, dataset=demonstrations, options=["--steps", "12"]).steps == 12


def test_one_that_was_killed_after_its_last_checkpoint_is_finished(uninterrupted, tmp_path):
    out = shutil.copytree(uninterrupted.run, tmp_path / "run", symlinks=True)
    journal = read_journal(out)
    write_journal(out, journal.model_copy(update={"finished": False}))
    (out / "checkpoints" / "last").unlink()
    (out / "checkpoints" / "last").symlink_to("000009")
    assert resume(out).steps == STEPS
    assert read_journal(out).finished
