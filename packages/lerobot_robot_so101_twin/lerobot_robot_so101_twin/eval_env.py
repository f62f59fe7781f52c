"""What `lerobot-eval` steps: the twin's environment under LeRobot's names.

This module imports the simulation, and so needs OpenGL; it is imported in the process that runs it.
"""

from typing import Any

from gymnasium import spaces
from lerobot.utils.constants import OBS_STATE

from regrasp.sim.environment import TwinConfig
from regrasp.sim.gym_env import TwinEnv


class EvalEnv(TwinEnv):
    """An episode ends at success, or is cut off after `episode_length` steps; None is the task's own limit.

    The joints are observed as `observation.state`, so that `--eval.recording=true` writes a dataset with the
    usual columns.
    """

    def __init__(self, config: TwinConfig, episode_length: int | None) -> None:
        super().__init__(config)
        self.metadata = {**self.metadata, "render_fps": config.fps}
        self._max_episode_steps = episode_length or self._max_episode_steps
        self.observation_space = spaces.Dict(_with_state_named(dict(self.observation_space.spaces)))

    def _observe(self) -> dict[str, Any]:
        return _with_state_named(super()._observe())


def _with_state_named(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts of an observation, the joints under LeRobot's name."""
    return {"pixels": parts["pixels"], OBS_STATE: parts["agent_pos"]}
