"""The simulated SO-101 as LeRobot devices, and the small policy.

LeRobot imports this package because its distribution is called `lerobot_robot_...`; importing it makes known

- the robot `so101_twin` and its cameras (type `so101_twin`),
- the teleoperator `so101_twin_expert`,
- the environment `so101_twin` of `lerobot-eval`,
- the policy `keypoint`.

The simulation itself is imported when a device connects: listing the types needs no OpenGL.
"""

from .config_so101_twin import SO101TwinCameraConfig, SO101TwinConfig
from .config_so101_twin_expert import SO101TwinExpertConfig
from .configuration_keypoint import KeypointConfig
from .env_so101_twin import SO101TwinEnvConfig
from .processor_keypoint import InstructionWordsStep
from .so101_twin import SO101Twin, UnusableActionError
from .so101_twin_camera import SO101TwinCamera
from .so101_twin_expert import SO101TwinExpert

__all__ = [
    "InstructionWordsStep",
    "KeypointConfig",
    "SO101Twin",
    "SO101TwinCamera",
    "SO101TwinCameraConfig",
    "SO101TwinConfig",
    "SO101TwinEnvConfig",
    "SO101TwinExpert",
    "SO101TwinExpertConfig",
    "UnusableActionError",
]
