"""The twin's robot with faults that its options cannot express: its observations and actions are changed on the way."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrasp.faults.changed_joint_order import exchanged_order
from regrasp.faults.flipped_camera import TURNS
from regrasp.faults.unit_mismatch import FROM_DEGREES, TO_DEGREES

UNIT = "-100..100"
"""The unit of a station with `unit-mismatch`: what LeRobot reports with `use_degrees=false`."""


class MisSetRobot:
    """A robot as a wrongly set station shows it; everything else goes to the robot itself.

    Attributes:
        inner: The robot.
        faults: Names of the checks that know these faults.
        said: Options that the robot would have if it were set so.
    """

    def __init__(self, inner: Any, faults: tuple[str, ...]) -> None:
        self.inner = inner
        self.faults = faults
        self.said: dict[str, Any] = {"use_degrees": False} if "unit-mismatch" in faults else {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def action_features(self) -> dict[str, type]:
        """The joints, in the order in which this station has them."""
        features: dict[str, type] = self.inner.action_features
        return {name: features[name] for name in self._order(list(features))}

    @property
    def observation_features(self) -> dict[str, Any]:
        """The joints in the same order, then the cameras."""
        features: dict[str, Any] = self.inner.observation_features
        return {
            **self.action_features,
            **{name: features[name] for name in features if name not in self.action_features},
        }

    def get_observation(self) -> dict[str, Any]:
        """What the robot sees, as this station hands it on."""
        seen: dict[str, Any] = self.inner.get_observation()
        joints = self._converted({name: seen[name] for name in self.inner.action_features}, FROM_DEGREES)
        pictures = {name: value for name, value in seen.items() if name not in joints}
        return {name: joints[name] for name in self.action_features} | self._turned(pictures)

    def send_action(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an action that is in this station's units."""
        named = {name: float(action[name]) for name in self.inner.action_features if name in action}
        if len(named) < len(self.inner.action_features):
            return self.inner.send_action(dict(action))  # the robot says what is missing
        sent: dict[str, Any] = self.inner.send_action(self._converted(named, TO_DEGREES))
        converted = self._converted(sent, FROM_DEGREES)
        return {name: converted[name] for name in self.action_features}

    def _order(self, names: list[str]) -> list[str]:
        return exchanged_order(names) if "changed-joint-order" in self.faults else names

    def _converted(self, joints: Mapping[str, Any], conversions: Mapping[str, Any]) -> dict[str, Any]:
        if "unit-mismatch" not in self.faults:
            return dict(joints)
        pose: NDArray[np.float64] = conversions[UNIT](np.array(list(joints.values()), dtype=np.float64))
        return dict(zip(joints, pose.tolist(), strict=True))

    def _turned(self, pictures: dict[str, Any]) -> dict[str, Any]:
        """The first camera upside down, as one that is mounted so."""
        if "flipped-camera" in self.faults and pictures:
            first = next(iter(pictures))
            pictures[first] = np.ascontiguousarray(TURNS["half-turn"](pictures[first]))
        return pictures
