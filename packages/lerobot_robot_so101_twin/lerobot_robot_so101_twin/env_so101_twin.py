"""The twin as an environment of `lerobot-eval` and `lerobot-train` (`--env.type=so101_twin`)."""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs import EnvConfig
from lerobot.processor import PolicyProcessorPipeline, RenameObservationsProcessorStep
from lerobot.utils.constants import ACTION, OBS_IMAGES, OBS_STATE, OBS_STR

from regrasp.arm.so101 import JOINTS

from .config_so101_twin import VIEWS


@EnvConfig.register_subclass("so101_twin")
@dataclass
class SO101TwinEnvConfig(EnvConfig):
    """The twin's task; an episode ends at success, or after `episode_length` steps.

    A length of None is the task's own limit.
    """

    task: str | None = "grab-brain"
    fps: int = 30
    area: str = "2in"
    starts: str = "home"
    width: int = 96
    height: int = 96
    episode_length: int | None = None

    def __post_init__(self) -> None:
        """Name the features as LeRobot's datasets do: a name with a slash could not be recorded."""
        picture = PolicyFeature(type=FeatureType.VISUAL, shape=(self.height, self.width, 3))
        self.features = {
            ACTION: PolicyFeature(type=FeatureType.ACTION, shape=(len(JOINTS),)),
            OBS_STATE: PolicyFeature(type=FeatureType.STATE, shape=(len(JOINTS),)),
            **{f"{OBS_IMAGES}.{view}": picture for view in VIEWS},
        }
        self.features_map = {key: key for key in self.features}

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        """What the environment is made with."""
        return {
            "task": self.task,
            "area": self.area,
            "starts": self.starts,
            "fps": self.fps,
            "width": self.width,
            "height": self.height,
        }

    def create_envs(self, n_envs: int, use_async_envs: bool = False) -> dict[str, dict[int, VectorEnv]]:
        """`n_envs` copies that step together; in processes of their own if asked for."""
        made = [self._make] * n_envs
        if use_async_envs and n_envs > 1:
            envs = AsyncVectorEnv(made, context="forkserver", autoreset_mode=AutoresetMode.SAME_STEP)
        else:
            envs = SyncVectorEnv(made, autoreset_mode=AutoresetMode.SAME_STEP)
        return {self.type: {0: envs}}

    def _make(self) -> gym.Env:
        """One environment; the simulation is imported in the process that runs it."""
        from regrasp.sim.environment import TwinConfig

        from .eval_env import EvalEnv

        return EvalEnv(TwinConfig(**self.gym_kwargs), self.episode_length)

    def get_env_processors(self) -> tuple[PolicyProcessorPipeline, PolicyProcessorPipeline]:
        """Take back the prefix that LeRobot puts before every key it does not know."""
        unprefixed = RenameObservationsProcessorStep(rename_map={f"{OBS_STR}.{OBS_STATE}": OBS_STATE})
        return PolicyProcessorPipeline(steps=[unprefixed]), PolicyProcessorPipeline(steps=[])
