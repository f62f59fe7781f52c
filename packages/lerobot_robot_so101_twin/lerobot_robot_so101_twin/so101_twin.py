"""The simulated SO-101 as a LeRobot robot: degrees, gripper 0-100, LeRobot's motor names and order."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from lerobot.cameras import Camera
from lerobot.cameras.utils import make_cameras_from_configs
from lerobot.robots import Robot
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected
from lerobot.utils.errors import DeviceNotConnectedError

from regrasp.arm.so101 import JOINTS, within_limits
from regrasp.errors import DeviceError, UsageError

from . import live_twins
from .announcements import EpisodeAnnouncements
from .config_so101_twin import SO101TwinConfig

if TYPE_CHECKING:  # importing the simulation loads OpenGL, which a look at the plugin must not need
    from regrasp.sim.environment import InitialCondition, Twin, TwinConfig

MOTORS = tuple(f"{joint}.pos" for joint in JOINTS)
"""LeRobot's keys of the joint positions, in the order of `JOINTS`."""


class UnusableActionError(DeviceError, ValueError):
    """An action that must not reach a motor."""


class SO101Twin(Robot):
    """A simulated follower arm with its scene.

    Time: `send_action` takes exactly 1/fps of simulated time, so that a slow machine does not alter the data.

    Scenes: a scene is the object's and the arm's start, made from one seed. LeRobot announces each episode
    that it records ("Recording episode 3"); the twin then begins scene 3, made from `config.seed + 3`, or the
    next unused one when an episode is recorded again. The change happens at the next `get_observation`, so an
    observation and the action that answers it are always of the same scene.
    """

    config_class = SO101TwinConfig
    name = "so101_twin"

    def __init__(self, config: SO101TwinConfig) -> None:
        super().__init__(config)
        self.config = config
        self.cameras: dict[str, Camera] = make_cameras_from_configs(config.cameras)
        self.announced = False
        self.scenes_begun = 0
        self.scene_seed = config.seed
        self.initial: InitialCondition | None = None
        self._scene = -1
        self._due: int | None = None
        self._twin: Twin | None = None
        self._announcements = EpisodeAnnouncements(self._on_episode)

    @property
    def twin(self) -> Twin:
        """The simulation itself."""
        if self._twin is None:
            raise DeviceNotConnectedError("The twin is not connected. Run `.connect()` first.")
        return self._twin

    @cached_property
    def observation_features(self) -> dict[str, type | tuple[int, int, int]]:
        """The joints, then the cameras."""
        sizes = {key: (camera.height, camera.width, 3) for key, camera in self.config.cameras.items()}
        return {**self.action_features, **sizes}

    @cached_property
    def action_features(self) -> dict[str, type]:
        """The joints."""
        return dict.fromkeys(MOTORS, float)

    @property
    def is_connected(self) -> bool:
        """Whether the simulation runs."""
        return self._twin is not None

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        """Build the scene of `config.seed` and begin to listen for LeRobot's announcements."""
        from regrasp.sim.environment import Twin

        self._twin = Twin(_twin_config(self.config))
        self.reset(self.config.seed)
        live_twins.enter(self)
        for camera in self.cameras.values():
            camera.connect()
        self._announcements.start()

    @property
    def is_calibrated(self) -> bool:
        """Always: a simulated arm reports its joints as a calibrated one does."""
        return True

    def calibrate(self) -> None:
        """Nothing to do."""

    def configure(self) -> None:
        """Nothing to do."""

    def reset(self, seed: int) -> InitialCondition:
        """Begin the scene of `seed` now, and return how it starts."""
        self._due = None
        self.scene_seed = seed
        self.scenes_begun += 1
        self.initial = self.twin.reset(seed)
        return self.initial

    def begin_next_scene(self) -> None:
        """Ask for the scene with the next seed; it begins at the next observation."""
        self._scene = max(self._scene, 0) + 1
        self._due = self.config.seed + self._scene

    def _on_episode(self, number: int) -> None:
        """Ask for the scene of the episode that LeRobot is about to record."""
        self.announced = True
        self._scene = max(number, self._scene + 1)
        self._due = self.config.seed + self._scene

    @check_if_not_connected
    def get_observation(self) -> dict[str, Any]:
        """Joint positions as the encoders read them, and a picture from each camera."""
        if self._due is not None:
            self.reset(self._due)
        joints = dict(zip(MOTORS, self.twin.joints().tolist(), strict=True))
        return joints | {key: camera.read() for key, camera in self.cameras.items()}

    @check_if_not_connected
    def send_action(self, action: dict[str, Any]) -> dict[str, float]:
        """Move towards `action` for 1/fps simulated seconds; returns it as clamped to the joints' limits."""
        sent = within_limits(np.array([_finite(action, motor) for motor in MOTORS]))
        self.twin.step(sent)
        return dict(zip(MOTORS, sent.tolist(), strict=True))

    def disconnect(self) -> None:
        """End the simulation and give its memory back; may be called twice."""
        self._announcements.stop()
        live_twins.leave(self)
        for camera in self.cameras.values():
            camera.disconnect()
        if self._twin is not None:
            self._twin.close()
            self._twin = None


def _twin_config(config: SO101TwinConfig) -> TwinConfig:
    """The simulation's own settings."""
    from regrasp.sim.environment import TwinConfig
    from regrasp.sim.imperfections import Imperfections
    from regrasp.sim.scene import Appearance, Conditions

    camera = next(iter(config.cameras.values()), None)
    size = {} if camera is None else {"width": camera.width, "height": camera.height}
    return TwinConfig(
        **{name: getattr(config, name) for name in ("task", "area", "starts", "fps", "shadows")},
        **size,
        appearance=_with_fields(Appearance, config.appearance),
        conditions=_with_fields(Conditions, config.conditions),
        imperfections=_with_fields(Imperfections, config.imperfections),
    )


def _with_fields[Settings](kind: type[Settings], chosen: dict[str, Any]) -> Settings:
    """Settings as `chosen`, the others as they are by default; lists become tuples."""
    known = [field.name for field in fields(kind)]
    for name in chosen:
        if name not in known:
            raise UsageError(
                f"Found '{name}' among {kind.__name__.lower()}; expected one of {', '.join(known)}."
            )
    return kind(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}
    )


def _finite(action: dict[str, Any], motor: str) -> float:
    """The commanded position of one motor, or an error that says what is wrong with it."""
    if motor not in action:
        raise UnusableActionError(
            f"Found no '{motor}' in the action; expected a position for each of {', '.join(MOTORS)}."
        )
    position = float(action[motor])
    if not math.isfinite(position):
        raise UnusableActionError(
            f"Found {position} for '{motor}' in the action; expected a number. The arm was not moved. "
            "Try `regrasp audit` on the training data: NaN there becomes NaN here."
        )
    return position
