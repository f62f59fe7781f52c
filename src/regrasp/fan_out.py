"""Pieces of work that do not need each other: one after another, over processes of this machine, or over a Ray cluster.

Results come in the order of the pieces and are the same whichever way.
"""

import os
import signal
import socket
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import chdir, contextmanager
from importlib.util import find_spec
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import Any, Protocol
from unittest import mock

from regrasp.errors import MissingExtra, RegraspError, first_line

KILLED = (
    "A process that did a part of the work was killed, perhaps for lack of memory. What was finished is kept; run the "
    "same command again, with fewer --workers."
)

LONGEST_S = 10.0
"""Seconds in which a cluster answers, if it does."""

TRIES = 3
"""Times that a cluster on this machine is begun before giving up."""


class Each(Protocol):
    """Does a piece of work for each of some things."""

    def __call__[Thing, Result](
        self, work: Callable[[Thing], Result], things: Sequence[Thing]
    ) -> Iterator[Result]:
        """What `work` gives for each thing, in their order, each as soon as it and those before it are known.

        `work` is a function of a module, and things and results can be pickled.
        """
        ...


@contextmanager
def fan_out(workers: int = 1, *, ray: bool = False) -> Generator[Each]:
    """Within it, pieces of work run side by side in `workers` processes, which stay for the next ones.

    With one worker everything happens in this process. With `ray` the number of workers is that of the cluster's
    processors: of the cluster at `RAY_ADDRESS`, else of this machine.

    Raises:
        MissingExtra: Ray is wanted and not installed.
        RegraspError: The cluster cannot be reached, or a process was killed.
    """
    if ray:
        with _cluster() as each:
            yield each
    elif workers == 1:
        yield _one_by_one
    else:
        with _processes(workers) as each:
            yield each


def require_ray() -> None:
    """Raise a MissingExtra where Ray is not installed; for a verb, before it begins anything."""
    if find_spec("ray") is None:
        raise MissingExtra(
            "Found no Ray, which --ray needs; expected the extra 'ray'. Try `pip install 'regrasp[ray]'`, or leave "
            "--ray out."
        )


def _one_by_one[Thing, Result](work: Callable[[Thing], Result], things: Sequence[Thing]) -> Iterator[Result]:
    return map(work, things)


@contextmanager
def _processes(workers: int) -> Generator[Each]:
    """Processes of this machine, begun afresh: a forked one hangs in OpenGL or torch when its parent has used them.

    After a mishap, or Ctrl-C, nobody waits for what they still do.
    """
    others = set(active_children())
    _hush_tracker()
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_stay_with_parent)

    def each(work: Callable[[Any], Any], things: Sequence[Any]) -> Iterator[Any]:
        return _told(pool.map(work, things), BrokenProcessPool)

    try:
        yield each
    except BaseException:
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _hush_tracker() -> None:
    """A process that is ended leaves locks (tqdm's), which Python's tracker takes away and would complain of."""
    with mock.patch.dict(os.environ, PYTHONWARNINGS="ignore:resource_tracker"):
        resource_tracker.ensure_running()


def _stay_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it has ended, however that was."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _told(results: Iterable[Any], killed: type[Exception]) -> Iterator[Any]:
    """The results; a sentence where a process was killed."""
    try:
        yield from results
    except killed as error:
        raise RegraspError(KILLED) from error


@contextmanager
def _cluster() -> Generator[Each]:
    """The processors of a Ray cluster, one for each piece; a graphics card is shared by them where there is one."""
    require_ray()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    joined = ray.is_initialized()
    if not joined:
        _join(ray)
    found = ray.cluster_resources()
    share = found.get("GPU", 0) / max(1, found.get("CPU", 1))

    def each(work: Callable[[Any], Any], things: Sequence[Any]) -> Iterator[Any]:
        task = ray.remote(num_cpus=1, num_gpus=min(1.0, share))(_piece)
        folder = str(Path.cwd())
        return _as_they_come(ray, [task.remote(work, thing, folder) for thing in things])

    try:
        yield each
    finally:
        if not joined:
            ray.shutdown()


def _piece(work: Callable[[Any], Any], thing: Any, folder: str) -> Any:
    """What `work` gives where paths mean what they mean to the caller."""
    if not Path(folder).is_dir():
        raise RegraspError(
            f"Found no folder {folder} on a machine of the Ray cluster; expected the same files on all of them, as on a "
            "shared disk. Try a cluster that has them, or leave --ray out."
        )
    with chdir(folder):
        return work(thing)


def _as_they_come(ray: Any, pieces: Sequence[Any]) -> Iterator[Any]:
    """The results of these tasks, in order; an error of ours as it was raised.

    Nobody waits for the others then. They are not cancelled: Ray 2 aborts the whole process when a task ends in the
    moment in which it is cancelled. What is still running ends with the process that asked for it.
    """
    try:
        for piece in pieces:
            yield ray.get(piece)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise RegraspError(KILLED) from error


def _join(ray: Any) -> None:
    """Join the cluster at `RAY_ADDRESS`, or begin one on this machine; a polite kill stays what it was."""
    address = os.environ.get("RAY_ADDRESS", "")
    on_kill = signal.getsignal(signal.SIGTERM)
    try:
        _require_answer(address)
        _begin(ray, TRIES if not address else 1, {} if address else {"include_dashboard": False})
    except Exception as error:  # Ray raises whatever comes, a bare Exception where a machine is slow
        first = first_line(error)
        where = f"the Ray cluster at {address} (RAY_ADDRESS)" if address else "a Ray cluster on this machine"
        raise RegraspError(
            f"Could not join {where}: {first}. Start one with `ray start --head`, or leave --ray out."
        ) from error
    finally:
        if on_kill is not None and current_thread() is main_thread():
            signal.signal(signal.SIGTERM, on_kill)


def _begin(ray: Any, tries: int, options: dict[str, Any]) -> None:
    """Ray gives its own processes half a minute to come up, which a busy machine does not keep at once."""
    for left in reversed(range(tries)):
        try:
            ray.init(logging_level="error", log_to_driver=False, **options)
            return
        except Exception:
            ray.shutdown()
            if not left:
                raise


def _require_answer(address: str) -> None:
    """Raise an OSError where nothing listens at HOST:PORT; Ray itself would try for five minutes."""
    host, _, port = address.rpartition("://")[2].partition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=LONGEST_S).close()
