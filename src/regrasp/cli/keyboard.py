"""Keys that are pressed while an arm moves, read one at a time and without waiting."""

import contextlib
import sys
from collections.abc import Callable, Generator


class Keyboard:
    """Somebody at a terminal, before whom an arm moves.

    Args:
        key: The key that was pressed since the last question, "" for none; does not wait.
        wait: The next key.
        say: Prints a line.
    """

    def __init__(self, key: Callable[[], str], wait: Callable[[], str], say: Callable[[str], None]) -> None:
        self.key, self._wait, self._say = key, wait, say

    def ready(self, episode: int) -> None:
        """Wait for the space bar: the object lies where it should, and nobody is in the way.

        Raises:
            KeyboardInterrupt: `q` was pressed.
        """
        self._say(
            f"episode {episode}: set the scene, then press space; while it runs, s success, f failure (q stops)"
        )
        while (pressed := self._wait().lower()) not in (" ", "\r", "\n"):
            if pressed == "q":
                raise KeyboardInterrupt


@contextlib.contextmanager
def keyboard() -> Generator[Keyboard | None]:
    """The keyboard within it, its keys read as they are pressed and not shown; None where there is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    import os
    import select
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def wait() -> str:
        return os.read(terminal, 1).decode(errors="replace")

    def key() -> str:
        return wait() if select.select([terminal], [], [], 0)[0] else ""

    try:
        tty.setcbreak(terminal)
        yield Keyboard(key, wait, lambda line: print(line, file=sys.stderr))
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
