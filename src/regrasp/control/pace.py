"""Keeps the pace of commands to an arm: none early, none in a burst, and none made up for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrasp.control.loop import Clock

LATE = 0.5
"""A tick is late when it starts more than this share of a period after its time."""

LEAST_GAP = 0.9
"""Two commands are at least this share of a period apart: the gate bounds degrees per command, so that two at once would
be a jump of twice its size to the motors."""


class Pace:
    """When ticks begin and commands go out. What a late tick has lost is lost: later ones come a period apart again.

    Args:
        clock: Tells the time and sleeps.
        fps: Ticks per second.

    Attributes:
        late: Ticks that began late.
    """

    def __init__(self, clock: "Clock", fps: float) -> None:
        self._clock, self._period = clock, 1.0 / fps
        self._due = clock.now()
        self._sent = float("-inf")
        self.late = 0

    def wait_for_tick(self) -> float:
        """Sleep until the next tick is due, the first at once; gives the time at which it begins."""
        self._clock.sleep_until(self._due)
        now = self._clock.now()
        if now - self._due > LATE * self._period:
            self.late += 1
            self._due = now
        self._due += self._period
        return now

    def wait_to_send(self) -> None:
        """Sleep as long as the last command is too fresh; then the next must be sent."""
        self._clock.sleep_until(self._sent + LEAST_GAP * self._period)
        self._sent = self._clock.now()
