"""What `lerobot-eval` steps: the twin as a gymnasium environment, with LeRobot's names.

This module imports the simulation, and so needs OpenGL; it is imported in the process that runs it.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from lerobot.utils.constants import OBS_STATE
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS, LIMITS
from regrasp.sim.environment import Twin, TwinConfig

from .config_so101_twin import VIEWS

type Observation = dict[str, Any]


class EvalEnv(gym.Env[Observation, NDArray[np.float32]]):
    """One attempt at the task per episode. It ends at success, or is cut off after `episode_length` steps.

    Observations: `pixels` (a picture of each view, uint8 [height, width, 3]) and `observation.state`
    (degrees, gripper 0-100). Actions are joint positions in the same units. The reward is the progress made,
    so that an episode's sum is its progress, 0 to 1.
    """

    def __init__(self, config: TwinConfig, episode_length: int | None) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": config.fps}
        self.render_mode = "rgb_array"
        self._twin = Twin(config)
        self._max_episode_steps = episode_length or round(self._twin.task.max_frames * config.fps / 30)
        picture = spaces.Box(0, 255, (config.height, config.width, 3), np.uint8)
        self.observation_space = spaces.Dict(
            {
                "pixels": spaces.Dict(dict.fromkeys(VIEWS, picture)),
                OBS_STATE: spaces.Box(-np.inf, np.inf, (len(JOINTS),), np.float32),
            }
        )
        self.action_space = spaces.Box(*LIMITS.T.astype(np.float32), dtype=np.float32)

    @property
    def task(self) -> str:
        """Name of the task."""
        return self._twin.task.name

    @property
    def task_description(self) -> str:
        """The instruction that the policy is given."""
        return self._twin.instruction

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the scene of `seed`, or of a seed drawn at random."""
        super().reset(seed=seed)
        self._steps = 0
        self._twin.reset(int(self.np_random.integers(2**31)) if seed is None else seed)
        return self._observe(), {"is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Let one frame pass."""
        before = self._twin.progress
        self._twin.step(np.asarray(action, dtype=np.float64))
        self._steps += 1
        success = self._twin.success
        cut_off = not success and self._steps >= self._max_episode_steps
        return self._observe(), self._twin.progress - before, success, cut_off, {"is_success": success}

    def render(self) -> NDArray[np.uint8]:
        """The front camera's picture."""
        return self._twin.render("front")

    def close(self) -> None:
        """Give back the OpenGL context."""
        self._twin.close()

    def _observe(self) -> Observation:
        pictures = {view: self._twin.render(view) for view in VIEWS}
        return {"pixels": pictures, OBS_STATE: self._twin.joints().astype(np.float32)}
