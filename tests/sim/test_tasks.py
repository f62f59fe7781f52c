"""Success and progress, judged from physics."""

from dataclasses import replace

import numpy as np
import pytest

from regrasp.arm.so101 import HOME
from regrasp.sim.scene import BIN_CENTRE
from regrasp.sim.tasks import HOLD_FRAMES, LIFT_M, REST_FRAMES, REST_M_S, TASKS, Judge, Scene

HELD = Scene(
    hand=np.array([0.2, 0.0, 0.1]),
    toy=np.array([0.2, 0.0, 0.1]),
    toy_speed_m_s=0.0,
    lifted_m=LIFT_M,
    jaws_touching=2,
)
LYING = replace(HELD, hand=np.array([0.1, 0.0, 0.4]), lifted_m=0.0, jaws_touching=0)
IN_BIN = replace(LYING, toy=np.array([*BIN_CENTRE, 0.02]))


def judged(task, scenes):
    judge = Judge(TASKS[task])
    for scene in scenes:
        judge.watch(scene)
    return judge


def test_held_up_long_enough_is_a_grab():
    assert judged("grab-brain", [HELD] * HOLD_FRAMES).success


def test_one_frame_less_is_not():
    assert not judged("grab-brain", [HELD] * (HOLD_FRAMES - 1)).success


def test_a_break_starts_the_count_anew():
    slip = replace(HELD, jaws_touching=1)
    assert not judged("grab-brain", [HELD] * 9 + [slip] + [HELD] * 9).success


@pytest.mark.parametrize("jaws", [0, 1])
def test_height_without_both_jaws_is_not_a_grab(jaws):
    assert not judged("grab-brain", [replace(HELD, jaws_touching=jaws)] * 50).success


def test_a_toy_just_below_the_height_is_not_lifted():
    assert not judged("grab-brain", [replace(HELD, lifted_m=LIFT_M - 1e-6)] * 50).success


def test_success_stays_when_the_toy_is_dropped():
    judge = judged("grab-brain", [HELD] * HOLD_FRAMES + [LYING] * 20)
    assert judge.success
    assert judge.progress == 1.0


def test_progress_grows_from_reach_over_grasp_and_lift_to_hold():
    near = replace(LYING, hand=LYING.toy + np.array([0.0, 0.0, 0.05]))
    gripped = replace(HELD, lifted_m=0.0)
    scenes = ([LYING], [near], [gripped], [HELD], [HELD] * HOLD_FRAMES)
    steps = [judged("grab-brain", seen).progress for seen in scenes]
    assert steps == sorted(steps)
    assert len(set(steps)) == len(steps)
    assert (steps[0], steps[-1]) == (0.0, 1.0)


def test_progress_keeps_the_best_moment():
    judge = judged("grab-brain", [HELD, LYING])
    assert judge.progress == judged("grab-brain", [HELD]).progress


def test_a_toy_left_in_the_bin_is_done():
    judge = judged("brain-to-bin", [IN_BIN] * REST_FRAMES)
    assert (judge.success, judge.progress) == (True, 1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"jaws_touching": 1},
        {"toy_speed_m_s": REST_M_S},
        {"toy": np.array([*BIN_CENTRE, 0.1])},
        {"toy": np.array([BIN_CENTRE[0] + 0.051, BIN_CENTRE[1], 0.02])},
    ],
    ids=["still touched", "still moving", "above the rim", "beside the bin"],
)
def test_it_must_be_inside_at_rest_and_released(change):
    assert not judged("brain-to-bin", [replace(IN_BIN, **change)] * 50).success


def test_holding_the_toy_up_does_not_put_it_in_the_bin():
    judge = judged("brain-to-bin", [HELD] * 50)
    assert not judge.success
    assert judge.progress < 1.0


def test_a_toy_that_flies_past_the_resting_arm_is_no_success(twin):
    twin.reset(0)
    for _ in range(30):
        twin.data.joint("toy").qpos[2] = 0.2
        twin.data.joint("toy").qvel[:] = 0.0
        twin.step(HOME)
    assert twin.scene().lifted_m > LIFT_M
    assert not twin.success
