"""`regrasp diagnose`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regrasp.diagnosis.probe import ProbedPolicy
    from regrasp.diagnosis.trained import Loader


def command(
    checkpoint: Annotated[Path, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")],
    train: Annotated[str, typer.Option(help="The dataset it was trained on.")],
    rollouts: Annotated[str, typer.Option(help="The rollouts in which it failed.")],
    station: Annotated[str | None, typer.Option(help="Station to name in the commands.")] = None,
    probe: Annotated[bool, typer.Option(help="Ask the policy; without it causes are only suspected.")] = True,
    confirm: Annotated[
        bool, typer.Option(help="Twin: run the same starts again with each cause put right.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Name the cause of a failing policy, with the evidence. Exit code 1 when one is found or suspected."""
    from regrasp.data.dataset import read_dataset
    from regrasp.data.rollouts import read_rollouts
    from regrasp.diagnosis.diagnose import diagnose
    from regrasp.diagnosis.ranking import Status

    data, deployed = read_dataset(train), read_rollouts(rollouts)
    policy = load_policy_or_say_why(checkpoint) if probe else None
    load = other_checkpoints() if policy is not None else None
    found = diagnose(checkpoint, train=data, rollouts=deployed, policy=policy, load=load, station=station)
    if confirm:
        from regrasp.cli.trials import trial_on_twin
        from regrasp.diagnosis.confirm import confirm as confirmed

        found = confirmed(found, trial_on_twin(checkpoint, found.address.station))
    if json:
        import json as writer

        print(writer.dumps(found.to_json()))
    else:
        print(found)
    if any(cause.status.proven or cause.status is Status.SUSPECTED for cause in found.causes):
        raise typer.Exit(1)


def load_policy_or_say_why(checkpoint: Path) -> "ProbedPolicy | None":
    """The policy, to be asked; None, with a line on stderr, where it cannot be loaded."""
    import sys

    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.errors import CheckpointError

    read_checkpoint(checkpoint)  # says what is wrong with it before ten seconds of imports
    try:
        from regrasp.lerobot_bridge.quiet import prepare_environment

        prepare_environment()
        from regrasp.lerobot_bridge.policies import load_policy

        return load_policy(checkpoint)
    except (CheckpointError, ModuleNotFoundError) as error:
        print(f"The policy cannot be asked, so causes are only suspected: {error}", file=sys.stderr)
        return None


def other_checkpoints() -> "Loader":
    """Loads checkpoints beside the one that failed; after `load_policy_or_say_why` has loaded that one."""
    from regrasp.lerobot_bridge.policies import load_policy

    return load_policy
