"""What stands between a policy and the motors: no command is sent that could hurt the arm."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

STEP_MARGIN = 1.5
"""A command may move this many times as far in one tick as the demonstrations ever did."""

LEAST_STEP = 3.0
"""Smallest limit of a joint's step, degrees per tick; one and a half times the error that an SO-101 shows under
load (1.8 to 2.6 degrees, SO-ARM100 discussion 134), so that holding still is never refused."""


@dataclass
class SafetyGate:
    """Keeps commands finite, inside the joints' limits, and near the command before.

    The first command of an episode is held near the pose in which the arm stands.

    Attributes:
        limits: Lowest and highest value of each joint, shape [J, 2], in the robot's units.
        max_step: Farthest that a command may move from the one before, shape [J], per tick.
        interventions: How many commands were changed since the gate was made.
    """

    limits: NDArray[np.float64]
    max_step: NDArray[np.float64]
    interventions: int = 0
    _last: NDArray[np.float64] | None = field(default=None, repr=False)

    @classmethod
    def from_envelope(
        cls, limits: NDArray[np.float64], largest_jump: NDArray[np.float64] | None, *, fallback: float = 15.0
    ) -> "SafetyGate":
        """A gate for the largest step of each joint seen in demonstrations, shape [J]; `fallback` when unknown."""
        if largest_jump is None:
            return cls(limits, np.full(len(limits), fallback))
        return cls(limits, np.maximum(STEP_MARGIN * largest_jump, LEAST_STEP))

    def reset(self) -> None:
        """Forget the last command: the next one is compared with the arm's pose."""
        self._last = None

    def check(
        self, wanted: NDArray[np.float64], present: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], bool]:
        """The command to send, and whether it differs from the one that was wanted.

        Args:
            wanted: What the policy asks for, shape [J]; may hold NaN or infinity.
            present: Where the arm stands, shape [J].

        A joint whose wanted value is not finite keeps its last command.
        """
        anchor = present if self._last is None else self._last
        sent = np.where(np.isfinite(wanted), wanted, anchor)
        sent = np.clip(sent, self.limits[:, 0], self.limits[:, 1])
        sent = np.clip(sent, anchor - self.max_step, anchor + self.max_step)
        changed = not bool(np.array_equal(sent, wanted))
        self.interventions += changed
        self._last = sent
        return sent, changed
