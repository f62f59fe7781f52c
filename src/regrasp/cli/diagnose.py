"""`regrasp diagnose`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regrasp.cli.options import Json, Seed, as_given

if TYPE_CHECKING:
    from regrasp.data.rollouts import Rollouts
    from regrasp.diagnosis.confirm import Trial
    from regrasp.diagnosis.observations import ProbedPolicy
    from regrasp.diagnosis.preflight import LiveView
    from regrasp.diagnosis.trained import Loader


def command(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")
    ] = None,
    train: Annotated[str, typer.Option(help="The dataset it was trained on.")] = "",
    rollouts: Annotated[
        str | None, typer.Option(help="The rollouts in which it failed; without it the station is looked at.")
    ] = None,
    station: Annotated[
        str | None, typer.Option(help="'twin', or a station.yaml: looked at, or named in the commands.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Live: the instruction; the contract's when it has one.")
    ] = None,
    starts: Annotated[str | None, typer.Option(help="Live, twin: home or scattered.")] = None,
    cameras: Annotated[
        str | None, typer.Option(help="Live: plugs exchanged: front=wrist,wrist=front.")
    ] = None,
    fault: Annotated[str | None, typer.Option(help="Live, twin: set up wrongly on purpose.")] = None,
    seed: Seed = 0,
    probe: Annotated[bool, typer.Option(help="Ask the policy; without it causes are only suspected.")] = True,
    confirm: Annotated[
        bool, typer.Option(help="Twin: run the same starts again with each cause put right.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the diagnosis as a page too.", metavar="FILE", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Name the cause of a failing policy, with the evidence. Exit code 1 when one is found or suspected.

    With a checkpoint and --rollouts: why did it fail? With a checkpoint and --station: would it fail here? Nothing moves.
    With --rollouts alone: how do the two datasets differ?
    """
    import sys

    from regrasp.cli.chosen import say_which
    from regrasp.data.dataset import read_dataset
    from regrasp.data.rollouts import read_rollouts
    from regrasp.diagnosis.diagnose import diagnose
    from regrasp.diagnosis.ranking import Status
    from regrasp.errors import UsageError

    if not train:
        raise UsageError("--train is missing; expected the dataset that the policy was trained on.")
    if rollouts is None and (checkpoint is None or station is None):
        raise UsageError(
            "There is nothing to compare the training with; expected --rollouts R, or a checkpoint and --station S to "
            "look at it live."
        )
    if confirm and (checkpoint is None or rollouts is None):
        raise UsageError("--confirm runs a policy's rollouts again; expected a checkpoint and --rollouts.")
    say_which(checkpoint)
    deployed = None if rollouts is None else read_rollouts(rollouts)
    trial = _trial(checkpoint, station, deployed) if confirm and checkpoint and deployed else None
    data = read_dataset(train)
    policy = load_policy_or_say_why(checkpoint) if probe and checkpoint else None
    load = other_checkpoints() if policy is not None else None
    live = None
    if deployed is None and checkpoint is not None and station is not None:
        live = _look(checkpoint, station, task, starts, cameras, fault, seed)
    options = as_given(task=task, starts=starts, cameras=cameras, fault=fault, seed=seed)
    found = diagnose(
        checkpoint,
        train=data,
        rollouts=deployed,
        live=live,
        policy=policy,
        load=load,
        station=station,
        options=options,
    )
    if trial is not None:
        from regrasp.diagnosis.confirm import confirm as confirmed

        found = confirmed(found, trial)
    if html:
        from regrasp.report.diagnosis_page import write_diagnosis_page

        written = write_diagnosis_page(
            found, html, train=data, rollouts=deployed, live=live, checkpoint=checkpoint
        )
        print(f"wrote {written}", file=sys.stderr)
    if json:
        from regrasp.report.json import json_line

        print(json_line(found.to_json()))
    else:
        from rich.console import Console

        from regrasp.report.diagnosis_text import print_diagnosis

        print_diagnosis(found, Console(highlight=False), live=live is not None)
    if any(cause.status.proven or cause.status is Status.SUSPECTED for cause in found.causes):
        raise typer.Exit(1)


def _trial(checkpoint: Path, station: str | None, deployed: "Rollouts") -> "Trial":
    """Runs the rollouts' policy again, where they came from if no station is named."""
    from regrasp.cli.trials import trial_on_twin

    return trial_on_twin(checkpoint, station or deployed.deployment.station or "STATION")


def _look(
    checkpoint: Path,
    station: str,
    task: str | None,
    starts: str | None,
    cameras: str | None,
    fault: str | None,
    seed: int,
) -> "LiveView":
    """What the station shows now; nothing moves."""
    from regrasp.cli.instruction import the_instruction
    from regrasp.cli.twin_options import station_with
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.recovery import known_contract
    from regrasp.data.robot_fit import require_joints

    found = read_checkpoint(checkpoint)
    contract = known_contract(found)
    chosen = station_with(station, starts=starts, cameras=cameras, fault=fault)
    require_joints(contract, chosen)
    instruction = the_instruction(contract, task or chosen.task)
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.live_view import look

    return look(chosen, instruction, seed=seed)


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
