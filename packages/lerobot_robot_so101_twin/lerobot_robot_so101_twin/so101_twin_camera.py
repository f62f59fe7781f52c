"""A camera of the twin. It renders when it is read, on the thread that reads it."""

from typing import Any

import numpy as np
from lerobot.cameras import Camera
from lerobot.utils.decorators import check_if_not_connected
from numpy.typing import NDArray

from . import live_twins
from .config_so101_twin import VIEWS, SO101TwinCameraConfig


class SO101TwinCamera(Camera):
    """Shows the scene as it is now: two reads without an action between them give the same scene.

    OpenGL ties its context to one thread, so a camera of the twin must be read on the thread that connected
    the robot; LeRobot's loops do so.
    """

    def __init__(self, config: SO101TwinCameraConfig) -> None:
        super().__init__(config)
        self.config = config
        self._connected = False

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """The views that a twin has."""
        return [{"name": f"{view} camera of the twin", "type": "so101_twin", "id": view} for view in VIEWS]

    @property
    def is_connected(self) -> bool:
        """Whether `connect` was called."""
        return self._connected

    def connect(self, warmup: bool = True) -> None:
        """Find the twin that was connected last; there is nothing to warm up."""
        self._robot = live_twins.find()
        self._connected = True

    @check_if_not_connected
    def read(self) -> NDArray[np.uint8]:
        """The present picture, uint8 [height, width, 3]."""
        return self._robot.twin.render(self.config.view)

    def async_read(self, timeout_ms: float = 200) -> NDArray[np.uint8]:
        """The present picture; there is never anything to wait for."""
        return self.read()

    def read_latest(self, max_age_ms: int = 500) -> NDArray[np.uint8]:
        """The present picture; it is never old."""
        return self.read()

    def disconnect(self) -> None:
        """Let go of the twin."""
        self._connected = False
