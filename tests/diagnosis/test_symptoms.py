"""What is seen in rollouts: reported where it differs from the training's own spread, and not otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import FPS, FRAMES, contract, dimmed, rollouts, swapped_pictures, training

from regrasp.data.rollouts import Outcome, Ticks
from regrasp.diagnosis.outcome_patterns import success_by_start
from regrasp.diagnosis.symptoms import outside, symptoms

GRIPPER = 5
ELBOW = 2


def shaken(data, seed=9):
    """The dataset with a hand's own pace and tremor, so that its episodes differ in every measure."""
    rng = np.random.default_rng(seed)

    def change(episode):
        drift = np.cumsum(rng.normal(0, 0.15, episode.states.shape), axis=0)
        return replace(episode, states=episode.states + drift, actions=episode.actions + drift)

    return data.map_episodes(change)


TRAIN = shaken(training())
KNOWN = contract(TRAIN)


def deployed(seed=1, **changes):
    healthy = rollouts(12, seed)
    return replace(healthy, dataset=shaken(healthy.dataset, seed + 100), **changes)


def seen(change=None, **changes):
    """Names of the symptoms after a change of each episode -> what they say."""
    run = deployed(**changes)
    if change:
        run = replace(run, dataset=run.dataset.map_episodes(change))
    return {one.name: one for one in symptoms(KNOWN, TRAIN, run)}


def with_joint(columns, joint, function):
    def change(episode):
        tables = {name: getattr(episode, name).copy() for name in columns}
        for table in tables.values():
            table[:, joint] = function(table[:, joint])
        return replace(episode, **tables)

    return change


@pytest.mark.parametrize("seed", range(1, 9))
def test_healthy_rollouts_have_none(seed):
    assert seen(seed=seed) == {}


def later(frames):
    def shift(gripper):
        return np.concatenate([gripper[:3], np.full(frames, 60.0), gripper[3:-frames]])

    return with_joint(("states", "actions"), GRIPPER, shift)


def test_a_gripper_that_closes_late_is_reported_with_its_time():
    found = seen(later(5))["late-grasp"]
    assert "in 12 of 12 episodes" in found.summary
    value, usual = found.evidence[0], found.evidence[1]
    assert value.value == pytest.approx(usual.value + 5 / FPS, abs=0.11)
    assert value.value > value.limit


def test_a_gripper_that_closes_again_and_again_is_reported():
    def thrice(gripper):
        gripper[18:21] = gripper[24:27] = 60.0
        return gripper

    found = seen(with_joint(("states", "actions"), GRIPPER, thrice))
    assert "close the gripper 3 times" in found["repeated-grasps"].summary


def test_a_joint_that_is_elsewhere_is_reported_by_name():
    found = seen(with_joint(("states", "actions"), ELBOW, lambda elbow: elbow - 45))["other-poses"]
    assert found.summary.startswith("elbow_flex is elsewhere than in training")
    assert {item.name for item in found.evidence} == {"elbow_flex, measured", "elbow_flex, commanded"}
    assert all(item.value > item.limit for item in found.evidence)


def held(episode, frames):
    """The episode with the frames in this order; without pictures, whose number would not fit."""
    times = {"timestamps": np.arange(len(frames)) / FPS, "task_indices": np.zeros(len(frames), np.int64)}
    return replace(
        episode, states=episode.states[frames], actions=episode.actions[frames], cameras={}, **times
    )


def stopped(episode):
    return held(episode, np.minimum(np.arange(FRAMES + 20), 9))


def test_an_arm_that_stops_half_way_stands_still_and_does_not_cover_the_path():
    failed = tuple(replace(outcome, success=False) for outcome in deployed().outcomes)
    found = seen(stopped, outcomes=failed)
    assert {"standstill", "path-not-covered"} <= set(found)
    assert found["standstill"].evidence[0].value == pytest.approx(4.1, abs=0.3)
    assert found["path-not-covered"].evidence[0].value == pytest.approx(60, abs=10)


def test_a_rest_after_success_is_no_standstill():
    def resting(episode):
        return held(episode, np.minimum(np.arange(FRAMES + 40), FRAMES - 1))

    assert "standstill" not in seen(resting)
    failed = tuple(replace(outcome, success=False) for outcome in deployed().outcomes)
    assert "standstill" in seen(resting, outcomes=failed)


def jumping(episode):
    return replace(
        episode, actions=episode.actions + 12.0 * (np.arange(FRAMES) >= 14)[:, None] * (np.arange(6) == 1)
    )


def test_jumps_without_ticks_are_told_by_frame():
    assert "shoulder_lift by" in seen(jumping)["jumps"].summary


def ticks_of(data, chunk, fps=FPS):
    parts = []
    for episode in data.episodes:
        turns = np.arange(episode.length)
        parts.append(
            Ticks(
                episode=np.full(episode.length, episode.index),
                tick=turns,
                wall_s=turns / fps,
                inference_ms=np.full(episode.length, np.nan),
                chunk=turns // chunk,
                position_in_chunk=turns % chunk,
                wanted=episode.actions,
                sent=episode.actions,
                intervened=np.zeros(episode.length, np.bool_),
            )
        )
    return Ticks.joined(parts)


