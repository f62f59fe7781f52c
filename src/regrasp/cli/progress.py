"""How long work shows itself: a bar on a terminal, a line now and then elsewhere; always on stderr."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY_S = 15.0
"""Seconds between two lines where there is no terminal."""


class Advance(Protocol):
    """Tells how far the work is."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total`, and a word about it."""
        ...


def stderr_console() -> Console:
    """A console that keeps today's stderr, also while something else redirects `sys.stderr`."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


@contextmanager
def progress(title: str) -> Generator[Advance]:
    """Within it, the function given shows the progress of one piece of work.

    A bar is drawn from the first word about the work to the last, so that several may stand ready at once.
    """
    console = stderr_console()
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        bars = Progress(*columns, console=console)
        task = bars.add_task(title, total=None, note="")

        def draw(done: int, total: int, note: str = "") -> None:
            if done < total:
                bars.start()
            bars.update(task, completed=done, total=total, note=note)
            if done >= total:
                bars.stop()

        try:
            yield draw
        finally:
            bars.stop()
        return
    last, first = 0.0, (0.0, 0)

    def tell(done: int, total: int, note: str = "") -> None:
        nonlocal last, first
        now = time.monotonic()
        if not last or done < first[1]:
            first = now, done
        if now - last >= EVERY_S or done == total:
            last = now
            words = [
                f"{title}: {done}/{total}",
                time_left(now - first[0], done - first[1], total - done),
                note,
            ]
            console.print("  ".join(filter(None, words)))

    yield tell


def time_left(seconds: float, done: int, left: int) -> str:
    """How long the rest takes when it goes on as it did; "" while that is not known, and at the end.

    Example:
        >>> time_left(30.0, 10, 100), time_left(1.0, 10, 100), time_left(30.0, 0, 100)
        ('5 min left', '10 s left', '')
    """
    if done <= 0 or left <= 0:
        return ""
    rest = seconds / done * left
    return f"{rest:.0f} s left" if rest < 100 else f"{rest / 60:.0f} min left"
