"""Hears when LeRobot begins to record an episode.

LeRobot's Robot and Teleoperator interfaces have no call that marks where an episode begins. Its recording
loops do announce it to the operator, who then puts the object back: `log_say("Recording episode 3")` in
`lerobot-record` and in the episodic strategy of `lerobot-rollout`, through the root logger. The twin
listens to the same words.
"""

import logging
import re
from collections.abc import Callable
from weakref import WeakMethod

ANNOUNCEMENT = re.compile(r"Recording episode (\d+)")


class EpisodeAnnouncements(logging.Filter):
    """Calls `on_episode(number)` at each announcement; holds its listener weakly.

    It is a filter because a handler on the root logger would silence Python's own last resort, and
    would be thrown out when LeRobot sets up its logging. It lets every record pass.
    """

    def __init__(self, on_episode: Callable[[int], None]) -> None:
        super().__init__()
        self._on_episode = WeakMethod(on_episode)

    def start(self) -> None:
        """Begin to listen."""
        logging.getLogger().addFilter(self)

    def stop(self) -> None:
        """Stop listening; may be called twice."""
        logging.getLogger().removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Look at one log record; always True."""
        on_episode = self._on_episode()
        if on_episode is None:
            self.stop()
        elif announced := ANNOUNCEMENT.fullmatch(record.getMessage()):
            on_episode(int(announced[1]))
        return True
