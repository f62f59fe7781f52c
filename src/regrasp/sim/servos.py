"""Six servos that follow their commands late, with play, and as far as their strength goes."""

from collections import deque

import mujoco
import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import GRIPPER, within_limits
from regrasp.arm.units import GRIPPER_RANGE_RAD, to_degrees, to_radians
from regrasp.sim.imperfections import Imperfections, read_encoder, through_play


class Servos:
    """The arm's actuators inside a compiled model whose first six joints are the arm's.

    Commands and readings are degrees, gripper 0-100.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, imperfections: Imperfections, fps: int):
        self._model, self._data = model, data
        self._encoder_step = imperfections.encoder_step
        self._substeps = round(1.0 / (fps * model.opt.timestep))
        self._delay = round(imperfections.delay_s / model.opt.timestep)
        self._stiffness = stiffness = np.asarray(imperfections.stiffness_nm_rad)
        self._backlash = np.asarray(imperfections.backlash_deg)
        damping = np.maximum(imperfections.response_s * stiffness - model.dof_damping[:6], 0.0)
        model.actuator_gainprm[:6, 0] = stiffness
        model.actuator_biasprm[:6, 1] = -stiffness
        model.actuator_biasprm[:6, 2] = -damping

    def rest_at(self, pose: NDArray[np.float64]) -> None:
        """Put the arm at `pose`, with commands that hold its weight there."""
        angles = to_radians(pose)
        self._data.qpos[:6] = angles
        mujoco.mj_forward(self._model, self._data)
        goal = angles + self._data.qfrc_bias[:6] / self._stiffness
        goal[GRIPPER] = np.clip(angles[GRIPPER], *GRIPPER_RANGE_RAD)
        self._data.ctrl[:6] = goal
        self._held = to_degrees(goal.copy())
        self._underway = deque([goal] * (1 + self._delay // self._substeps))

    def follow(self, command: NDArray[np.float64]) -> None:
        """Take in one command and let one frame pass."""
        goal = within_limits(command)
        self._held = through_play(goal, self._held, self._backlash)
        self.hold()

    def hold(self) -> None:
        """Let one frame pass under the command before."""
        self._underway.append(to_radians(self._held))
        late = self._delay % self._substeps
        self._advance(self._underway.popleft(), late)
        self._advance(self._underway[0], self._substeps - late)

    def readings(self) -> NDArray[np.float64]:
        """Joint values as the encoders read them, shape [6]."""
        return read_encoder(to_degrees(self._data.qpos[:6].copy()), self._encoder_step)

    def _advance(self, goal: NDArray[np.float64], count: int) -> None:
        if count:
            self._data.ctrl[:6] = goal
            mujoco.mj_step(self._model, self._data, count)
