"""`regrasp demo`."""

from pathlib import Path
from typing import Annotated

import typer

from regrasp.cli.options import Workers


def command(
    out: Annotated[
        Path, typer.Option(help="Folder for all that the demo makes; goes on where it was stopped.")
    ] = Path("demo"),
    minutes: Annotated[float, typer.Option(help="About how long it may take on two idle cores.")] = 11.0,
    workers: Workers = None,
) -> None:
    """The whole story on the simulated arm: learn, fail, be told why, succeed. Needs no hardware."""
    import os
    import time

    began = time.monotonic()
    print(
        f"A simulated SO-101 learns to grab a toy. About {minutes:g} minutes; all of it in {out}.", flush=True
    )
    from regrasp.cli.progress import progress
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.demo import Demo, Size

    size = Size.for_minutes(minutes, workers or os.cpu_count() or 1)
    page = Demo(out, size, say=lambda line: print(line, flush=True), work=progress).run()
    print(f"Done in {(time.monotonic() - began) / 60:.1f} minutes. Open {page}")
