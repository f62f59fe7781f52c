"""The checkpoint that is kept: by paired starts, sequential halving, else by held-out error."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrasp.data.journal import Answers, Evaluation, Journal
from regrasp.stats import Rate, wilson_interval
from regrasp.training.selection import by_held_out, by_trials, held_out_errors, most_trials, rounds


class Arm:
    """Checkpoints that succeed as often as `rates` says; keeps what it was asked."""

    def __init__(self, rates, seed=0):
        rng = np.random.default_rng(seed)
        hardness = rng.random(400)
        self.outcomes = {step: (hardness < rate).tolist() for step, rate in rates.items()}
        self.asked = []

    def __call__(self, wanted):
        self.asked.append(dict(wanted))
        return {step: self.outcomes[step][:met] for step, met in wanted.items()}


def chosen(arm, starts=60):
    return by_trials(list(arm.outcomes), starts, arm, settings={"seed": 0})


def journal(errors):
    """A run whose held-out episodes are answered so far off: step -> error of each episode."""
    found = [
        Evaluation(step=step, epoch=step / 100, held_out=Answers(action_error=float(np.mean(of)),
                                                                 episodes=dict(enumerate(of))))
        for step, of in errors.items()
    ]  # fmt: skip
    return Journal(dataset="d", policy="act", arguments=[], total_steps=900, frames=100, evaluations=found,
                   held_out=[0, 1, 2, 3])  # fmt: skip


def test_the_one_that_succeeds_most_often_is_kept():
    found = chosen(Arm({100: 0.2, 200: 0.9, 300: 0.5, 400: 0.4}))
    assert (found.step, found.by) == (200, "closed-loop")
    assert found.against_last.step == 400
    assert found.against_last.difference95[0] > 0
    assert found.against_last.chance_better > 0.999
    assert found.against_last.only_other == 0


def test_all_meet_the_same_starts_and_the_better_half_twice_as_many():
    arm = Arm({step: 0.1 * step for step in range(1, 9)})
    found = chosen(arm)
    assert [sorted(set(one.values())) for one in arm.asked] == [[15], [30], [60]]
    assert [len(one) for one in arm.asked] == [8, 4, 2]
    assert found.step == 8
    assert found.against_last is None
    assert found.against_runner_up.step == 7


def test_the_last_one_meets_all_starts_however_badly_it_does():
    arm = Arm({100: 0.9, 200: 0.8, 300: 0.7, 400: 0.0})
    found = chosen(arm)
    assert all(400 in one for one in arm.asked)
    assert {one.step: one.starts for one in found.tried}[400] == 60


def test_of_equals_the_latest_is_kept_and_that_is_said():
    found = chosen(Arm({100: 0.6, 200: 0.6, 300: 0.6}))
    assert found.step == 300
    assert any("equally many successes the latest was taken" in line for line in found.lines)
    assert found.against_runner_up.chance_better == pytest.approx(0.5)


def test_the_sentence_has_counts_and_interval_and_says_when_it_is_not_sure():
    found = chosen(Arm({100: 0.55, 200: 0.5}), starts=20)
    rate = Rate(found.chosen.successes, found.chosen.starts)
    assert found.headline == f"chosen of 2 checkpoints by success on twin, {rate}"
    assert any("not surely better" in line for line in found.lines)
    assert any("a little lower" in line for line in found.lines)


def test_nothing_is_kept_where_none_succeeds():
    assert chosen(Arm({100: 0.0, 200: 0.0})) is None


def test_one_checkpoint_is_compared_with_none():
    found = chosen(Arm({100: 0.5}))
    assert (found.step, found.against_last, found.against_runner_up) == (100, None, None)


@given(st.integers(1, 60), st.integers(1, 200))
def test_rounds_drop_half_and_end_with_all_starts(checkpoints, starts):
    plan = rounds(checkpoints, starts)
    assert plan[0][0] == checkpoints
    assert plan[-1][1] == starts
    assert plan[-1][0] <= 2
    assert all(later[0] * 2 - 1 <= sooner[0] + 1 for sooner, later in pairwise(plan))
    assert all(later[1] >= sooner[1] for sooner, later in pairwise(plan))


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 60), st.integers(0, 1000))
def test_no_more_trials_are_made_than_announced(checkpoints, starts, seed):
    rates = np.random.default_rng(seed).random(checkpoints)
    arm = Arm({100 * (place + 1): rate for place, rate in enumerate(rates)}, seed)
    chosen(arm, starts)
    met = {}
    for one in arm.asked:
        met |= one
    assert sum(met.values()) <= most_trials(checkpoints, starts)


def test_chosen_ones_are_seldom_much_worse_than_the_best():
    """Eight checkpoints around 0.8: what is lost against the best one, over 200 choices."""
    rng = np.random.default_rng(1)
    lost, lost_by_last = [], []
    for seed in range(200):
        rates = {100 * (place + 1): rate for place, rate in enumerate(rng.uniform(0.6, 0.95, 8))}
        picks = np.random.default_rng([7, seed])
        outcomes = {step: (picks.random(60) < rate).tolist() for step, rate in rates.items()}
        found = by_trials(
            list(rates),
            60,
            lambda wanted, of=outcomes: {s: of[s][:n] for s, n in wanted.items()},
            settings={},
        )
        lost.append(max(rates.values()) - rates[found.step])
        lost_by_last.append(max(rates.values()) - rates[800])
    assert np.mean(lost) < 0.05 < np.mean(lost_by_last)


def test_the_interval_is_wilsons():
    found = chosen(Arm({100: 0.5, 200: 0.3}))
    low, high = wilson_interval(found.chosen.successes, 60)
    assert f"({100 * low:.0f}-{100 * high:.0f} %)" in found.headline


RISEN = {
    100: [3.0, 3.2, 2.9, 3.1],
    200: [2.0, 2.1, 1.9, 2.0],
    300: [2.01, 2.1, 1.92, 2.0],
    400: [2.6, 2.8, 2.5, 2.6],
}


def test_held_out_takes_the_latest_that_is_not_surely_farther_off():
    found = by_held_out(journal(RISEN), list(RISEN))
    assert (found.step, found.by) == (300, "held-out")
    assert "The least held-out error is 2, at step 200" in found.lines[0]
    assert found.chosen.held_out_error == pytest.approx(2.0075)
    assert found.chosen.successes is None


def test_held_out_says_that_it_is_weak_evidence():
    (warning,) = by_held_out(journal(RISEN), list(RISEN)).warnings
    assert "weak evidence of success" in warning
    assert "regrasp select RUN --station twin" in warning


def test_only_checkpoints_that_are_still_there_can_be_kept():
    assert by_held_out(journal(RISEN), [100, 400]).step == 400


def test_a_checkpoint_whose_answers_are_no_numbers_is_not_chosen():
    diverged = RISEN | {300: [np.nan] * 4, 400: [np.nan] * 4}
    assert by_held_out(journal(diverged), list(diverged)).step == 200
    assert held_out_errors(journal(diverged)).keys() == {100, 200}


def test_two_held_out_episodes_are_too_few():
    assert by_held_out(journal({step: of[:2] for step, of in RISEN.items()}), list(RISEN)) is None
