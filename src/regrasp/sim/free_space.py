"""The arm alone in empty space, following recorded commands: how a recording and the twin are compared."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import within_limits
from regrasp.sim.imperfections import Imperfections
from regrasp.sim.scene import SUBSTEP_HZ, arm_spec
from regrasp.sim.servos import Servos

LARGEST_LAG_S = 0.3
LAG_STEP_S = 0.005
MOVING_DEG_S = 8.0
"""Only frames in which the command moves faster tell how late the arm is."""

ENOUGH_FRAMES = 30


def replay(
    start: NDArray[np.float64], actions: NDArray[np.float64], fps: int, imperfections: Imperfections
) -> NDArray[np.float64]:
    """What the encoders read while the arm, resting at `start`, follows `actions`; shape [T, 6]."""
    model = _free_arm()
    servos = Servos(model, mujoco.MjData(model), imperfections, fps)
    servos.rest_at(within_limits(start))
    states = np.empty_like(actions)
    for frame, action in enumerate(actions):
        states[frame] = servos.readings()
        servos.follow(action)
    return states


def _free_arm() -> mujoco.MjModel:
    spec = arm_spec()
    spec.option.timestep = 1.0 / SUBSTEP_HZ
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    for geom in spec.geoms:
        geom.contype, geom.conaffinity = 0, 0
    return spec.compile()


def lag_s(states: NDArray[np.float64], actions: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """How late each joint follows, shape [J]; seconds, `nan` where too little moves.

    The delay under which the command differs least from the state, in the median over moving frames, after
    a constant difference is taken away.
    """
    time = np.arange(len(states)) / fps
    delays = np.arange(0.0, LARGEST_LAG_S, LAG_STEP_S)
    lags = np.full(states.shape[1], np.nan)
    for joint in range(states.shape[1]):
        moving = np.abs(np.gradient(actions[:, joint])) * fps > MOVING_DEG_S
        if moving.sum() < ENOUGH_FRAMES:
            continue
        misfits = [
            _spread((states[:, joint] - np.interp(time - delay, time, actions[:, joint]))[moving])
            for delay in delays
        ]
        lags[joint] = delays[int(np.argmin(misfits))]
    return lags


def _spread(values: NDArray[np.float64]) -> float:
    """Median distance from the median."""
    return float(np.median(np.abs(values - np.median(values))))
