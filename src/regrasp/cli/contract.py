"""`regrasp contract show` and `regrasp contract make`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regrasp.data.contract import Contract

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Show what a policy was trained to expect, or measure it anew.",
)

CheckpointPath = Annotated[Path, typer.Argument(help="Run folder, checkpoint, or pretrained_model folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.command()
def show(checkpoint: CheckpointPath, json: Json = False) -> None:
    """Show the contract beside a checkpoint."""
    from regrasp.cli.chosen import say_which
    from regrasp.data.contract import read_contract

    contract = read_contract(checkpoint)
    say_which(checkpoint)
    print(contract.model_dump_json(indent=1) if json else described(contract))


@app.command()
def make(
    checkpoint: CheckpointPath,
    dataset: Annotated[str, typer.Option(help="The dataset it was trained on.")],
    calibration: Annotated[
        Path | None, typer.Option(help="LeRobot's calibration file of the arm that it was recorded with.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure the contract from a checkpoint and its training data, and write it beside the checkpoint."""
    import sys

    from regrasp.cli.chosen import say_which
    from regrasp.data.calibration import calibration_hash
    from regrasp.data.checkpoint import read_checkpoint
    from regrasp.data.contract import write_contract
    from regrasp.data.contract_measuring import measure_contract
    from regrasp.data.dataset import read_dataset

    found = read_checkpoint(checkpoint)
    say_which(checkpoint)
    contract = measure_contract(
        read_dataset(dataset),
        found,
        calibration_id=calibration.stem if calibration else None,
        calibration_hash=calibration_hash(calibration) if calibration else None,
    )
    path = write_contract(checkpoint, contract)
    print(contract.model_dump_json(indent=1) if json else described(contract))
    print(f"written to {path}", file=sys.stderr)


def described(contract: "Contract") -> str:
    """A contract for a person."""
    lines = [
        f"policy       {contract.policy_type}, chunks of {contract.chunk_size}, "
        f"{contract.n_action_steps} executed",
        f"trained      {_training(contract)}",
        f"data         {contract.dataset_id}: {contract.episodes} episodes, {contract.frames} frames at "
        f"{contract.fps:g} Hz",
        *_instruction_lines(contract),
        *_camera_lines(contract),
        *_augmentation_lines(contract),
        *_gripper_lines(contract),
        "joint             start (mean, deviation)   range              step (99 %, max)",
    ]
    for joint in contract.joints:
        lines.append(
            f"  {joint.name:<15} {joint.start_mean:8.1f} {joint.start_std:6.1f}        "
            f"{joint.low:8.1f} to {joint.high:6.1f}   {joint.jump_p99:6.1f} {joint.jump_max:6.1f}   "
            f"{joint.unit}"
        )
    return "\n".join(lines)


def _training(contract: "Contract") -> str:
    if contract.steps is None:
        return "steps unknown"
    epochs = "epochs unknown" if contract.epochs is None else f"{contract.epochs:.2f} epochs"
    return f"{contract.steps} steps x batch {contract.batch_size or '?'} = {epochs}"


def _instruction_lines(contract: "Contract") -> list[str]:
    return [f"instruction  '{text}' ({frames} frames)" for text, frames in contract.instructions.items()]


def _camera_lines(contract: "Contract") -> list[str]:
    from regrasp.data.episode import camera_name

    if contract.blind:
        return ["camera       none: the policy is blind"]
    return [
        f"camera       {camera.name}, {camera.width} x {camera.height}"
        + (
            f", the policy's {camera_name(camera.policy_key)}"
            if camera.policy_key and camera.policy_key != camera.key
            else ""
        )
        for camera in contract.cameras
    ]


def _augmentation_lines(contract: "Contract") -> list[str]:
    from regrasp.training.augmentation import described

    if not contract.augmentation:
        return []
    return [f"augmented    {described(contract.augmentation)}"]


def _gripper_lines(contract: "Contract") -> list[str]:
    if contract.gripper_closed_share is None or contract.gripper_closed_threshold is None:
        return []
    return [
        f"gripper      closed (below {contract.gripper_closed_threshold:.1f}) in "
        f"{100 * contract.gripper_closed_share:.1f} % of the frames"
    ]
