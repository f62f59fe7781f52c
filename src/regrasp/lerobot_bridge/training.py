"""Trains a LeRobot policy with LeRobot's own training, and writes the contract beside each checkpoint."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shlex import quote

import httpx
from huggingface_hub import HfApi

from regrasp.data.checkpoint import LAST, MODEL_FOLDER, Checkpoint, read_checkpoint
from regrasp.data.contract import CONTRACT_FILE, Contract
from regrasp.data.contract_measuring import rides_on_arm, trained_on
from regrasp.data.dataset import Dataset, content_hash, read_dataset
from regrasp.data.journal import Journal, read_journal
from regrasp.data.links import pointed
from regrasp.data.provenance import parts_of
from regrasp.data.selection import forget_selection
from regrasp.data.station import Station
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.keeping import Keeper, Progress, close_wandb
from regrasp.lerobot_bridge.processes import gpus_and_nodes, is_first
from regrasp.lerobot_bridge.resuming import (
    bring_back,
    has_weights,
    newest_checkpoint,
    point_last_at,
    remove_partial,
    set_aside,
)
from regrasp.lerobot_bridge.running import run_lerobot
from regrasp.lerobot_bridge.train_options import arguments_for, assigned, starting_statistics, whole
from regrasp.training.augmentation import parse_augmentation
from regrasp.training.plan import plan

LOADERS = "--num_workers"


@dataclass(frozen=True)
class Trained:
    """What came of a training run.

    Attributes:
        checkpoint: Folder `pretrained_model` of the last checkpoint.
        contract: The contract written beside it.
        steps: Steps taken.
        epochs: Passes over the data: steps x samples a step of all processes / frames.
        losses: (step, training loss) as LeRobot logged them.
        journal: All that was noted on the way.
    """

    checkpoint: Path
    contract: Contract
    steps: int
    epochs: float
    losses: tuple[tuple[int, float], ...]
    journal: Journal

    @property
    def run(self) -> Path:
        """The folder of the run."""
        return self.checkpoint.parents[2]


def train(
    dataset: str | Path,
    out: str | Path,
    *,
    policy: str = "keypoint",
    steps: int | None = None,
    epochs: float | None = None,
    batch: int | None = None,
    latency_ms: float | None = None,
    hold_out: int | Sequence[int] | None = None,
    new_statistics: bool = False,
    augment: str = "",
    station: Station | None = None,
    seed: int = 1000,
    cache: bool = True,
    options: Sequence[str] = (),
    progress: Progress | None = None,
) -> Trained:
    """Train `policy` on `dataset` into the new folder `out`, as `regrasp.plan` says.

    Where `accelerate launch` has started several processes that all call this, they train together: the first writes all
    files, and the plan is one for so many processes. They must all reach `out`.

    Args:
        dataset: Folder of a LeRobot v3.0 dataset.
        out: New folder; gets `checkpoints/STEP/pretrained_model` as from `lerobot-train`.
        policy: LeRobot's name of the policy type, or a checkpoint to train further.
        steps: Steps to take; or give `epochs`.
        epochs: Passes over the data; those of the plan when neither is given.
        batch: Samples per step.
        latency_ms: From a picture to the policy's answer, for the length of chunks.
        hold_out: How many episodes not to train on, or which; those of the plan by default.
        new_statistics: Normalise a checkpoint that is trained further with the statistics of this dataset.
        augment: How pictures are changed while training, such as "light,front:shift=0.5" (`training.augmentation`).
        station: Where the data come from: what a policy that was trained elsewhere calls its cameras.
        seed: Of initialisation and shuffling.
        cache: Decode frames once, into files that this and later trainings read (see `cached_dataset`); the samples are
            the same.
        options: Any further options of `lerobot-train`, as `--name=value`; they win over those set here.
        progress: Is told of decoding and of each step.

    Raises:
        DatasetError: The dataset cannot be read.
        UsageError: `out` exists, or LeRobot refuses an option.
    """
    out = Path(out).resolve()
    if is_first():
        _require_new(out)
    gpus, nodes = gpus_and_nodes()
    given = assigned(options)
    options = [f"{name}={value}" for name, value in given.items()]
    if hold_out and "--dataset.eval_split" in given:
        raise UsageError(
            "Found both --hold-out and --dataset.eval_split; expected one of them: LeRobot's split takes the last "
            "episodes, --hold-out some that are spread over the workspace."
        )
    data = _chosen(read_dataset(dataset), given.get("--dataset.episodes"))
    policy = given.get("--policy.path") or given.get("--policy.type") or policy
    planned = plan(
        data,
        policy=policy,
        steps=whole(given, "--steps") or steps,
        epochs=None if "--steps" in given else epochs,
        batch=whole(given, "--batch_size") or batch,
        gpus=gpus,
        nodes=nodes,
        latency_ms=latency_ms,
        hold_out=0 if "--dataset.eval_split" in given else hold_out,
    )
    arguments = arguments_for(data, planned, policy=policy, seed=seed, options=options, station=station)
    journal = Journal(
        dataset=str(Path(data.path).resolve()),
        policy=planned.policy,
        arguments=arguments,
        total_steps=planned.steps,
        frames=data.frames,
        held_out=list(planned.held_out),
        chosen=[one.index for one in data.episodes] if "--dataset.episodes" in given else [],
        new_statistics=new_statistics,
        plan=planned.to_json(),
        augmentation=_augmentation(data, augment),
        episode_weights=_episode_weights(data),
    )
    start = None if new_statistics else starting_statistics(policy)
    progress = progress or Progress()
    for warning in planned.warnings:
        progress.on_note(f"warning: {warning}")
    if given.get("--dataset.streaming") == "true" and (journal.augmentation or journal.episode_weights):
        what = "--augment" if journal.augmentation else "parts with weights"
        raise UsageError(
            f"Found --dataset.streaming with {what}; expected a dataset that is read by index. Leave streaming out: "
            "frames are decoded once and read from disk."
        )
    keeper = Keeper(out, data, journal, start=start, progress=progress, cached=cache)
    keeper.loaders_given = LOADERS in given
    return _finish(keeper, [*arguments, f"--output_dir={out}"])


def resume(
    run: str | Path,
    *,
    dataset: str | Path | None = None,
    cache: bool = True,
    options: Sequence[str] = (),
    progress: Progress | None = None,
) -> Trained:
    """Go on with a training that was stopped, to the weights that it would have had without the stop.

    A run that has taken all its steps is left as it is. One that was stopped before its first checkpoint begins anew.

    Args:
        run: The folder that was `out`.
        dataset: Where the dataset lies now, if it was moved.
        cache: As in `train`.
        options: Options of `lerobot-train` that shall change, as `--name=value`; `--steps=N` goes on to N steps.
        progress: Is told of decoding and of each step.

    Raises:
        UsageError: There is no training to go on with, or the data are not those that it has learned from.
    """
    run = Path(run).resolve()
    given = assigned(options)
    options = [f"{name}={value}" for name, value in given.items()]
    if is_first():
        bring_back(run)
    journal, newest = read_journal(run), newest_checkpoint(run)
    if newest is None:
        return _begin_anew(run, journal, dataset, options, progress or Progress(), cache)
    checkpoint = read_checkpoint(newest)
    config = checkpoint.train_config or {}
    trained = config.get("dataset") or {}
    data = read_dataset(dataset or trained.get("root") or trained.get("repo_id") or "")
    known, journal = journal, journal or _journal_of(checkpoint, data)
    journal.dataset = str(Path(data.path).resolve())
    data = _of_these(data, journal.chosen)
    _require_same(data, checkpoint, run)
    step, total = int(newest.name), whole(given, "--steps") or int(config.get("steps") or 0)
    keeper = Keeper(run, data, journal, progress=progress or Progress(), taken=step, cached=cache)
    if step >= total:
        if known is not None and not known.finished:  # killed after its last checkpoint
            _tidy(run, newest)
            keeper.finish()
        return _trained(keeper)
    journal.cut_after(step)
    journal.resumed_at.append(step)
    journal.total_steps, journal.finished = total, False
    keeper.loaders_given = LOADERS in {**given, **assigned(journal.arguments)}
    keeper.on_begin = partial(_tidy, run, newest, chosen=False)
    arguments = [
        f"--config_path={newest / MODEL_FOLDER / 'train_config.json'}",
        "--resume=true",
        f"--output_dir={run}",
        f"--dataset.root={Path(data.path).resolve()}",
        *options,
    ]
    return _finish(keeper, arguments)


def _begin_anew(
    run: Path,
    journal: Journal | None,
    dataset: str | Path | None,
    options: Sequence[str],
    progress: Progress,
    cache: bool,
) -> Trained:
    """Take a run that has no checkpoint yet from its first step: nothing is lost, and the weights are the same."""
    if journal is None:
        raise UsageError(
            f"Found no training to go on with in {run}; expected a folder that `regrasp train --out` or lerobot-train "
            "made and that has a checkpoint. Train anew, into another folder."
        )
    if gpus_and_nodes() != (1, 1):
        raise UsageError(
            f"Found no checkpoint in {run}; expected one that several processes can go on from. Delete the folder and "
            "train anew."
        )
    if journal.finished or has_weights(run):
        raise UsageError(
            f"Found checkpoints in {run} that can be used and not be gone on with; expected training_state/ beside their "
            "pretrained_model/. Train further into another folder: `regrasp train DATASET --policy "
            f"{quote(str(run))} --out NEW`."
        )
    data = _of_these(read_dataset(dataset or journal.dataset), journal.chosen)
    root = str(Path(data.path).resolve())
    arguments = [
        f"--dataset.root={root}" if option.startswith("--dataset.root=") else option
        for option in journal.arguments
    ]
    anew = {"steps": [], "evaluations": [], "notes": [], "resumed_at": [0]}
    fresh = journal.model_copy(update={**anew, "dataset": root, "arguments": arguments})
    given = assigned(fresh.arguments)
    start = None if fresh.new_statistics else starting_statistics(given.get("--policy.path", ""))
    keeper = Keeper(run, data, fresh, start=start, progress=progress, cached=cache)
    keeper.loaders_given = LOADERS in {**given, **assigned(options)}
    with set_aside(run):
        return _finish(keeper, [*fresh.arguments, f"--output_dir={run}", *options])


def _require_same(data: Dataset, checkpoint: Checkpoint, run: Path) -> None:
    """Raise UsageError where the data are not those that the run has learned from, as far as its contract tells."""
    contract = checkpoint.contract
    if contract is None or not contract.dataset_hash:
        return
    learned = trained_on(data, checkpoint)
    if contract.dataset_hash == content_hash(learned):
        return
    raise UsageError(
        f"Found other demonstrations in {data.path} than {run} has learned from ({learned.frames} frames; there were "
        f"{contract.frames}, or the same number of others); expected the same ones. To learn from these too: "
        f"`regrasp train {quote(str(data.path))} --policy {quote(str(run))} --out NEW`."
    )


def _tidy(run: Path, newest: Path, *, chosen: bool = True) -> None:
    """Before a run goes on: away with half a checkpoint, and with the choice among those there are unless `chosen`."""
    if not is_first():
        return
    remove_partial(run)
    point_last_at(newest)
    if not chosen:
        forget_selection(run)


def _finish(keeper: Keeper, arguments: Sequence[str]) -> Trained:
    try:
        run_lerobot(arguments, keeper)
        keeper.finish()
    finally:
        close_wandb()
    trained = _trained(keeper)
    if is_first():
        _push_contract(trained, keeper)
    return trained


def _push_contract(trained: Trained, keeper: Keeper) -> None:
    """Where LeRobot has pushed the policy to the Hub, put its contract beside it; a Hub that refuses costs nothing."""
    config = read_checkpoint(trained.checkpoint).config
    repository = config.get("repo_id")
    if not (config.get("push_to_hub") and repository):
        return
    try:
        HfApi().upload_file(
            path_or_fileobj=trained.checkpoint / CONTRACT_FILE,
            path_in_repo=CONTRACT_FILE,
            repo_id=repository,
            commit_message="Add the contract",
        )
    except (OSError, ValueError, httpx.HTTPError) as error:
        line = f"The contract was not pushed to {repository} ({type(error).__name__}); it lies in {trained.checkpoint}."
        keeper.note(line)
        keeper.finish()


def _trained(keeper: Keeper) -> Trained:
    """What came of it, by its last checkpoint."""
    last = keeper.run / "checkpoints" / LAST
    last = (last if last.is_dir() else pointed(last)) / MODEL_FOLDER
    checkpoint = read_checkpoint(last)
    steps, journal = checkpoint.step or 0, keeper.journal
    epochs = steps * (checkpoint.batch_size or 0) / journal.frames
    return Trained(last, keeper.contract(checkpoint), steps, epochs, journal.losses, journal)


def _require_new(out: Path) -> None:
    """Raise UsageError when the folder of a run exists."""
    if not out.exists():
        return
    journal, newest = read_journal(out), newest_checkpoint(out)
    if journal is not None and not journal.finished:
        taken = 0 if newest is None else int(newest.name)
        raise UsageError(
            f"{out} holds a training that was stopped; {taken} of its {journal.total_steps} steps are kept. Go on with "
            f"`regrasp train --resume {quote(str(out))}`, or choose another --out."
        )
    if journal is None and (out / "checkpoints").exists() and newest is None:
        raise UsageError(
            f"{out} holds a training run that was not finished; expected a new folder. Delete it and train again, or "
            "choose another --out."
        )
    raise UsageError(f"{out} exists already; expected a new folder. Choose another --out or delete it first.")


def _chosen(data: Dataset, episodes: str | None) -> Dataset:
    """The dataset with only the episodes that LeRobot's option names."""
    if episodes is None:
        return data
    try:
        numbers = {int(number) for number in json.loads(episodes)}
    except (ValueError, TypeError) as error:
        raise UsageError(f"--dataset.episodes is {episodes}; expected a list such as [0,1,2].") from error
    return _of_these(data, numbers)


