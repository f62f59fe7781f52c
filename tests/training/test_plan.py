"""A plan gives each number of a training with its reason."""

import json
import resource
import shlex
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from dataset_folder import write_v3
from deployments import checkpoint
from sound_dataset import sound_dataset

from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.errors import CheckpointError, UsageError
from regrasp.training.plan import Trial, epochs_of, plan

JOINTS = (
    "shoulder_pan.pos",
    "shoulder_lift.pos",
    "elbow_flex.pos",
    "wrist_flex.pos",
    "wrist_roll.pos",
    "gripper.pos",
)


def recordings(frames, episodes, *, fps=30.0, smooth=24, seed=0):
    """A dataset of exactly so many frames, with motion that is alike over `smooth` frames."""
    rng = np.random.default_rng(seed)
    lengths = np.full(episodes, frames // episodes)
    lengths[: frames - lengths.sum()] += 1
    made = []
    for index, length in enumerate(lengths.tolist()):
        moves = rng.normal(size=(length + smooth, len(JOINTS)))
        moves = np.apply_along_axis(np.convolve, 0, moves, np.ones(smooth) / smooth, mode="valid")[:length]
        actions = np.cumsum(moves, axis=0)
        made.append(
            Episode(
                index=index,
                fps=fps,
                timestamps=np.arange(length) / fps,
                states=actions,
                actions=actions,
                joint_names=JOINTS,
                task_indices=np.zeros(length, np.int64),
                tasks=("Grab the brain",),
            )
        )
    return Dataset(
        path=sound_dataset(0, 3).path,
        fps=fps,
        joint_names=JOINTS,
        episodes=tuple(made),
        tasks=("Grab the brain",),
    )


@pytest.fixture(scope="module")
def brain():
    """As many frames and episodes as the project that Regrasp comes from had."""
    return recordings(100_832, 241)


def reason(planned, what):
    return next(one for one in planned.reasons if one.what == what)


SMOLVLA = "lerobot/smolvla_base"


def test_fifty_thousand_steps_of_32_are_15_87_epochs_and_are_flagged(brain):
    planned = plan(brain, policy=SMOLVLA, batch=32, steps=50_000)
    assert f"{planned.epochs:.2f}" == "15.87"
    assert len(planned.warnings) == 1
    assert planned.warnings[0].startswith("15.87 epochs are many.")
    assert "6.35 epochs are --steps 20009 here" in planned.warnings[0]


def test_twenty_thousand_are_6_35_and_are_not(brain):
    planned = plan(brain, policy=SMOLVLA, batch=32, steps=20_000)
    assert f"{planned.epochs:.2f}" == "6.35"
    assert planned.warnings == ()


def test_twenty_five_thousand_on_291_episodes_are_6_57():
    planned = plan(recordings(121_750, 291), policy=SMOLVLA, batch=32, steps=25_000)
    assert f"{planned.epochs:.2f}" == "6.57"
    assert planned.warnings == ()


def test_exactly_ten_epochs_are_fine(brain):
    assert not plan(brain, policy=SMOLVLA, epochs=10).warnings
    assert plan(brain, policy=SMOLVLA, epochs=10.01).warnings


def test_varying_the_light_is_offered_where_there_are_pictures(brain):
    assert "--augment light" not in dict(plan(brain, policy="act").knobs)
    seen = plan(sound_dataset(cameras=True), policy="act")
    assert "tenth less light" in dict(seen.knobs)["--augment light"]


def test_the_batch_moves_cost_not_epochs(brain):
    small, large = (plan(brain, policy="act", batch=batch, epochs=8) for batch in (8, 64))
    assert small.epochs == pytest.approx(large.epochs, rel=1e-3)
    assert small.steps == pytest.approx(8 * large.steps, rel=1e-3)
    assert "0.71 of the noise" in dict(small.knobs)["--batch 16"]


def test_more_gpus_take_fewer_steps_for_the_same_epochs(brain):
    one, four = (plan(brain, policy="act", gpus=gpus, epochs=8) for gpus in (1, 4))
    assert four.steps == pytest.approx(one.steps / 4, rel=1e-3)
    assert four.epochs == pytest.approx(8, rel=1e-3)
    assert reason(four, "effective batch").value == four.effective_batch == 32


def test_the_rate_grows_with_the_root_of_the_processes(brain):
    one, four = (plan(brain, policy="act", gpus=gpus) for gpus in (1, 4))
    assert (one.rate, four.rate) == (1e-5, 2e-5)
    rates = ("--policy.optimizer_lr=2e-05", "--policy.optimizer_lr_backbone=2e-05")
    assert four.options == (*rates, *one.options)
    assert "x 2.00, the root of 4" in reason(four, "learning rate").why


def test_a_cosine_ends_where_it_ended_from_a_higher_peak(brain):
    planned = plan(brain, policy="smolvla", gpus=4)
    assert "down to 1/80 of it" in reason(planned, "learning rate").why
    assert planned.options[0] == "--policy.optimizer_lr=0.0002"


def test_a_rate_that_is_not_known_is_not_scaled(brain):
    planned = plan(brain, policy="tdmpc", gpus=2)
    assert planned.rate is None
    assert reason(planned, "learning rate").why.endswith("and not scaled for 2 processes")
    assert not planned.options


def test_nodes_count_as_their_gpus(brain):
    near, far = plan(brain, policy="smolvla", gpus=4), plan(brain, policy="smolvla", gpus=2, nodes=2)
    assert (near.steps, near.rate, near.options) == (far.steps, far.rate, far.options)
    assert "2 nodes with 2 GPUs each" in reason(far, "effective batch").why
    with pytest.raises(UsageError, match=r"^--nodes is 0; expected more than 0\.$"):
        plan(brain, nodes=0)


def test_the_command_says_what_was_asked_and_how_many_processes(brain):
    folder = brain.path
    assert plan(brain, policy="act", epochs=7.5, hold_out=12).command == (
        f"regrasp train {folder} --policy act --epochs 7.5 --hold-out 12 --out RUN"
    )
    assert plan(brain, policy="act", batch=4, gpus=2, nodes=3).command == (
        "accelerate launch --multi_gpu --num_processes 6 --num_machines 3 --machine_rank RANK --main_process_ip ADDRESS "
        "--main_process_port 29500 --mixed_precision no --dynamo_backend no -m regrasp "
        f"train {folder} --policy act --batch 4 --out RUN"
    )


def test_every_epoch_leaves_a_checkpoint(brain):
    for epochs in (1, 6.35, 15.87):
        planned = plan(brain, policy="act", epochs=epochs)
        assert planned.save_every <= planned.steps_per_epoch
        assert planned.steps / planned.save_every >= 3


@pytest.mark.parametrize("epochs", [1, 3, 6.35, 10, 15.87])
def test_the_last_checkpoint_is_no_stump_after_the_one_before_it(brain, epochs):
    planned = plan(brain, policy="act", epochs=epochs)
    last = (planned.steps - 1) % planned.save_every + 1
    assert last > 0.9 * planned.save_every


def test_held_out_episodes_leave_epochs_alone_and_raise_the_passes(brain):
    held = plan(brain, policy="act", steps=1000, hold_out=24)
    none = plan(brain, policy="act", steps=1000, hold_out=0)
    assert len(held.held_out) == 24
    assert held.epochs == none.epochs == none.passes
    assert held.passes == pytest.approx(none.passes * 241 / 217, rel=0.01)


def test_smolvla_s_cosine_is_shrunk_by_lerobot_below_30_000_steps_and_stretched_here_above(brain):
    below, at, above = (plan(brain, policy="smolvla", steps=steps) for steps in (15_000, 30_000, 50_000))
    assert (below.warmup, below.decay, below.options) == (500, 15_000, below.options)
    assert (at.warmup, at.decay) == (1000, 30_000)
    assert above.decay == 50_000
    assert "--policy.scheduler_decay_steps=50000" in above.options
    assert not any("decay" in option for option in (*below.options, *at.options))
    assert "last 40 % of the run" in reason(above, "decay").why


def test_chunks_follow_how_long_motion_stays_related(brain):
    long, short = plan(brain, policy="smolvla"), plan(recordings(100_832, 241, smooth=3), policy="smolvla")
    assert short.n_action_steps == 15  # half a second at least
    assert 15 < long.n_action_steps <= 30
    for planned in (long, short):
        assert planned.chunk_size == planned.n_action_steps + -(-planned.n_action_steps // 2)


def test_the_same_motion_at_another_rate_takes_the_same_time():
    fast, slow = recordings(30_000, 60, fps=60, smooth=48), recordings(15_000, 60, fps=30, smooth=24)
    taken = [plan(data, policy="smolvla").n_action_steps / data.fps for data in (fast, slow)]
    assert taken[0] == pytest.approx(taken[1], rel=0.1)


def test_a_slow_policy_gets_longer_chunks_and_is_warned_of_when_they_do_not_suffice(brain):
    quick, slow = (plan(brain, policy=SMOLVLA, latency_ms=latency) for latency in (33.3, 333))
    assert slow.n_action_steps >= quick.n_action_steps
    assert slow.chunk_size - slow.n_action_steps >= 10
    assert not slow.warnings
    (warning,) = plan(brain, policy=SMOLVLA, latency_ms=1200).warnings
    assert "is 36 frames" in warning
    assert "stand still" in warning


def test_chunks_are_not_longer_than_short_episodes_allow():
    planned = plan(recordings(2000, 50), policy="smolvla")
    padding = (planned.chunk_size - 1) / 2 / 40
    assert padding <= 0.1
    assert planned.n_action_steps <= planned.chunk_size


def test_chunks_that_speak_for_themselves_stay(brain):
    for policy, chunk in (("act", 100), ("keypoint", 40)):
        assert (
            plan(brain, policy=policy).chunk_size
            == plan(recordings(2000, 50), policy=policy).chunk_size
            == chunk
        )


def test_motion_that_tells_nothing_leaves_two_thirds_of_a_second(brain):
    still = brain.map_episodes(lambda e: replace(e, actions=0 * e.actions))
    assert plan(still, policy="smolvla").n_action_steps == 20


def test_time_and_memory_are_unknown_until_measured(brain):
    assert reason(plan(brain), "time").value is None
    trial = Trial(0.5, 3.2, 0.6, 40.0, "a GPU", 12)
    measured = plan(brain, steps=7200, trial=trial)
    assert measured.hours == 1.0
    assert reason(measured, "memory").value == 3.2
    assert "latency 40 ms" in reason(plan(brain, policy="smolvla", trial=trial), "chunk_size").why


def test_few_steps_from_scratch_are_said(brain):
    (warning,) = plan(recordings(5000, 20), policy="act", epochs=8).warnings
    assert "few for act" in warning
    assert warning.endswith("Give --epochs 32.")
    assert not plan(brain, policy="act", steps=10_000).warnings
    assert plan(brain, policy="act", steps=9_999).warnings


@pytest.mark.parametrize(("policy", "samples"), [("act", 160_000), ("keypoint", 200_000)])
def test_few_demonstrations_are_shown_more_often_to_a_policy_from_scratch(brain, policy, samples):
    """And are not said to be shown too often for that; more than it needs are."""
    planned = plan(recordings(5000, 20), policy=policy)
    assert planned.steps * planned.batch >= samples
    assert planned.epochs == pytest.approx(samples / 5000, rel=0.05)
    assert "few demonstrations need more than the usual 8" in reason(planned, "epochs").why
    assert planned.warnings == ()
    longer = plan(recordings(5000, 20), policy=policy, epochs=2 * planned.epochs)
    assert any("epochs are many" in text for text in longer.warnings)
    assert plan(brain, policy=policy).epochs == pytest.approx(8, rel=0.01)


def test_json_is_what_the_design_lays_down(brain):
    told = json.loads(json.dumps(plan(brain, policy="smolvla", steps=20_000).to_json(), allow_nan=False))
    wanted = {
        "frames",
        "steps",
        "batch",
        "steps_per_epoch",
        "epochs",
        "chunk_size",
        "n_action_steps",
        "save_every",
    }
    assert wanted | {"reasons"} <= told.keys()
    assert (told["frames"], told["steps"], told["epochs"]) == (100_832, 20_000, 6.35)
    assert all(one["why"] for one in told["reasons"])


def test_a_policy_that_only_lerobot_knows_is_planned_as_far_as_it_goes(brain):
    planned = plan(brain, policy="tdmpc")
    assert planned.steps > 0
    assert (planned.chunk_size, planned.rate, planned.options) == (None, None, ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"steps": 10, "epochs": 2},
            "Found both --steps and --epochs; expected one of them: the other follows from it.",
        ),
        ({"batch": -1}, "--batch is -1; expected more than 0."),
        ({"epochs": float("nan")}, "--epochs is nan; expected more than 0."),
        ({"latency_ms": -5.0}, "--latency-ms is -5; expected 0 or more."),
        (
            {"hold_out": 241},
            "--hold-out is 241 of 241 episodes; expected 0 to 240, so that some are left to learn from.",
        ),
        ({"hold_out": [999]}, None),
    ],
)
def test_numbers_without_sense_are_refused(brain, options, message):
    with pytest.raises(UsageError) as raised:
        plan(brain, **options)
    assert message is None or str(raised.value) == message


