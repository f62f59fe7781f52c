"""Episodes shared out among processes, each writing a recording of its own; killed work is picked up again.

```text
NAME.recording/plan.json     what is being recorded; a second run must ask for the same
NAME.recording/part-0/       the first share of the episodes (see episode_writer)
NAME.recording/part-1/       the second
```
"""

import errno
import json
import multiprocessing
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any, Literal

import regrasp.errors
from regrasp.data.atomic import write_text
from regrasp.data.new_folder import recording_folder as recording_folder
from regrasp.data.unfinished import read_plan
from regrasp.errors import CheckpointError, DatasetError, DeviceError, RegraspError, UsageError
from regrasp.lerobot_bridge.episode_writer import finish

Tell = Callable[[dict[str, Any]], None]
"""Hands a message (JSON values) from the process that works to the one that prints."""


PLAN = "plan.json"


@dataclass(frozen=True)
class Part:
    """One process's share: the episodes from `first` up to but without `last`."""

    folder: Path
    first: int
    last: int


def record_in_parts(
    out: Path,
    plan: dict[str, Any],
    *,
    episodes: int,
    workers: int,
    work: Callable[[Part, Tell], None],
    tell: Tell,
    annotate: Callable[[Path | None, list[Path]], None],
) -> None:
    """Let `work` record `episodes` episodes in up to `workers` processes, then make them the dataset `out`.

    Args:
        out: New folder.
        plan: What is recorded, as JSON values; work left by a killed run goes on only under the same plan.
        episodes: How many.
        workers: Processes; 1 works in this process.
        work: Records the episodes of one part that are not on disk yet.
        tell: Gets each message of `work`.
        annotate: Called with the merged dataset's folder, before it gets its name, and the parts' folders. A command
            that was killed after that has only to be tidied up: then it is called with None.

    Raises:
        DatasetError: `out` exists, a recording of another plan is unfinished, or the disk is full.
    """
    folder = recording_folder(out)
    if out.exists() and not (folder / PLAN).exists():
        raise DatasetError(
            f"{out} exists already; expected a new folder. Choose another name or delete it first."
        )
    workers = max(1, min(workers, episodes))
    begun = not (folder / PLAN).exists()
    try:
        _agree(folder, {**plan, "episodes": episodes, "workers": workers})
    except OSError as error:
        raise _disk_error(error, out) from error
    bounds = [round(share * episodes / workers) for share in range(workers + 1)]
    parts = [Part(folder / f"part-{i}", bounds[i], bounds[i + 1]) for i in range(workers)]
    folders = [part.folder for part in parts]
    try:
        if out.exists():
            annotate(None, folders)
        else:
            _work(parts, work, tell)
            finish(folders, out, annotate)
    except OSError as error:
        raise _disk_error(error, out) from error
    except (UsageError, CheckpointError):
        if begun and not any(kept for kept in folder.glob("part-*/*") if kept.name != "dataset"):
            _remove(folder)  # refused before anything was recorded: the next command need not be the same
        raise
    _remove(folder)


def _work(parts: list[Part], work: Callable[[Part, Tell], None], tell: Tell) -> None:
    """Have all parts done, in this process when there is one."""
    if len(parts) == 1:
        work(parts[0], tell)
    else:
        _fork(parts, work, tell)


def _remove(folder: Path) -> None:
    """Remove a recording that has become a dataset: its plan first, so that half of it is never gone on with."""
    (folder / PLAN).unlink()
    shutil.rmtree(folder)


def _agree(folder: Path, plan: dict[str, Any]) -> None:
    """Note the plan, or check that the unfinished work in `folder` has the same."""
    noted = folder / PLAN
    if noted.exists():
        found = read_plan(noted)
        different = [name for name in plan if found.get(name) != plan[name]]
        if different:
            name = different[0]
            raise DatasetError(
                f"{folder} holds an unfinished recording with {name} {found.get(name)!r}, not {plan[name]!r}. "
                "Run the same command as before to finish it, or delete the folder to begin anew."
            )
    else:
        for left in folder.glob("part-*"):  # of a command that was killed while tidying up
            shutil.rmtree(left)
        write_text(noted, json.dumps(plan))


