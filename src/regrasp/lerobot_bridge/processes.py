"""The processes that train together, as `accelerate launch` or `torchrun` has started this one."""

import os


def gpus_and_nodes() -> tuple[int, int]:
    """Processes of each node, and nodes; 1 and 1 where this process trains alone."""
    everywhere = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", str(everywhere)))
    return here, max(1, everywhere // here)


def is_first() -> bool:
    """Whether this is the process that writes files and speaks for all."""
    return os.environ.get("RANK", "0") == "0"
