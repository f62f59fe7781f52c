"""The twin's scripted expert in the place of a leader arm."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from lerobot.teleoperators import Teleoperator
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from . import live_twins
from .config_so101_twin_expert import SO101TwinExpertConfig
from .so101_twin import MOTORS, SO101Twin

if TYPE_CHECKING:  # importing the simulation loads OpenGL, which a look at the plugin must not need
    from regrasp.sim.expert import Expert


class SO101TwinExpert(Teleoperator):
    """Demonstrates the task in each scene of the twin, then holds still.

    It plans when it finds itself in a scene that it has not seen. Where LeRobot announces its episodes
    (`lerobot-record`, episodic rollouts), it keeps still after a demonstration until the next episode is
    announced: through the rest of the recording and through the reset phase. Where nothing is ever announced
    (`lerobot-teleoperate`), it rests for `rest_s` and then asks for the next scene.

    What it does in a scene depends on the scene's seed and on `config.seed`, on nothing else.
    """

    config_class = SO101TwinExpertConfig
    name = "so101_twin_expert"

    def __init__(self, config: SO101TwinExpertConfig) -> None:
        super().__init__(config)
        self.config = config
        self._connected = False
        self._expert: Expert | None = None
        self._robot: SO101Twin | None = None
        self._scene = 0

    @cached_property
    def action_features(self) -> dict[str, type]:
        """The joints."""
        return dict.fromkeys(MOTORS, float)

    @property
    def feedback_features(self) -> dict[str, type]:
        """None: nothing pushes back at a script."""
        return {}

    @property
    def is_connected(self) -> bool:
        """Whether `connect` was called."""
        return self._connected

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        """Be ready. The twin is looked for at the first action, since LeRobot connects the leader first."""
        self._connected = True

    @property
    def is_calibrated(self) -> bool:
        """Always."""
        return True

    def calibrate(self) -> None:
        """Nothing to do."""

    def configure(self) -> None:
        """Nothing to do."""

    @property
    def done(self) -> bool:
        """Whether the demonstration of the present scene is over."""
        return self._expert is not None and self._expert.done

    @check_if_not_connected
    def get_action(self) -> dict[str, float]:
        """The next action of the demonstration, or the last one again when it is over."""
        robot = live_twins.find(self.config.robot_id)
        if robot is not self._robot or robot.scenes_begun != self._scene:
            self._plan(robot)
        if self._expert.done:
            self._rest(robot)
        else:
            self._action = self._expert.act()
        return dict(zip(MOTORS, self._action.tolist(), strict=True))

    def _plan(self, robot: SO101Twin) -> None:
        """Plan a demonstration of the scene that the twin is in."""
        from regrasp.sim.expert import Expert

        self._robot, self._scene, self._rested = robot, robot.scenes_begun, 0
        self._action = robot.twin.joints()
        self._expert = Expert(robot.twin, np.random.default_rng([self.config.seed, robot.scene_seed]))
        self._expert.reset()

    def _rest(self, robot: SO101Twin) -> None:
        """Hold still for one more turn; ask for the next scene where nobody else will."""
        self._rested += 1
        if not robot.announced and self._rested == round(self.config.rest_s * robot.config.fps):
            robot.begin_next_scene()

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Nothing to push back at."""

    def disconnect(self) -> None:
        """Let go of the twin; may be called twice."""
        self._connected, self._expert, self._robot = False, None, None