def test_vqbet_learns_its_code_book_in_a_fifth_of_a_short_run_and_takes_one_camera():
    """LeRobot's preset spends the first 20,000 steps on it: all of this run."""
    planned = plan(sound_dataset(0, 6), policy="vqbet", epochs=8)
    assert f"--policy.n_vqvae_training_steps={-(-planned.steps // 5)}" in planned.options
    (features,) = [option for option in planned.options if option.startswith("--policy.input_features=")]
    assert list(json.loads(features.partition("=")[2])) == ["observation.state", "observation.images.front"]
    assert {one.what: one.value for one in planned.reasons}["camera"] == "front"


def test_vqbet_keeps_lerobot_s_code_book_in_a_run_that_is_long_enough(brain):
    planned = plan(brain, policy="vqbet", steps=100_000)
    assert not any("n_vqvae_training_steps" in option for option in planned.options)


def test_a_checkpoint_that_is_not_there_is_named(brain):
    with pytest.raises(CheckpointError, match=r"Found no checkpoint in \./nowhere"):
        plan(brain, policy="./nowhere")


def test_a_policy_that_is_meant_to_be_fine_tuned_is_not_begun_at_random_without_a_word(brain):
    (warning,) = plan(brain, policy="smolvla").warnings
    assert warning.startswith("--policy smolvla alone begins with random weights")
    assert f"--policy {SMOLVLA} fine-tunes" in warning
    assert not plan(brain, policy=SMOLVLA).warnings
    assert not any("random" in text for text in plan(brain, policy="act").warnings)


