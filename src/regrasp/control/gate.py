"""What stands between a policy and the motors: no command is sent that could hurt the arm.

A command passes when it has one finite number for each joint, lies inside the joints' limits, lies near the command
before it (the first: near the pose in which the arm stands), and when the commands of the last fifth of a second did
not go too far. What does not pass is replaced by the nearest command that does, counted, and named:

- `wrong-shape`: not one number for each joint; the arm keeps its last command.
- `not-finite`: NaN or infinity; that joint keeps its last command.
- `limit`: beyond a joint's limits.
- `start`: the first command, too far from the arm's pose.
- `jump`: too far from the command before.
- `speed`: too far within a fifth of a second.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from regrasp.arm.so101 import JOINTS, LIMITS
from regrasp.errors import DeviceError

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

STEP_MARGIN = 1.5
"""A command may move this many times as far in one tick as the demonstrations ever did."""

TRAVEL_MARGIN = 1.25
"""Commands may go this many times as far in a fifth of a second as the demonstrations ever did."""

LEAST_STEP = 3.0
"""Smallest limit of a joint's step, degrees per tick; one and a half times the error that an SO-101 shows under
load (1.8 to 2.6 degrees, SO-ARM100 discussion 134), so that holding still is never refused."""

UNKNOWN_STEP = 15.0
"""Limit of a step where no contract tells one, degrees per tick; demonstrations step 3 to 13 at most at `USUAL_HZ`."""

USUAL_HZ = 30.0
"""Faster stations may step as far in a second, not in a tick."""

EXTRA_LIMIT = 5.0
"""A calibrated arm reports up to this much more than the model's limits, because LeRobot measures each range by
hand; degrees. The gripper has no such slack."""

ROUNDING = 0.01
"""A contract keeps four decimals; a command at the very end of the trained range is not beyond it."""

CLOSED_S = 0.5
"""A gate that changed every command for longer than this is closed: the arm holds and the episode ends."""


@dataclass
class SafetyGate:
    """Keeps commands finite, inside the joints' limits, and near the commands before.

    The first command of an episode is held near the pose in which the arm stands. An arm that stands outside its
    limits is taken to the nearest pose inside.

    Attributes:
        limits: Lowest and highest value of each joint, shape [J, 2], in the robot's units.
        max_step: Farthest that a command may move from the one before, shape [J], per tick.
        first_step: Farthest that the first command may lie from the arm's pose, shape [J]; `max_step` when None.
        max_travel: Widest range of the last `travel_ticks` commands, shape [J]; without bound when None.
        travel_ticks: Commands over which `max_travel` is taken, the present one included.
        counts: How many commands were changed since the gate was made, by kind; one command may have several.
        interventions: How many commands were changed since the gate was made.
        reasons: Why the last command was changed, kinds in alphabetical order; empty when it was not.
        refused_ticks: How many commands in a row were changed, up to the last one.
    """

    limits: NDArray[np.float64]
    max_step: NDArray[np.float64]
    first_step: NDArray[np.float64] | None = None
    max_travel: NDArray[np.float64] | None = None
    travel_ticks: int = 7
    counts: Counter[str] = field(default_factory=Counter[str])
    interventions: int = 0
    reasons: tuple[str, ...] = ()
    refused_ticks: int = 0
    _sent: deque[NDArray[np.float64]] = field(default_factory=deque[NDArray[np.float64]], repr=False)

    def __post_init__(self) -> None:
        if self.first_step is None:
            self.first_step = self.max_step
        self._sent = deque(maxlen=max(self.travel_ticks - 1, 1))

    @classmethod
    def from_envelope(
        cls,
        limits: NDArray[np.float64],
        largest_jump: NDArray[np.float64] | None,
        *,
        fallback: float = UNKNOWN_STEP,
    ) -> Self:
        """A gate for the largest step of each joint seen in demonstrations, shape [J]; `fallback` when unknown."""
        if largest_jump is None:
            return cls(limits, np.full(len(limits), fallback))
        return cls(limits, np.maximum(STEP_MARGIN * largest_jump, LEAST_STEP))

    @classmethod
    def for_contract(cls, contract: "Contract | None", joints: Sequence[str], fps: float) -> Self:
        """A gate for what the contract says of the demonstrations; for an arm of these joints without one.

        A station that runs at another rate than the demonstrations may step as far per second, not per tick.
        """
        if contract is None:
            return cls.from_envelope(
                limits_of(joints), None, fallback=UNKNOWN_STEP * min(1.0, USUAL_HZ / fps)
            )
        from regrasp.data.contract_measuring import travel_ticks

        each = contract.joints
        pace = contract.fps / fps
        jump = np.array([joint.jump_max for joint in each], dtype=np.float64) * pace
        step = np.maximum(STEP_MARGIN * jump, LEAST_STEP)
        lead = np.array([joint.lead_max or 0.0 for joint in each], dtype=np.float64)
        return cls(
            _trained_limits(limits_of(joints), contract),
            step,
            np.maximum(lead + LEAST_STEP, step),
            _largest_travel(contract, step),
            travel_ticks(fps),
        )

    def reset(self) -> None:
        """Forget the commands before: the next one is compared with the arm's pose."""
        self._sent.clear()
        self.refused_ticks = 0
        self.reasons = ()

    @property
    def held(self) -> NDArray[np.float64] | None:
        """The command that the arm holds: the last one sent; None before the first."""
        return self._sent[-1] if self._sent else None

    def is_closed(self, fps: float) -> bool:
        """Whether every command was changed for longer than `CLOSED_S`."""
        return self.refused_ticks > CLOSED_S * fps

    def check(self, wanted: object, present: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
        """The command to send, and whether it differs from the one that was wanted.

        Args:
            wanted: What the policy asks for; shape [J], but it may be anything.
            present: Where the arm stands, shape [J]; compared with until the first command was sent.
        """
        first = not self._sent
        low, high = self.limits[:, 0], self.limits[:, 1]
        anchor = _inside(present, low, high) if first else self._sent[-1]
        asked = numbers_of(wanted, len(anchor))
        reasons: list[str] = []
        if asked is None:
            sent = anchor
            reasons.append("wrong-shape")
        else:
            sent = self._nearest(asked, anchor, low, high, first, reasons)
        self._sent.append(sent)
        self._note(reasons)
        return sent, bool(reasons)

    def _nearest(
        self,
        asked: NDArray[np.float64],
        anchor: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        first: bool,
        reasons: list[str],
    ) -> NDArray[np.float64]:
        """The nearest command that passes; appends why it differs."""
        finite = np.isfinite(asked)
        sent = asked
        if not finite.all():
            sent = np.where(finite, asked, anchor)
            reasons.append("not-finite")
        if (sent < low).any() or (sent > high).any():
            sent = np.minimum(np.maximum(sent, low), high)
            reasons.append("limit")
        step = self.first_step if first else self.max_step
        assert step is not None  # set in __post_init__
        sent = _kept(sent, anchor - step, anchor + step, "start" if first else "jump", reasons)
        if self.max_travel is not None and not first:
            past = np.array(self._sent)
            lowest, highest = past.max(axis=0) - self.max_travel, past.min(axis=0) + self.max_travel
            sent = _kept(sent, lowest, highest, "speed", reasons)
        return sent

    def _note(self, reasons: list[str]) -> None:
        """Count the kinds of one command."""
        self.reasons = tuple(sorted(reasons))
        self.counts.update(reasons)
        self.interventions += bool(reasons)
        self.refused_ticks = self.refused_ticks + 1 if reasons else 0


def limits_of(joints: Sequence[str]) -> NDArray[np.float64]:
    """Limits of an SO-101 with the slack of its calibration, and none for another arm; shape [J, 2]."""
    if tuple(joints) != JOINTS:
        return np.tile([-np.inf, np.inf], (len(joints), 1))
    slack = np.array([[-EXTRA_LIMIT, EXTRA_LIMIT]] * (len(joints) - 1) + [[0.0, 0.0]])
    return LIMITS + slack


def _trained_limits(limits: NDArray[np.float64], contract: "Contract") -> NDArray[np.float64]:
    """The arm's limits, widened to the commands of the demonstrations; for an unknown arm those alone."""
    low = np.array([_or_nan(joint.action_low) for joint in contract.joints]) - ROUNDING
    high = np.array([_or_nan(joint.action_high) for joint in contract.joints]) + ROUNDING
    trained = np.column_stack([low, high])
    known = np.isfinite(limits)
    wider = np.column_stack([np.fmin(limits[:, 0], low), np.fmax(limits[:, 1], high)])
    return np.where(known, wider, np.where(np.isfinite(trained), trained, limits))


def _largest_travel(contract: "Contract", step: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Widest range of commands within a fifth of a second; None when the contract does not tell."""
    if any(joint.travel_max is None for joint in contract.joints):
        return None
    travel = np.array([joint.travel_max for joint in contract.joints], dtype=np.float64)
    return np.maximum(TRAVEL_MARGIN * travel, 2 * step)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _inside(
    present: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The arm's pose, inside the limits.

    Raises:
        DeviceError: A joint does not say where it stands, so that nothing is known to be near it.
    """
    if present.shape != low.shape or not np.isfinite(present).all():
        raise DeviceError(
            f"Found the arm's pose {present.tolist()}; expected {len(low)} finite joint values. Nothing was sent; "
            "check the servo bus, then run the command again."
        )
    return np.minimum(np.maximum(present, low), high)


def numbers_of(wanted: Any, joints: int) -> NDArray[np.float64] | None:
    """One number for each joint, shape [J]; None for anything else."""
    try:
        values = np.asarray(wanted)
    except (TypeError, ValueError, OverflowError):  # such as a ragged list
        return None
    if values.dtype.kind not in "fiu" or values.shape != (joints,):
        return None
    return values.astype(np.float64)


def _kept(
    sent: NDArray[np.float64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
    kind: str,
    reasons: list[str],
) -> NDArray[np.float64]:
    """The command within bounds; `kind` is appended when it was not."""
    if not ((sent < lowest).any() or (sent > highest).any()):
        return sent
    reasons.append(kind)
    return np.minimum(np.maximum(sent, lowest), highest)
