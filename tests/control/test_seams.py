"""Chunks are handed over without a jump, asked for ahead, and refused where they cannot keep up."""

import threading

import numpy as np
import pytest

from regrasp.control import Decision
from regrasp.control.seams import Ahead, HandOver, Horizon, choose_horizon, seam_jumps
from regrasp.errors import UsageError

FPS = 30
STEP = np.full(2, 3.0)


class Chunks:
    """Follows a track in chunks, each beside it by an offset of its own."""

    def __init__(self, track, *, chunk=20, execute=10, offsets=(0.0,), plans=True, inference_ms=1.0):
        self.track, self.chunk, self.execute = np.asarray(track, dtype=float), chunk, execute
        self.offsets, self.plans, self.inference_ms = offsets, plans, inference_ms
        self.asked_at = []
        self.reset()

    def reset(self):
        self.tick, self.number, self.plan = 0, -1, np.empty((0, 2))

    def decide(self, observation):
        at = observation.get("tick", self.tick)
        place = self.tick % self.execute
        if place == 0:
            self.number += 1
            self.asked_at.append(at)
            rows = np.minimum(np.arange(at, at + self.chunk), len(self.track) - 1)
            self.plan = self.track[rows] + self.offsets[self.number % len(self.offsets)]
        self.tick += 1
        ms = self.inference_ms if place == 0 else float("nan")
        rest = self.plan[place:]
        return Decision(rest[0], ms, self.number, place, rest if self.plans else None)


def ramp(length=200, slope=1.0):
    return np.column_stack([np.arange(length) * slope, np.zeros(length)])


def drive(policy, ticks=60):
    policy.reset()
    decisions = [policy.decide({"tick": tick}) for tick in range(ticks)]
    return np.array([one.action for one in decisions]), np.array([one.chunk for one in decisions]), decisions


def jumps(policy, ticks=60):
    commands, chunks, _ = drive(policy, ticks)
    return seam_jumps(chunks, commands)


@pytest.mark.parametrize(("plans", "most"), [(True, 1.0), (False, 2.5)], ids=["with its plan", "without"])
def test_a_jump_at_a_seam_becomes_a_step_like_any_other(plans, most):
    beside = (0.0, 12.0, -8.0)
    without, _ = jumps(Chunks(ramp(), offsets=beside, plans=plans))
    within, elsewhere = jumps(HandOver(Chunks(ramp(), offsets=beside, plans=plans), FPS, STEP))
    assert without.max() > 10
    assert within.max() < most + 0.5 * STEP[0] + 1e-9
    assert elsewhere.max() < 1.0 + 0.5 * STEP[0] + 1e-9


def test_after_the_fade_the_actions_are_the_new_chunk_s_own():
    policy = HandOver(Chunks(ramp(), execute=40, chunk=40, offsets=(0.0, 6.0)), FPS, STEP)
    commands, _, _ = drive(policy, 80)
    plain, _, _ = drive(Chunks(ramp(), execute=40, chunk=40, offsets=(0.0, 6.0)), 80)
    np.testing.assert_allclose(commands[60:], plain[60:])
    assert np.abs(commands[40] - plain[40]).max() == pytest.approx(6.0)


@pytest.mark.parametrize("execute", [1, 2, 3, 5, 20])
def test_however_often_it_is_asked_the_policy_is_followed(execute):
    class Jumps(Chunks):
        """Wants 30 degrees from tick 20 on, and had not known before."""

        def decide(self, observation):
            self.track = np.full((200, 2), 30.0 if self.tick >= 20 else 0.0)
            return super().decide(observation)

    commands, chunks, _ = drive(HandOver(Jumps(ramp(), chunk=40, execute=execute), FPS, STEP), 100)
    np.testing.assert_allclose(commands[80:], 30.0, atol=0.1)
    at_seams, within = seam_jumps(chunks, commands)
    assert at_seams.max() <= 0.5 * 30.0
    assert within.max(initial=0) <= 0.5 * 30.0


def test_a_policy_of_single_actions_has_nothing_to_hand_over():
    plain, _, _ = drive(Chunks(ramp(slope=2.0), chunk=1, execute=1))
    handed, _, _ = drive(HandOver(Chunks(ramp(slope=2.0), chunk=1, execute=1), FPS, STEP))
    np.testing.assert_array_equal(handed, plain)


def test_a_plan_that_is_no_number_hands_nothing_over():
    class Spoilt(Chunks):
        def decide(self, observation):
            one = super().decide(observation)
            plan = one.plan.copy()
            plan[1:] = np.nan
            return Decision(one.action, one.inference_ms, one.chunk, one.position, plan)

    commands, _, _ = drive(HandOver(Spoilt(ramp(), offsets=(0.0, 5.0)), FPS, STEP))
    plain, _, _ = drive(Chunks(ramp(), offsets=(0.0, 5.0)))
    np.testing.assert_array_equal(commands, plain)


