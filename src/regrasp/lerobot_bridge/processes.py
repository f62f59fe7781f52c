"""The processes that train together, as `accelerate launch` or `torchrun` has started this one."""

import os
from typing import Any

_kept: list[Any] = []


def gpus_and_nodes() -> tuple[int, int]:
    """Processes of each node, and nodes; 1 and 1 where this process trains alone."""
    everywhere = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", str(everywhere)))
    return here, max(1, everywhere // here)


def is_first() -> bool:
    """Whether this is the process that writes files and speaks for all."""
    return os.environ.get("RANK", "0") == "0"


def keep_group() -> None:
    """Keep the group of the processes that train together until this process ends.

    LeRobot lets go of it while Python is locked, and torch (2.11, gloo) then joins a thread that may itself be waiting
    for that lock, to let go of the last barrier: a training whose steps were all taken was seen to hang so.
    """
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        _kept.append(torch.distributed.group.WORLD)
