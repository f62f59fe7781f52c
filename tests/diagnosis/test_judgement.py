"""Curves tell whether a training learned, levelled out, or learned by heart."""

import json

import numpy as np
import pytest

from regrasp.data.journal import Answers, Evaluation, Journal, read_journal, table, write_journal
from regrasp.diagnosis.judgement import RISE, judge
from regrasp.errors import CheckpointError
from regrasp.report.training_page import curves_section


def journal(held, trained, *, spread=0.1, episodes=6, seed=0):
    """A training whose errors follow these curves, with episodes that are harder and easier than others."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(0, spread, (2, episodes)))
    found = []
    for place, (outside, inside) in enumerate(zip(held, trained, strict=True)):
        noise = np.exp(rng.normal(0, 0.005, (2, episodes)))
        errors = level * noise * np.array([[outside], [inside]])
        found.append(
            Evaluation(
                step=100 * (place + 1),
                epoch=place + 1.0,
                held_out=Answers(action_error=errors[0].mean(), episodes=dict(enumerate(errors[0].tolist()))),
                training=Answers(action_error=errors[1].mean(), episodes=dict(enumerate(errors[1].tolist()))),
            )
        )
    return Journal(
        dataset="d",
        policy="act",
        arguments=[],
        total_steps=100 * len(found),
        frames=1000,
        held_out=list(range(episodes)),
        evaluations=found,
        finished=True,
    )


FALLING = 5 * 0.7 ** np.arange(9)


def test_a_held_out_error_that_rises_while_training_goes_on_is_overfitting():
    held = [5, 3, 2, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4]
    verdict = judge(journal(held, FALLING))
    assert verdict.kind == "overfitting"
    assert verdict.best_step == 400
    assert verdict.headline.startswith("Overfitting: held-out error has risen by ")
    assert "since epoch 4.0" in verdict.headline


def test_an_error_that_still_falls_is_learning():
    assert judge(journal(FALLING, FALLING)).kind == "learning"


def test_a_curve_that_has_levelled_out_on_both_sides_is_levelled():
    flat = [5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
    assert judge(journal(flat, flat)).kind == "levelled"


@pytest.mark.parametrize(("last", "said"), [(0.0, True), (2e-5, True), (2.1e-5, False), (1e-4, False)])
def test_a_curve_that_flattens_because_learning_was_slowed_is_not_said_to_have_ended(last, said):
    flat = [5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
    learned = journal(flat, flat)
    learned.steps = [{"step": 1, "epoch": 0.1, "lr": 1e-4}, {"step": 900, "epoch": 9.0, "lr": last}]
    assert any("where every curve flattens" in line for line in judge(learned).lines) == said
    assert not any("where every curve flattens" in line for line in judge(journal(flat, flat)).lines)


def test_a_flat_held_out_error_under_which_training_falls_is_learning_by_heart():
    flat = [5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
    verdict = judge(journal(flat, 0.9 * FALLING))
    assert verdict.kind == "memorising"
    assert verdict.ratio[1] > 1
    assert "times as far off" in verdict.lines[1]
    assert any("no harm is shown" in line for line in verdict.lines)


def test_what_moving_trained_pictures_costs_is_told_with_its_interval():
    learned = journal(FALLING, FALLING)
    last = learned.evaluations[-1]
    moved = {number: 1.5 * error for number, error in last.training.episodes.items()}
    shifted = Answers(action_error=1.5 * last.training.action_error, episodes=moved)
    learned.evaluations[-1] = last.model_copy(update={"shifted": shifted})
    (line,) = [line for line in judge(learned).lines if line.startswith("Moved by a fiftieth")]
    assert line.endswith("answered 1.50 times as far off (1.50 to 1.50).")
    assert not any("Moved by" in line for line in judge(journal(FALLING, FALLING)).lines)


def test_a_sure_but_small_rise_is_no_overfitting():
    for rise, kind in ((0.9 * RISE, "levelled"), (1.5 * RISE, "overfitting")):
        held = [5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5 * (1 + rise)]
        flat = [5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
        assert judge(journal(held, flat, spread=0.01)).kind == kind


def test_a_rise_in_one_episode_alone_is_no_overfitting():
    one = journal([5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5], [1.5] * 9)
    last = one.evaluations[-1]
    worse = {**last.held_out.episodes, 0: 3.0}
    changed = last.model_copy(update={"held_out": last.held_out.model_copy(update={"episodes": worse})})
    assert (
        judge(one.model_copy(update={"evaluations": [*one.evaluations[:-1], changed]})).kind != "overfitting"
    )


@pytest.mark.parametrize(("evaluations", "episodes"), [(2, 6), (9, 2)])
def test_too_little_is_undecided(evaluations, episodes):
    verdict = judge(journal(FALLING[:evaluations], FALLING[:evaluations], episodes=episodes))
    assert verdict.kind == "undecided"
    assert verdict.headline == (
        f"{evaluations} evaluations of {episodes} held-out episodes are too few to tell; 3 and 3 would do."
    )


def test_without_held_out_episodes_nothing_is_known():
    nothing = journal(FALLING, FALLING).model_copy(update={"held_out": [], "evaluations": []})
    assert judge(nothing).headline == (
        "No episode was held out, so it is not known whether the policy learned by heart."
    )


def test_the_flag_is_rarely_raised_by_noise_alone():
    flat = [5, 3, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
    kinds = [judge(journal(flat, flat, seed=seed, episodes=4)).kind for seed in range(100)]
    assert kinds.count("overfitting") == 0
    assert kinds.count("levelled") > 80


def test_held_out_error_is_called_weak_evidence():
    assert judge(journal(FALLING, FALLING)).lines[-1].startswith("Held-out error is weak evidence of success")


def test_the_page_has_the_verdict_on_top():
    section = curves_section(journal(FALLING, FALLING))
    assert section.blocks[0].headline == judge(journal(FALLING, FALLING)).headline


def test_a_journal_is_read_as_it_was_written(tmp_path):
    written = journal(FALLING, FALLING)
    write_journal(tmp_path, written)
    assert read_journal(tmp_path) == written
    assert read_journal(tmp_path / "nowhere") is None
    assert (tmp_path / "training.csv").read_text() == table(written)


@pytest.mark.parametrize(
    "damage", [{"frames": 0}, {"frames": "many"}, {"steps": [{"loss": 1.0}]}, {"steps": [{"step": None}]}]
)
def test_a_damaged_journal_is_one_sentence(tmp_path, damage):
    write_journal(tmp_path, journal(FALLING, FALLING))
    path = tmp_path / "training.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(CheckpointError, match=r"^Found a training\.json in .* that cannot be read \("):
        read_journal(tmp_path)


def test_going_back_forgets_what_came_after():
    cut = journal(FALLING, FALLING)
    cut.steps = [{"step": float(step), "epoch": 0.1, "loss": 1.0} for step in range(50, 1000, 50)]
    cut.cut_after(400)
    assert [one.step for one in cut.evaluations] == [100, 200, 300, 400]
    assert cut.steps[-1]["step"] == 400


def test_a_training_that_diverges_can_still_be_read_and_says_so(tmp_path):
    made = journal([5, 3, 2, np.nan, np.nan], [5, 3, 2, np.nan, np.nan])
    made.steps = [{"step": 100.0, "loss": np.nan, "grad_norm": np.inf}]
    write_journal(tmp_path, made)
    found = read_journal(tmp_path)
    assert np.isnan(found.steps[0]["loss"])
    assert found.steps[0]["grad_norm"] == np.inf
    assert np.isnan(found.evaluations[-1].held_out.action_error)
    verdict = judge(found)
    assert verdict.kind == "undecided"
    assert verdict.headline.startswith("The training diverged: from step 400 on its answers are no numbers.")