def test_chunks_that_agree_are_left_as_they_are():
    plain, _, _ = drive(Chunks(ramp()))
    handed, _, _ = drive(HandOver(Chunks(ramp()), FPS, STEP))
    np.testing.assert_allclose(handed, plain)


def test_a_new_episode_begins_without_the_last_one_s_difference():
    policy = HandOver(Chunks(ramp(), offsets=(5.0, 25.0)), FPS, STEP)
    first, _, _ = drive(policy, 15)
    again, _, _ = drive(policy, 15)
    np.testing.assert_array_equal(first, again)


def test_the_time_of_a_query_changes_no_action():
    quick, _, _ = drive(HandOver(Chunks(ramp(), offsets=(0.0, 10.0)), FPS, STEP))
    slow, _, _ = drive(HandOver(Chunks(ramp(), offsets=(0.0, 10.0), inference_ms=500.0), FPS, STEP))
    np.testing.assert_array_equal(quick, slow)


def test_what_is_no_row_of_numbers_is_left_to_the_gate():
    class Broken:
        def reset(self):
            pass

        def decide(self, observation):
            return Decision(None, 1.0, 0, 0)

    assert HandOver(Broken(), FPS).decide({}).action is None


@pytest.mark.parametrize("background", [False, True])
def test_asked_ahead_an_action_is_sent_at_the_moment_it_was_meant_for(background):
    policy = Ahead(Chunks(ramp(), execute=1), execute=10, delay=4, background=background)
    commands, chunks, decisions = drive(policy, 45)
    np.testing.assert_allclose(commands, ramp()[:45])
    assert chunks.tolist() == [tick // 10 for tick in range(45)]
    assert [one.position for one in decisions[10:20]] == list(range(4, 14))
    policy.close()


def test_it_is_asked_as_many_ticks_ahead_as_the_delay():
    inner = Chunks(ramp(), execute=1)
    drive(Ahead(inner, execute=10, delay=4, background=False), 30)
    assert inner.asked_at == [0, 6, 16, 26]


def test_an_answer_that_comes_late_is_waited_for_and_counted():
    release = threading.Event()

    class Late(Chunks):
        def decide(self, observation):
            if self.tick:
                release.wait(5)
            return super().decide(observation)

    policy = Ahead(Late(ramp(), execute=1), execute=5, delay=2, background=True)
    policy.reset()
    for tick in range(5):
        policy.decide({"tick": tick})
    threading.Timer(0.05, release.set).start()
    assert policy.decide({"tick": 5}).action[0] == 5.0
    assert policy.underruns == 1
    policy.close()


def test_a_plan_too_short_for_planning_ahead_is_refused():
    policy = Ahead(Chunks(ramp(), chunk=12, execute=1), execute=10, delay=4, background=False)
    with pytest.raises(UsageError) as raised:
        drive(policy, 20)
    assert str(raised.value) == (
        "Found a plan of 12 actions; expected 14 to plan ahead. Run with --no-handover."
    )


def test_a_quick_query_is_made_between_two_commands():
    assert choose_horizon(0.010, 30, 30, trained=20) == Horizon(30, 20, 0)


def test_the_slack_of_30_and_20_is_10_ticks_and_no_more():
    assert choose_horizon(10 / 30 - 1e-6, 30, 30, execute=20) == Horizon(30, 20, 10)
    with pytest.raises(UsageError) as raised:
        choose_horizon(0.34, 30, 30, execute=20)
    assert str(raised.value) == (
        "A query takes 340 ms, which is 10.2 ticks at 30 Hz; sending 20 of 30 actions per query cannot keep up, "
        "expected 11 to 19. Try --n-action-steps 19."
    )


def test_without_a_wish_the_trained_number_is_kept_or_the_nearest_that_keeps_up():
    assert choose_horizon(0.19, 30, 100, trained=100) == Horizon(100, 94, 6)
    assert choose_horizon(0.19, 30, 40, trained=2) == Horizon(40, 6, 6)


def test_a_chunk_that_cannot_bridge_the_query_is_refused():
    with pytest.raises(UsageError) as raised:
        choose_horizon(0.75, 30, 30)
    assert str(raised.value) == (
        "A query takes 750 ms, which is 22.5 ticks at 30 Hz; a chunk of 30 actions cannot bridge that, expected 46 or "
        "more. Train with a larger chunk_size, run the policy on a faster device, or lower the station's fps and "
        "train for it."
    )


@pytest.mark.parametrize("latency_s", [0.0, 0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("chunk", [1, 10, 30, 100])
def test_whatever_is_chosen_keeps_up(latency_s, chunk):
    try:
        chosen = choose_horizon(latency_s, FPS, chunk, trained=chunk)
    except UsageError:
        assert 2 * np.ceil(latency_s * FPS) > chunk
        return
    assert chosen.execute + chosen.delay <= chunk
    assert chosen.delay <= chosen.execute
    assert chosen.delay >= latency_s * FPS or latency_s * FPS <= 0.3
