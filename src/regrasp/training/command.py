"""The command that carries out a plan, for one process or for several that Accelerate starts."""

import shlex
from pathlib import Path

PORT = 29500
"""Where the processes of several nodes find each other; torch's own default."""


def train_command(
    dataset: str | Path, policy: str, *, gpus: int = 1, nodes: int = 1, **asked: float | int | None
) -> str:
    """`regrasp train` with what was asked for; RUN, and on several nodes RANK and ADDRESS, are to be filled in.

    Example:
        >>> train_command("demos", "act", epochs=8)
        'regrasp train demos --policy act --epochs 8 --out RUN'
        >>> train_command("demos", "act", gpus=2)[:62]
        'accelerate launch --multi_gpu --num_processes 2 --num_machines'
    """
    words = ["train", str(dataset), "--policy", policy]
    for name, value in asked.items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join([*_launcher(gpus, nodes), *words, "--out", "RUN"])


def _launcher(gpus: int, nodes: int) -> list[str]:
    """What starts `regrasp` once for each GPU; every choice is said, so that no earlier `accelerate config` has a say."""
    if gpus * nodes == 1:
        return ["regrasp"]
    words = ["accelerate", "launch", "--multi_gpu", "--num_processes", str(gpus * nodes)]
    words += ["--num_machines", str(nodes)]
    if nodes > 1:
        words += ["--machine_rank", "RANK", "--main_process_ip", "ADDRESS", "--main_process_port", str(PORT)]
    return [*words, "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "regrasp"]