def test_only_a_policy_from_scratch_is_said_to_be_trained_too_briefly_for_one(brain):
    assert any("from scratch" in text for text in plan(brain, policy="act", steps=5000).warnings)
    assert not plan(brain, policy="someone/my_act", steps=5000).warnings


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        ("lerobot/smolvla_base", "smolvla"),
        ("lerobot/pi0_base", "pi0"),
        ("someone/my_act", "act"),
        ("someone/act-brain", "act"),
        ("a/b", "b"),
    ],
)
def test_a_checkpoint_on_the_hub_is_planned_for_by_its_name(brain, policy, kind):
    planned = plan(brain, policy=policy)
    assert planned.policy == kind
    assert f"--policy {policy}" in planned.command


def test_the_command_names_a_dataset_on_the_hub_as_it_was_named(brain, monkeypatch, tmp_path):
    """Not the folder that its tables were downloaded into: its videos are not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("regrasp.training.plan.read_dataset", lambda _name, video: brain)
    assert plan("someone/brain").command.startswith("regrasp train someone/brain --policy act")


def test_a_checkpoint_is_planned_for_with_its_own_rate(brain, tmp_path):
    """LeRobot trains it further with what its config.json says, not with the type's preset."""
    own = {"optimizer_lr": 5e-5, "scheduler_warmup_steps": 500, "scheduler_decay_steps": 60_000}
    (tmp_path / "config.json").write_text(json.dumps({"type": "smolvla", **checkpoint().config, **own}))
    planned = plan(brain, policy=str(tmp_path), steps=20_000)
    assert (planned.rate, planned.warmup) == (5e-5, 166)
    assert reason(planned, "learning rate").why.startswith("the checkpoint's config.json of smolvla")
    several = plan(brain, policy=str(tmp_path), steps=20_000, gpus=4)
    assert "--policy.optimizer_lr=0.0001" in several.options


