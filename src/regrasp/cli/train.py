"""`regrasp train`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    dataset: Annotated[Path, typer.Argument(help="LeRobot dataset to learn from.")],
    out: Annotated[Path, typer.Option(help="New folder for the run.")],
    policy: Annotated[
        str, typer.Option(help="keypoint (two cores, minutes), act, smolvla, ...")
    ] = "keypoint",
    epochs: Annotated[float | None, typer.Option(help="Passes over the data.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps to take, instead of --epochs.")] = None,
    batch: Annotated[int | None, typer.Option(help="Samples per step.")] = None,
    seed: Annotated[int, typer.Option(help="Of initialisation and shuffling.")] = 1000,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    options: Annotated[
        list[str] | None, typer.Argument(help="After `--`: any option of lerobot-train, as --name=value.")
    ] = None,
) -> None:
    """Train a policy with LeRobot and write its contract beside each checkpoint."""
    from regrasp.cli.progress import progress
    from regrasp.data.dataset import read_dataset

    read_dataset(dataset, video=False)  # says what is wrong with it before ten seconds of imports
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.training import Progress, train

    with progress("decoding") as decoding, progress("training") as training:
        result = train(
            dataset,
            out,
            policy=policy,
            steps=steps,
            epochs=epochs,
            batch=batch,
            seed=seed,
            options=options or (),
            progress=Progress(on_decode=decoding, on_step=training),
        )
    if json:
        import json as writer

        print(writer.dumps({"checkpoint": str(result.checkpoint), "steps": result.steps, "epochs": result.epochs,
                            "losses": result.losses}))  # fmt: skip
    else:
        loss = f", loss {result.losses[-1][1]:.3f}" if result.losses else ""
        print(f"{result.steps} steps, {result.epochs:.2f} epochs{loss}: {result.checkpoint}")
        print(f"next: regrasp rollout {out} --station twin --episodes 20 --out NEW")
