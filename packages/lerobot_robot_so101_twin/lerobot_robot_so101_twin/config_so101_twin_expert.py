"""How the twin's scripted expert is described to LeRobot (`--teleop.type=so101_twin_expert`)."""

from dataclasses import dataclass

from lerobot.teleoperators import TeleoperatorConfig


@TeleoperatorConfig.register_subclass("so101_twin_expert")
@dataclass(kw_only=True)
class SO101TwinExpertConfig(TeleoperatorConfig):
    """The expert that demonstrates the twin's task, in the place of a leader arm.

    `robot_id` is the `id` of the twin it drives; None is the twin that was connected last.
    `seed` gives another manner of moving in the same scenes.
    """

    robot_id: str | None = None
    seed: int = 0
    rest_s: float = 1.0
