"""Options for `lerobot-train`: those of a plan, of the policy and its cameras, and what a user gives besides."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import draccus.utils
import torch
from huggingface_hub import snapshot_download
from lerobot.configs.policies import PreTrainedConfig

from regrasp.data.checkpoint import Checkpoint, pretrained_folder, read_checkpoint
from regrasp.data.dataset import Dataset
from regrasp.data.episode import IMAGE_PREFIX
from regrasp.data.station import Station
from regrasp.errors import CheckpointError, UsageError
from regrasp.training.plan import Plan
from regrasp.training.policies import BASES
from regrasp.training.renaming import rename_map

_WITHOUT_WEIGHTS = ["*.json", "*processor*.safetensors"]
"""Files of a checkpoint on the Hub: all but the policy's weights."""

_CHUNKS = {"--policy.chunk_size", "--policy.n_action_steps", "--policy.horizon"}


def arguments_for(
    data: Dataset,
    planned: Plan,
    *,
    policy: str,
    seed: int,
    options: Sequence[str],
    station: Station | None = None,
) -> list[str]:
    """Options for `lerobot-train`: ours, except where `options` names the same."""
    options = _with_names(data, policy, station, options)
    given = {option.split("=", 1)[0] for option in options}
    steps = planned.steps
    ours = {
        "--dataset.repo_id": data.repo_id or f"local/{Path(data.path).name}",
        "--dataset.root": str(Path(data.path).resolve()),
        "--dataset.video_backend": "pyav",
        **_policy_option(policy),
        "--policy.push_to_hub": "false",
        "--policy.device": "cuda" if torch.cuda.is_available() else "cpu",
        "--job_name": f"{planned.policy}-{Path(data.path).name}",
        "--steps": str(steps),
        "--batch_size": str(planned.batch),
        "--seed": str(seed),
        "--log_freq": str(max(1, min(50, steps // 20))),
        "--save_freq": str(planned.save_every),
        "--env_eval_freq": "0",
        "--wandb.enable": "false",
        **dict(option.split("=", 1) for option in planned.options),
    }
    if given & _CHUNKS:  # they must fit each other: the user's alone count
        ours = {name: value for name, value in ours.items() if name not in _CHUNKS}
    if planned.held_out:
        trained = [episode.index for episode in data.episodes if episode.index not in planned.held_out]
        ours["--dataset.episodes"] = json.dumps(trained)
        given.discard("--dataset.episodes")
        options = [option for option in options if not option.startswith("--dataset.episodes=")]
    return [f"{name}={value}" for name, value in ours.items() if name not in given] + list(options)


def _with_names(data: Dataset, policy: str, station: Station | None, options: Sequence[str]) -> list[str]:
    """The options, with what the policy calls the cameras where that is something else.

    Cameras of the same name are named too: those that a policy knows and that are not named were not there.
    """
    own = [camera.key for camera in data.episodes[0].cameras.values()] if data.episodes else []
    start = local_checkpoint(policy)
    known = start.policy_camera_keys if start else _cameras_on_the_hub(policy)
    typed = [option for option in options if option.startswith("--rename_map=")]
    told: Mapping[str, str] = start.renamed if start else {}
    if typed:
        told = _names_typed(typed[-1].partition("=")[2])
    elif station is not None and station.policy_names:
        told = station.policy_names
    names = rename_map(own, known, told)
    if not names:
        return list(options)
    return [option for option in options if option not in typed] + [f"--rename_map={json.dumps(names)}"]


def _names_typed(text: str) -> dict[str, str]:
    try:
        names: object = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise UsageError(
            f'--rename_map is {text}; expected names such as {{"{IMAGE_PREFIX}front": "{IMAGE_PREFIX}camera1"}}.'
        )
    return dict(names)


def _cameras_on_the_hub(policy: str) -> tuple[str, ...]:
    """Keys of the cameras that a policy on the Hub knows; none for a type, or where the Hub cannot be asked."""
    if "/" not in policy or Path(policy).exists():
        return ()
    try:
        return tuple(PreTrainedConfig.from_pretrained(policy).image_features)
    except (OSError, ValueError, KeyError, TypeError, draccus.utils.DecodingError):
        return ()  # LeRobot asks again, and says what is wrong


def _policy_option(policy: str) -> dict[str, str]:
    """A type, the folder of a checkpoint, or an id on the Hub."""
    if is_folder(policy):
        return {"--policy.path": str(pretrained_folder(policy).resolve())}
    return {"--policy.path" if "/" in policy else "--policy.type": policy}


def assigned(options: Sequence[str]) -> dict[str, str]:
    """LeRobot's options by name, given as `--name=value` or as `--name value`; a bare `--name` switches it on.

    Raises:
        UsageError: A word stands where a name was expected.

    Example:
        >>> assigned(["--steps=5", "--batch_size", "8", "--wandb.enable"])
        {'--steps': '5', '--batch_size': '8', '--wandb.enable': 'true'}
    """
    found: dict[str, str] = {}
    words = list(options)
    while words:
        name, equals, value = words.pop(0).partition("=")
        if not name.startswith("--"):
            raise UsageError(f"Found '{name}' among LeRobot's options; expected --name=value.")
        if not equals:
            value = words.pop(0) if words and not words[0].startswith("--") else "true"
        found[name] = value
    return found


def whole(given: Mapping[str, str], name: str) -> int | None:
    """The value of an option as an integer."""
    if name not in given:
        return None
    try:
        return int(given[name])
    except ValueError as error:
        raise UsageError(f"{name} is {given[name]!r}; expected a whole number.") from error


def local_checkpoint(policy: str) -> Checkpoint | None:
    """The checkpoint that training starts from, where it lies on this machine."""
    return read_checkpoint(policy) if is_folder(policy) else None


def starting_statistics(policy: str) -> Checkpoint | None:
    """The checkpoint whose statistics stay as its training goes on; None where this dataset's take their place.

    That is so for a type, for a pretrained base, which has learned from many robots, and where the Hub cannot be asked.
    """
    if is_folder(policy):
        return read_checkpoint(policy)
    if "/" not in policy or policy in BASES.values():
        return None
    try:
        return read_checkpoint(snapshot_download(policy, allow_patterns=_WITHOUT_WEIGHTS))
    except (OSError, ValueError, CheckpointError):
        return None  # LeRobot asks again, and says what is wrong


def is_folder(policy: str) -> bool:
    """Whether this is the folder of a checkpoint. The name of a type is a type, also where a folder is called so."""
    return bool(policy) and policy not in PreTrainedConfig.get_known_choices() and Path(policy).is_dir()
