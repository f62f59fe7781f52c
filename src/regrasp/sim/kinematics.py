"""Where the hand is and how to bring it somewhere: kinematics of the arm alone. Radians, metres."""

from functools import cache

import mink
import mujoco
import numpy as np
from numpy.typing import NDArray

from regrasp.sim.scene import arm_spec

SOLVER = "daqp"
DAMPING = 1e-6

POSITION_COST = 1.0
ROLL_COST = 0.05
TILT_COST = 0.02
"""Against 1 m of position error, one radian of turning about, or of tilting, the pointing direction.

Far out the hand cannot point straight down; it then tilts rather than miss.
"""

STEP_S = 1.0
MAX_STEP_RAD = 0.4
CONVERGED_RAD = 0.001
MAX_ITERATIONS = 25
"""Newton steps of one second, kept short so that none leaps to another fold of the elbow."""


@cache
def arm_model() -> mujoco.MjModel:
    """The arm without a world, compiled once."""
    return arm_spec().compile()


class Kinematics:
    """Inverse kinematics that starts from its last answer, so that a path stays continuous."""

    def __init__(self) -> None:
        model = arm_model()
        self._configuration = mink.Configuration(model)
        self._limits = [mink.ConfigurationLimit(model)]
        self._task = mink.FrameTask(
            "tcp",
            "site",
            position_cost=POSITION_COST,
            orientation_cost=[TILT_COST, TILT_COST, ROLL_COST],
            lm_damping=1e-4,
        )
        self._site = model.site("tcp").id
        self._scratch = mujoco.MjData(model)

    def start_from(self, angles: NDArray[np.float64]) -> None:
        """Take `angles`, shape [6], as the pose to search from."""
        self._configuration.update(angles)

    def hand(self, angles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position of the point between the jaws, shape [3]."""
        self._scratch.qpos[:] = angles
        mujoco.mj_kinematics(arm_model(), self._scratch)
        return self._scratch.site_xpos[self._site].copy()

    def reach(self, position: NDArray[np.float64], across: float) -> NDArray[np.float64]:
        """Joint angles, shape [6], with the hand at `position`, pointing down, closing along `across`.

        `across` is the direction in the table's plane from the fixed to the moving jaw, radians from x.
        The gripper's own angle is left as it was.
        """
        self._task.set_target(_pointing_down(position, across))
        for _ in range(MAX_ITERATIONS):
            velocity = mink.solve_ik(
                self._configuration, [self._task], STEP_S, solver=SOLVER, damping=DAMPING, limits=self._limits
            )
            furthest = float(np.abs(velocity).max()) * STEP_S
            self._configuration.integrate_inplace(
                velocity * (MAX_STEP_RAD / max(furthest, MAX_STEP_RAD)), STEP_S
            )
            if furthest < CONVERGED_RAD:
                break
        return self._configuration.q.copy()

    def gravity_nm(self, angles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Torque with which each joint must hold the arm up, shape [6]."""
        self._scratch.qpos[:] = angles
        mujoco.mj_forward(arm_model(), self._scratch)
        return self._scratch.qfrc_bias.copy()


def _pointing_down(position: NDArray[np.float64], across: float) -> mink.SE3:
    """Pose of the hand: z up along the fingers, x across the jaws."""
    x = np.array([np.cos(across), np.sin(across), 0.0])
    z = np.array([0.0, 0.0, 1.0])
    R_world_hand = np.column_stack([x, np.cross(z, x), z])
    return mink.SE3.from_rotation_and_translation(mink.SO3.from_matrix(R_world_hand), position)
