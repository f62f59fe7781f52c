"""Two clocks: one that keeps real time, and one for a simulation that need not wait."""

import time


class WallClock:
    """Real time; sleeps."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.perf_counter()

    def sleep_until(self, time_s: float) -> None:
        """Sleep until `time_s` on this clock; at once when it has passed."""
        time.sleep(max(0.0, time_s - time.perf_counter()))


class FastClock:
    """A simulation's own time: it jumps to the moment waited for, and no tick is ever late."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds waited for so far."""
        return self._now

    def sleep_until(self, time_s: float) -> None:
        """Set the time to `time_s`, never back."""
        self._now = max(self._now, time_s)
