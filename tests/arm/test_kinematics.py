"""Where the hand is: the same as the twin's model says, for any number of poses at once."""

import numpy as np
import pytest

from regrasp.arm.kinematics import LINKS, TIP_IN_GRIPPER, link_positions, tip_positions
from regrasp.arm.so101 import HOME, LIMITS

TENTH_OF_A_MILLIMETRE = 1e-4


@pytest.fixture(scope="module")
def poses():
    """Two hundred poses all over the joints' ranges; degrees, gripper 0-100."""
    return np.random.default_rng(0).uniform(LIMITS[:, 0], LIMITS[:, 1], (200, 6))


@pytest.fixture(scope="module")
def by_mujoco(poses):
    """Link origins and tip in the base frame as MuJoCo computes them from the twin's model, [200, 6, 3]."""
    mujoco = pytest.importorskip("mujoco")
    from regrasp.arm.units import to_radians
    from regrasp.sim.kinematics import arm_model

    model = arm_model()
    data = mujoco.MjData(model)
    found = np.empty((len(poses), 6, 3))
    for row, pose in enumerate(poses):
        data.qpos[:] = to_radians(pose)
        mujoco.mj_kinematics(model, data)
        links = [data.body(name).xpos for name, _, _ in LINKS]
        found[row] = np.array([*links, data.site("tcp").xpos]) - data.body("base").xpos
    return found


def test_the_tip_is_where_the_twins_model_has_it(poses, by_mujoco):
    away = np.linalg.norm(tip_positions(poses) - by_mujoco[:, 5], axis=1)
    assert away.max() < TENTH_OF_A_MILLIMETRE


def test_every_link_is_where_the_twins_model_has_it(poses, by_mujoco):
    away = np.linalg.norm(link_positions(poses) - by_mujoco, axis=2)
    assert away.max() < TENTH_OF_A_MILLIMETRE


def test_the_tip_is_the_twins_point_between_the_jaws():
    pytest.importorskip("mujoco")
    from regrasp.sim.scene import TCP_IN_GRIPPER

    assert TIP_IN_GRIPPER == TCP_IN_GRIPPER


def test_a_millimetre_off_in_one_link_would_be_seen(poses, by_mujoco, monkeypatch):
    name, (x, y, z), turn = LINKS[3]
    moved = (*LINKS[:3], (name, (x, y + 0.001, z), turn), LINKS[4])
    monkeypatch.setattr("regrasp.arm.kinematics.LINKS", moved)
    assert np.linalg.norm(tip_positions(poses) - by_mujoco[:, 5], axis=1).max() > TENTH_OF_A_MILLIMETRE


def test_five_joints_and_six_give_the_same(poses):
    np.testing.assert_array_equal(tip_positions(poses[:, :5]), tip_positions(poses))


def test_leading_axes_are_kept(poses):
    folded = poses.reshape(4, 50, 6)
    assert tip_positions(folded).shape == (4, 50, 3)
    assert link_positions(folded).shape == (4, 50, 6, 3)
    np.testing.assert_array_equal(tip_positions(folded).reshape(200, 3), tip_positions(poses))
    assert tip_positions(HOME).shape == (3,)


def test_a_joint_that_is_nan_makes_its_own_pose_nan_alone(poses):
    broken = poses[:2].copy()
    broken[0, 1] = np.nan
    assert np.isnan(tip_positions(broken)).any(axis=1).tolist() == [True, False]


def test_pan_turns_the_tip_about_the_shoulder(poses):
    axis = np.array(LINKS[0][1][:2])
    turned = poses.copy()
    turned[:, 0] += 30.0
    before, after = tip_positions(poses), tip_positions(turned)
    np.testing.assert_allclose(
        np.linalg.norm(after[:, :2] - axis, axis=1), np.linalg.norm(before[:, :2] - axis, axis=1)
    )
    np.testing.assert_allclose(after[:, 2], before[:, 2])
