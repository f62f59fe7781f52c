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
    """Within it, the function given shows the progress of one piece of work."""
    console = stderr_console()
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console) as bars:
            task = bars.add_task(title, total=None, note="")

            def draw(done: int, total: int, note: str = "") -> None:
                bars.update(task, completed=done, total=total, note=note)

            yield draw
        return
    last = 0.0

    def tell(done: int, total: int, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_S or done == total:
            last = now
            console.print(f"{title}: {done}/{total}{'  ' + note if note else ''}")

    yield tell
