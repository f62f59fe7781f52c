"""From anywhere, the twin's arm comes home without touching the table or itself."""

import numpy as np

from regrasp.arm.so101 import HOME, JOINTS, LIMITS
from regrasp.control.clearance import clearance
from regrasp.control.clock import FastClock
from regrasp.control.homing import home
from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.scene import PLINTH_M


class Arm:
    """The twin without pictures; notes what it touches."""

    def __init__(self, twin):
        self.twin, self.touched = twin, set()

    def get_observation(self):
        return dict(zip((f"{joint}.pos" for joint in JOINTS), self.twin.joints().tolist(), strict=True))

    def send_action(self, action):
        self.twin.step(np.array(list(action.values())))
        self.touched |= self.twin.touching()
        return action


def test_it_comes_home_from_random_poses_untouched():
    rng = np.random.default_rng(3)
    twin = Twin(TwinConfig())
    came = 0
    while came < 12:
        pose = rng.uniform(LIMITS[:, 0], LIMITS[:, 1])
        if clearance(pose, -PLINTH_M)[0] < 0.01:
            continue
        twin.reset(came)
        twin.stand_at(pose)
        arm = Arm(twin)
        done = home(
            arm, HOME, joints=JOINTS, limits=LIMITS, clock=FastClock(), fps=30, rng=rng, table_m=-PLINTH_M
        )
        assert np.abs(twin.joints() - HOME).max() < 2
        assert done.seconds < 4
        assert not arm.touched & {"table", "itself"}
        came += 1


def test_an_arm_pushed_into_the_table_touches_it():
    twin = Twin(TwinConfig())
    twin.stand_at(np.array([40.0, 60.0, 40.0, 0.0, 0.0, 0.0]))
    twin.step(np.array([40.0, 90.0, 40.0, 0.0, 0.0, 0.0]))
    assert "table" in twin.touching()


def test_the_arm_at_home_touches_nothing():
    twin = Twin(TwinConfig())
    twin.stand_at(HOME)
    assert not twin.touching()


def test_the_arm_s_own_model_of_room_agrees_with_the_simulation():
    rng = np.random.default_rng(0)
    twin = Twin(TwinConfig())
    poses = rng.uniform(LIMITS[:, 0], LIMITS[:, 1], (300, 6))
    touches = []
    for pose in poses:
        twin.stand_at(pose)
        touches.append(bool(twin.touching() & {"table", "itself"}))
    room = clearance(poses, -PLINTH_M)
    assert (room[np.array(touches)] < 0.003).all()
    assert np.mean(room[~np.array(touches)] > -0.003) > 0.85