def _fork(parts: list[Part], work: Callable[[Part, Tell], None], tell: Tell) -> None:
    """One process for each part; the first error of any of them is raised here when all have stopped."""
    context: Any = multiprocessing.get_context(_start_method())
    queue: Queue[dict[str, Any]] = context.Queue()
    processes = [context.Process(target=_child, args=(part, work, queue), daemon=True) for part in parts]
    for process in processes:
        process.start()
    failures: list[RegraspError] = []
    try:
        while any(process.is_alive() for process in processes) or not queue.empty():
            try:
                message = queue.get(timeout=0.2)
            except Empty:
                continue
            if "error" in message:
                failures.append(_error(message))
            else:
                tell(message)
    except KeyboardInterrupt:
        for process in processes:
            process.join(timeout=20)
        raise
    if not failures and any(process.exitcode for process in processes):
        codes = ", ".join(str(process.exitcode) for process in processes)
        failures.append(
            DatasetError(f"A recording process was killed (exit codes {codes}). Run the command again.")
        )
    if failures:
        raise failures[0]


def _start_method() -> Literal["fork", "spawn"]:
    """A forked child has LeRobot imported already, but hangs in OpenGL when its parent has opened that before."""
    return "spawn" if "mujoco" in sys.modules or sys.platform != "linux" else "fork"


def in_child[Result](function: Callable[[], Result]) -> Result:
    """What `function` gives, computed in a child, so that OpenGL is never opened in this process.

    Raises:
        RegraspError: As raised by `function`.
    """
    if _start_method() != "fork":
        return function()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(function, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        kind, answer = ours.recv()
    except EOFError:
        raise DeviceError(
            "The process that looks at the station was killed. Run the command again."
        ) from None
    finally:
        process.join()
    if kind == "error":
        raise _error(answer)
    return answer


def _answer(function: Callable[[], Any], pipe: Connection) -> None:
    """Send what `function` gives through the pipe."""
    try:
        pipe.send(("answer", function()))
    except RegraspError as error:
        pipe.send(("error", {"error": type(error).__name__, "message": str(error)}))
    except Exception as error:  # a defect of ours: its words must reach the process that prints
        pipe.send(("error", {"error": "RegraspError", "message": f"{type(error).__name__}: {error}"}))
    except KeyboardInterrupt:
        pass  # it reached the process that prints, too
    pipe.close()
    os._exit(0)


def _child(part: Part, work: Callable[[Part, Tell], None], queue: "Queue[dict[str, Any]]") -> None:
    """Work until done, until the parent is gone, or until an error, which is handed over in words."""
    parent = os.getppid()

    def tell(message: dict[str, Any]) -> None:
        if os.getppid() != parent:
            raise KeyboardInterrupt
        queue.put(message)

    try:
        work(part, tell)
    except RegraspError as error:
        queue.put({"error": type(error).__name__, "message": str(error)})
    except OSError as error:
        queue.put({"error": "DatasetError", "message": str(_disk_error(error, part.folder))})
    except KeyboardInterrupt:
        pass
    except Exception as error:  # a defect of ours: its words must reach the process that prints
        queue.put({"error": "RegraspError", "message": f"{type(error).__name__}: {error}"})
        if os.environ.get("REGRASP_TRACEBACK"):
            traceback.print_exc()
    queue.close()
    queue.join_thread()
    os._exit(0)  # torch's and OpenGL's threads were not forked along; their clean-up would wait for them


def _error(message: dict[str, Any]) -> RegraspError:
    """The error that a child handed over."""
    kind: type[RegraspError] = getattr(regrasp.errors, message["error"])
    return kind(message["message"])


def _disk_error(error: OSError, where: Path) -> DatasetError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DatasetError(
            f"The disk is full while writing {where}. Finished episodes are kept; free some space and run the same "
            "command again to go on."
        )
    return DatasetError(f"Cannot write {where}: {error}. Expected a folder that can be written to.")
