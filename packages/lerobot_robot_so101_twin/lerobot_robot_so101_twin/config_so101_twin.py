"""How the simulated SO-101 and its cameras are described to LeRobot (`--robot.type=so101_twin`)."""

from dataclasses import dataclass, field
from typing import Any

from lerobot.cameras import CameraConfig
from lerobot.robots import RobotConfig

VIEWS = ("front", "wrist")
"""What the two simulated cameras see."""


@CameraConfig.register_subclass("so101_twin")
@dataclass(kw_only=True)
class SO101TwinCameraConfig(CameraConfig):
    """One camera of the twin. Its key in `cameras` is the plug, `view` is what the cable leads to.

    Two cameras plugged the other way round are `{front: {view: wrist}, wrist: {view: front}}`.
    """

    view: str = "front"
    fps: int | None = 30
    width: int | None = 96
    height: int | None = 96

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise ValueError(
                f"Found view '{self.view}' of a twin's camera; expected one of {', '.join(VIEWS)}."
            )


def both_cameras() -> dict[str, CameraConfig]:
    """The cameras of a twin that is asked for nothing else: front and wrist, 96x96."""
    return {view: SO101TwinCameraConfig(view=view) for view in VIEWS}


@RobotConfig.register_subclass("so101_twin")
@dataclass(kw_only=True)
class SO101TwinConfig(RobotConfig):
    """The twin: its task, where the object and the arm start, and its cameras.

    The first scene is made from `seed`; `seed + 1`, `seed + 2` ... follow. One action takes 1/`fps` seconds
    of simulated time, whatever the clock on the wall says.

    `appearance`, `conditions` and `imperfections` set fields of the classes of these names in `regrasp.sim`; a
    darker room with perfect cameras is `appearance={"light": 0.6}, imperfections={"camera_noise": 0}`.
    """

    task: str = "grab-brain"
    area: str = "2in"
    starts: str = "home"
    seed: int = 0
    fps: int = 30
    shadows: bool = False
    cameras: dict[str, CameraConfig] = field(default_factory=both_cameras)
    appearance: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    imperfections: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, camera in self.cameras.items():
            if not isinstance(camera, SO101TwinCameraConfig):
                raise ValueError(
                    f"Found camera '{key}' of type '{camera.type}' on the twin; expected type 'so101_twin'."
                )
        sizes = {(camera.width, camera.height) for camera in self.cameras.values()}
        if len(sizes) > 1:
            raise ValueError(
                f"Found cameras of {len(sizes)} sizes on the twin; expected one width and height."
            )
