"""Each score rises for its own reason, stays low without, and gets its limit from what succeeded."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import contract, rollouts, training

from regrasp.arm.so101 import HOME
from regrasp.control import Decision, Tick
from regrasp.control.monitor import LIMITS, SCORES, UNCALIBRATED, Monitor, calibrate, needed_episodes
from regrasp.data.rollouts import Ticks

FPS = 10
PAN = np.array([2.0, 0, 0, 0, 0, 0])
PICTURE = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)


def tick(index, sent=HOME, *, chunk=0, plan=None, pictures=None, intervened=False):
    decision = Decision(np.asarray(sent, dtype=float), 1.0, chunk, 0, plan)
    return Tick(index, index / FPS, pictures or {}, decision, np.asarray(sent, dtype=float), intervened)


def watched(ticks, states=None, monitor=None):
    """Scores of the last of these ticks."""
    monitor = monitor or Monitor(FPS, contract())
    scores = {}
    for number, one in enumerate(ticks):
        scores = monitor.watch(one, one.sent if states is None else states[number])
    return scores


def moving(count, **options):
    return [tick(index, HOME + index * PAN, **options) for index in range(count)]


def test_every_score_is_told():
    assert tuple(watched(moving(3, pictures={"front": PICTURE}))) == SCORES


def test_a_state_of_the_training_is_near_and_another_far():
    seen = training().episodes[0].states[10]
    near = watched([tick(0, seen)])["far_state"]
    far = watched([tick(0, seen + 30 * PAN)])["far_state"]
    assert near < 0.5
    assert far > 2.0


def test_chunks_are_compared_over_the_time_that_both_plan():
    plan = np.arange(20.0)[:, None] * np.ones(6)
    agreeing = [tick(0, plan=plan[:10]), tick(1, chunk=1, plan=plan[1:11])]
    assert watched(agreeing)["chunk_disagreement"] == 0.0
    beside = plan[1:11] + np.array([0, 0, 7.0, 0, 0, 0])
    assert watched([agreeing[0], tick(1, chunk=1, plan=beside)])["chunk_disagreement"] == 7.0


def test_without_an_overlap_nobody_can_tell():
    plan = np.zeros((1, 6))
    assert np.isnan(watched([tick(0, plan=plan), tick(1, chunk=1, plan=plan)])["chunk_disagreement"])


def test_turning_back_is_counted_and_trembling_is_not():
    to_and_fro = [tick(i, HOME + 3.0 * (i % 2)) for i in range(20)]
    trembling = [tick(i, HOME + 0.9 * (i % 2)) for i in range(20)]
    assert watched(to_and_fro)["reversals"] == pytest.approx(6 * FPS)
    assert watched(trembling)["reversals"] == 0
    assert watched(moving(20))["reversals"] == 0


def test_stall_is_the_time_since_a_joint_moved():
    states = [HOME] * 5 + [HOME + 5.0] * 20
    assert watched([tick(i) for i in range(25)], states)["stall"] == pytest.approx(1.9)
    assert watched(moving(25))["stall"] == 0
    assert watched([tick(i) for i in range(25)], [HOME + 1.0 * (i % 2) for i in range(25)])[
        "stall"
    ] == pytest.approx(2.4)


def test_saturation_is_the_share_of_changed_commands():
    half = [tick(i, intervened=i % 2 == 0) for i in range(20)]
    assert watched(half)["saturation"] == 0.5
    assert watched([tick(i, intervened=i < 10) for i in range(20)])["saturation"] == 0.0
    assert watched(moving(20))["saturation"] == 0.0


def test_a_frozen_camera_is_timed_and_a_noisy_one_is_not():
    rng = np.random.default_rng(1)

    def noisy():
        return (PICTURE.astype(int) + rng.normal(0, 2, PICTURE.shape)).clip(0, 255).astype(np.uint8)

    frozen = [tick(i, pictures={"front": noisy(), "wrist": PICTURE}) for i in range(11)]
    assert watched(frozen)["camera_frozen"] == pytest.approx(1.0)
    assert watched([tick(i, pictures={"front": noisy()}) for i in range(11)])["camera_frozen"] == 0


def test_darkness_is_told_against_the_training():
    usual = contract().camera("front").picture.mean()
    grey = np.full((24, 32, 3), usual, np.uint8)
    assert watched([tick(0, pictures={"front": grey})])["camera_dark"] == pytest.approx(0, abs=0.02)
    assert watched([tick(0, pictures={"front": grey // 10})])["camera_dark"] == pytest.approx(0.9, abs=0.02)


def test_the_time_budget_is_in_demonstrations():
    usual_s = contract().frames / contract().fps / contract().episodes
    assert watched([tick(round(2 * usual_s * FPS))])["time_budget"] == pytest.approx(2.0)


def test_a_new_episode_starts_from_nothing():
    monitor = Monitor(FPS, contract())
    first = watched([tick(i) for i in range(30)], monitor=monitor)
    monitor.reset()
    assert watched([tick(0)], monitor=monitor)["stall"] == 0 < first["stall"]


def test_without_a_contract_what_cannot_be_told_is_nan():
    scores = watched([tick(0, pictures={"front": PICTURE})], monitor=Monitor(FPS))
    assert np.isnan([scores["far_state"], scores["camera_dark"], scores["time_budget"]]).all()
    assert scores["stall"] == 0


def scored(peaks, successes=None):
    """Rollouts in which `stall` reaches these peaks."""
    made = rollouts(len(peaks), successes=successes)
    episode = np.repeat(np.arange(len(peaks)), 2)
    blank = np.zeros(len(episode))
    ticks = Ticks(
        episode, episode, blank, blank, episode, episode, np.zeros((len(episode), 6)),
        np.zeros((len(episode), 6)), blank > 0, scores={"stall": np.column_stack([np.zeros(len(peaks)), peaks]).ravel()},
    )  # fmt: skip
    return replace(made, ticks=ticks)


def test_the_limit_is_the_conformal_quantile_of_the_highest_scores():
    assert calibrate(scored(np.arange(19.0)), alpha=0.1).limits["stall"] == 17.0
    assert calibrate(scored(np.arange(9.0)), alpha=0.1).limits["stall"] == 8.0


def test_too_few_successes_leave_it_undecided_with_the_number_needed():
    found = calibrate(scored(np.arange(8.0)), alpha=0.1)
    assert "far_state" not in found.limits
    assert found.undecided["stall"] == "needs 9 successful rollouts with this score, got 8"


def test_limits_that_hold_without_calibration_are_kept_where_it_is_undecided():
    found = calibrate(scored(np.arange(8.0)), alpha=0.1)
    assert found.limits == LIMITS
    assert found.tripped({"camera_frozen": 30.0}) == ("camera_frozen",)


def test_failures_are_not_calibrated_on():
    peaks = np.concatenate([np.arange(9.0), [500.0] * 5])
    assert calibrate(scored(peaks, successes=9), alpha=0.1).limits["stall"] == 8.0


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.05, 19), (0.01, 99), (0.09, 11), (0.2, 4)])
def test_how_many_are_needed(alpha, needed):
    assert needed_episodes(alpha) == needed


def test_a_sound_episode_is_alarming_no_more_often_than_alpha_says():
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(400):
        draws = rng.exponential(size=20)
        limit = calibrate(scored(draws[:19]), alpha=0.1).limits["stall"]
        alarms.append(draws[19] > limit)
    assert np.mean(alarms) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 400)


def test_a_score_at_its_limit_does_not_trip_and_one_beyond_does():
    assert UNCALIBRATED.tripped({"stall": UNCALIBRATED.limits["stall"]}) == ()
    assert UNCALIBRATED.tripped({"stall": 99.0, "camera_dark": float("nan")}) == ("stall",)