def test_a_folder_that_is_not_there_is_no_hub_id(brain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    with pytest.raises(CheckpointError, match="Found no checkpoint in runs/act"):
        plan(brain, policy="runs/act")


def test_the_command_of_a_measured_plan_plans_the_same_again(brain):
    slow = Trial(0.1, None, 1.0, latency_ms=400.04, device="cpu", steps=3)
    planned = plan(brain, policy="smolvla", trial=slow)
    words = shlex.split(planned.command)
    again = plan(brain, policy="smolvla", latency_ms=float(words[words.index("--latency-ms") + 1]))
    assert (again.chunk_size, again.n_action_steps) == (planned.chunk_size, planned.n_action_steps)
    unmeasured = plan(brain, policy="smolvla")
    assert (unmeasured.chunk_size, unmeasured.n_action_steps) != (planned.chunk_size, planned.n_action_steps)


def test_epochs_are_samples_over_frames():
    rng = np.random.default_rng(0)
    for steps, batch, frames, gpus in rng.integers(1, 10_000, (20, 4)).tolist():
        assert epochs_of(steps, batch, frames, gpus=gpus) * frames == pytest.approx(steps * batch * gpus)


def test_the_verb_starts_within_a_second_and_imports_no_torch(tmp_path):
    folder = tmp_path / "data"
    write_v3(sound_dataset(0, 4), folder)
    code = (
        "import sys; sys.argv = ['regrasp', 'plan', sys.argv[1], '--json']\n"
        "from regrasp.cli import main\n"
        "try: main()\n"
        "except SystemExit as done:\n"
        "    assert not {'torch', 'lerobot', 'scipy', 'plotly'} & sys.modules.keys(); raise"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
    assert json.loads(run.stdout)["frames"] == sound_dataset(0, 4).frames
