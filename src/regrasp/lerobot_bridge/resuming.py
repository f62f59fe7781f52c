"""What LeRobot's resumed training lacks to end with the weights of one that was never stopped.

LeRobot 0.6.1 saves weights, optimizer, schedule, step and random numbers, and knows at which sample to go on. Three
things are missing, and put in here:

- Accelerate numbers the epochs of a resumed run from 0 again and tells the sampler so, which then repeats the order of
  the first epochs.
- Beginning an epoch draws a random number. A run that goes on within an epoch begins it a second time, and its policy
  draws other noise from there on.
- A checkpoint is written file by file under its final name, so that a run killed meanwhile leaves half of one.

On one process and a CPU the weights are then the same to the last bit, as Regrasp trains. They are not with LeRobot's own
image transforms: those draw from the policy's random numbers, and Accelerate fetches one batch ahead of the checkpoint.
A GPU adds in another order each time unless `--cudnn_deterministic=true`, and of several processes LeRobot saves the
random numbers of the first alone.
"""

import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from lerobot.datasets import EpisodeAwareSampler
from lerobot.scripts import lerobot_train
from lerobot.utils.random_utils import get_rng_state, set_rng_state

from regrasp.data.checkpoint import LAST, MODEL_FOLDER
from regrasp.data.journal import JOURNAL_FILE
from regrasp.data.links import point

PARTIAL = ".partial-"
_NEEDED = (
    "training_state/training_step.json",
    f"{MODEL_FOLDER}/config.json",
    f"{MODEL_FOLDER}/train_config.json",
)


class ResumableSampler(EpisodeAwareSampler):
    """LeRobot's sampler, whose epochs count on from the one it was told to resume in.

    `on_begin` is called with the epoch and the place in it when samples begin to be drawn from there.
    """

    _resumed_in = 0
    on_begin: Callable[[int, int], None] | None = None

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on in `state["epoch"]` at its sample `state["start_index"]`."""
        super().load_state_dict(state)
        self._resumed_in = int(state["epoch"])

    def set_epoch(self, epoch: int) -> None:
        """Accelerate counts the epochs of this process from 0."""
        super().set_epoch(self._resumed_in + epoch)

    def _iter_epoch(self, epoch: int, start: int) -> Iterator[int]:
        if self.on_begin is not None:
            self.on_begin(epoch, start)
        yield from super()._iter_epoch(epoch, start)


@contextmanager
def exact_resuming(
    make_sampler: Callable[..., ResumableSampler] = ResumableSampler,
) -> Generator[None]:
    """Within it, LeRobot's training goes on exactly where its checkpoint was written, with this sampler."""
    place = {"start_index": 0}
    where, cycle = lerobot_train.compute_sampler_state, lerobot_train.cycle

    def remembered(*values: Any) -> dict[str, int]:
        place.update(where(*values))
        return {"epoch": place["epoch"], "start_index": place["start_index"]}

    def cycled(loader: Any) -> Iterator[Any]:
        batches = cycle(loader)
        if place["start_index"] > 0:
            state = get_rng_state()
            first = next(batches)
            set_rng_state(state)
            yield first
        yield from batches

    with (
        mock.patch.object(lerobot_train, "EpisodeAwareSampler", make_sampler),
        mock.patch.object(lerobot_train, "compute_sampler_state", remembered),
        mock.patch.object(lerobot_train, "cycle", cycled),
    ):
        yield


@contextmanager
def whole_checkpoints(on_saved: Callable[[Path, Mapping[str, Any]], None]) -> Generator[None]:
    """Within it, LeRobot's checkpoints appear whole or not at all.

    `on_saved` is called with the folder while it still has its temporary name, and with what LeRobot saved; what it
    writes there becomes part of the checkpoint, and the random numbers that it draws change nothing.
    """
    save = lerobot_train.save_checkpoint

    def saved(*, checkpoint_dir: Path, **parts: Any) -> None:
        partial = checkpoint_dir.with_name(f"{PARTIAL}{checkpoint_dir.name}")
        shutil.rmtree(partial, ignore_errors=True)
        save(checkpoint_dir=partial, **parts)
        state = get_rng_state()
        on_saved(partial, parts)
        set_rng_state(state)
        shutil.rmtree(checkpoint_dir, ignore_errors=True)
        partial.rename(checkpoint_dir)

    with (
        mock.patch.object(lerobot_train, "save_checkpoint", saved),
        mock.patch.object(lerobot_train, "update_last_checkpoint", point_last_at),
    ):
        yield


def point_last_at(checkpoint: Path) -> None:
    """Make `last` point at this checkpoint; at no moment is there none."""
    point(checkpoint.parent / LAST, checkpoint)


def newest_checkpoint(run: Path) -> Path | None:
    """The folder of the last whole checkpoint of a run; None when there is none."""
    steps = [path for path in (run / "checkpoints").glob("[0-9]*") if path.name.isdigit() and is_whole(path)]
    return max(steps, key=lambda path: int(path.name), default=None)


def is_whole(checkpoint: Path) -> bool:
    """Whether a checkpoint holds what a training needs to go on."""
    weights = [*checkpoint.glob(f"{MODEL_FOLDER}/*model*.safetensors")]
    return bool(weights) and all((checkpoint / name).is_file() for name in _NEEDED)


def has_weights(run: Path) -> bool:
    """Whether a run has a checkpoint that can be used, be it one that a training can go on from or not."""
    return any((run / "checkpoints").glob(f"[0-9]*/{MODEL_FOLDER}/*model*.safetensors"))


@contextmanager
def set_aside(run: Path) -> Generator[None]:
    """Within it, the run's folder is out of the way; it is back where nothing has taken its place, and else gone."""
    aside = _aside(run)
    shutil.rmtree(aside, ignore_errors=True)
    run.rename(aside)
    try:
        yield
    finally:
        if (run / JOURNAL_FILE).exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            shutil.rmtree(run, ignore_errors=True)
            aside.rename(run)


def bring_back(run: Path) -> None:
    """Undo what a kill has left of `set_aside`, before anything had taken the run's place."""
    if _aside(run).exists() and not (run / JOURNAL_FILE).exists():
        shutil.rmtree(run, ignore_errors=True)
        _aside(run).rename(run)


def _aside(run: Path) -> Path:
    return run.with_name(f"{PARTIAL}{run.name}")


def remove_partial(run: Path) -> None:
    """Delete what a killed run left of a checkpoint."""
    for path in (run / "checkpoints").glob(f"{PARTIAL}*"):
        shutil.rmtree(path, ignore_errors=True)