@pytest.mark.parametrize(("chunk", "name"), [(7, "jumps-at-seams"), (10, "jumps-within-chunks")])
def test_jumps_with_ticks_are_told_by_the_place_in_the_chunk(chunk, name):
    run = deployed()
    data = run.dataset.map_episodes(jumping)
    run = replace(run, dataset=data, ticks=ticks_of(data, chunk))
    names = {one.name for one in symptoms(KNOWN, TRAIN, run)}
    assert name in names
    assert not names & ({"jumps-at-seams", "jumps-within-chunks", "jumps"} - {name})


def test_a_slow_loop_is_reported_with_its_rate():
    run = deployed()
    slow = replace(run, ticks=ticks_of(run.dataset, 10, fps=7.0))
    (found,) = symptoms(KNOWN, TRAIN, slow)
    assert found.name == "slow-loop"
    assert found.summary.startswith("The loop ran at 7 Hz in 12 of 12 episodes")
    assert not list(symptoms(KNOWN, TRAIN, replace(run, ticks=ticks_of(run.dataset, 10))))


def test_commands_that_shake_turn_back_and_forth():
    shake = 4.0 * (-1.0) ** np.arange(FRAMES)
    found = seen(with_joint(("actions",), 1, lambda lift: lift + shake))
    assert "back-and-forth" in found


def test_a_joint_that_does_not_follow_is_reported():
    found = seen(with_joint(("states",), ELBOW, lambda elbow: elbow - 12.0))["poor-tracking"]
    assert found.summary.startswith("elbow_flex stays")
    assert found.evidence[0].value == pytest.approx(12, abs=8)


def test_commands_beyond_the_training_are_reported():
    found = seen(with_joint(("actions",), 0, lambda pan: pan + 60.0))["commands-beyond-training"]
    assert found.evidence[0].value > 50


def test_pictures_of_another_scene_or_light_are_reported_by_camera():
    run = deployed()
    swapped = replace(run, dataset=swapped_pictures(run.dataset))
    found = [one for one in symptoms(KNOWN, TRAIN, swapped) if one.name == "unfamiliar-pictures"]
    assert {one.summary.split("'")[1] for one in found} == {"front", "wrist"}
    assert all("another picture than in training in 12 of 12 episodes" in one.summary for one in found)
    dark = [
        one
        for one in symptoms(KNOWN, TRAIN, replace(run, dataset=dimmed(run.dataset)))
        if "brightness" in one.summary
    ]
    assert len(dark) == 2


def with_places(wins, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.2, 0.3, 24)
    initials = [{"object_x_m": float(place), "start_gripper": float(rng.normal())} for place in x]
    return tuple(Outcome(i, bool(wins(place)), initial=initials[i]) for i, place in enumerate(x))


def test_success_that_depends_on_the_place_is_told_with_both_rates():
    run = replace(deployed(), outcomes=with_places(lambda x: x > 0.24))
    (found,) = symptoms(KNOWN, TRAIN, run)
    assert found.name == "success-depends-on-start"
    assert "where object_x_m is above 0.2" in found.summary
    assert found.evidence[0].value == 100
    assert found.evidence[1].value == 0


def test_success_at_random_depends_on_nothing():
    rng, run = np.random.default_rng(5), deployed()
    told = 0
    for seed in range(30):
        outcomes = with_places(lambda _: rng.random() < 0.6, seed)
        told += bool(list(success_by_start(replace(run, outcomes=outcomes))))
    assert told <= 2


def test_episodes_exactly_at_the_limit_are_within():
    trained = np.arange(20.0)
    limit = 9.5 + 2 * (19 - 9.5)
    assert outside(np.full(10, limit), trained, above=True) is None
    found = outside(np.full(10, limit + 1e-6), trained, above=True)
    assert found is not None
    assert (found.k, found.m, found.limit, found.extreme) == (10, 10, limit, 19.0)


def test_a_few_episodes_outside_and_a_thin_training_say_nothing():
    trained = np.arange(100.0)
    far = np.full(10, 500.0)
    assert outside(np.concatenate([np.full(8, 50.0), far[:2]]), trained, above=True) is None
    assert outside(far, trained[:4], above=True) is None
    assert outside(-far, trained, above=False) is not None
    assert outside(-far, trained, above=True) is None


def test_rollouts_of_other_joints_and_of_single_frames_are_passed_over():
    run = deployed()
    wheels = replace(run, dataset=replace(run.dataset, joint_names=("a", "b", "c", "d", "e", "f")))
    list(symptoms(KNOWN, TRAIN, wheels))
    short = run.dataset.map_episodes(
        lambda e: replace(e, states=e.states[:1], actions=e.actions[:1], timestamps=e.timestamps[:1],
                          task_indices=e.task_indices[:1], cameras={})
    )  # fmt: skip
    list(symptoms(KNOWN, TRAIN, replace(run, dataset=short)))
