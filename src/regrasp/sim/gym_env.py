"""The twin as a Gymnasium environment, with the observations that LeRobot's evaluation expects."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from regrasp.arm.so101 import LIMITS
from regrasp.sim.environment import Twin, TwinConfig

type Observation = dict[str, Any]

READING_MARGIN = 20.0
"""Joints under load yield a little beyond their limits; so much more is allowed in an observation."""


class TwinEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """One task on the twin. Observes pictures and joints, acts in degrees and gripper 0-100.

    An observation is `{"pixels": {"front", "wrist"}, "agent_pos"}`. The reward is the progress made, which
    sums to 1 over an episode that succeeds; `info["is_success"]` tells success.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, config: TwinConfig | None = None, render_mode: str | None = "rgb_array"):
        self.twin = Twin(config or TwinConfig())
        self.render_mode = render_mode
        self.task = self.twin.config.task
        self.task_description = self.twin.instruction
        self._max_episode_steps = self.twin.max_frames
        picture = spaces.Box(0, 255, (self.twin.config.height, self.twin.config.width, 3), np.uint8)
        low, high = LIMITS.T.astype(np.float32)
        parts: dict[str, spaces.Space[Any]] = {
            "pixels": spaces.Dict({"front": picture, "wrist": picture}),
            "agent_pos": spaces.Box(low - READING_MARGIN, high + READING_MARGIN, dtype=np.float32),
        }
        self.observation_space = spaces.Dict(parts)
        self.action_space = spaces.Box(low, high, dtype=np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; the seed decides how it begins."""
        super().reset(seed=seed)
        chosen = int(self.np_random.integers(2**31)) if seed is None else seed
        self.twin.reset(chosen)
        return self._observe(), {"is_success": False, "seed": chosen}

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Send one command and see what it did."""
        before = self.twin.progress
        self.twin.step(np.asarray(action, dtype=np.float64))
        late = self.twin.tick >= self._max_episode_steps
        reward = self.twin.progress - before
        return self._observe(), reward, self.twin.success, late, {"is_success": self.twin.success}

    def render(self) -> NDArray[np.uint8]:
        """What the front camera sees."""
        return self.twin.render("front")

    def close(self) -> None:
        """Give back the OpenGL context."""
        self.twin.close()

    def _observe(self) -> Observation:
        pixels = {"front": self.twin.render("front"), "wrist": self.twin.render("wrist")}
        return {"pixels": pixels, "agent_pos": self.twin.joints().astype(np.float32)}