def _of_these(data: Dataset, numbers: Collection[int]) -> Dataset:
    """The dataset with only these episodes; as it is where none are named."""
    if not numbers:
        return data
    chosen = tuple(episode for episode in data.episodes if episode.index in numbers)
    return replace(data, episodes=chosen, declared=None)


def _augmentation(data: Dataset, text: str) -> dict[str, dict[str, float]]:
    """What is done to the pictures of each camera; those on the arm keep their geometry."""
    if not text:
        return {}
    on_arm = [name for name in data.camera_names if rides_on_arm(data, name)]
    return parse_augmentation(text, data.camera_names, on_arm)


def _episode_weights(data: Dataset) -> list[float]:
    """How often each episode's frames are drawn, where `regrasp merge` has given parts different weights; else none."""
    parts = parts_of(data)
    weights = parts.episode_weights if parts else []
    return weights if len(set(weights)) > 1 else []


def _journal_of(checkpoint: Checkpoint, data: Dataset) -> Journal:
    """The journal of a run that LeRobot alone began."""
    config = checkpoint.train_config or {}
    return Journal(
        dataset=str(Path(data.path).resolve()),
        policy=checkpoint.policy_type,
        arguments=[],
        total_steps=int(config.get("steps") or 0),
        frames=data.frames,
        augmentation=(checkpoint.contract.augmentation if checkpoint.contract else None) or {},
        episode_weights=_episode_weights(data),
    )
