"""A policy whose weights are others than those that its contract was made for."""

import hashlib
from dataclasses import replace

from regrasp.data.checkpoint import Checkpoint


def changed_policy_files(checkpoint: Checkpoint, *, file: str = "model.safetensors") -> Checkpoint:
    """The same, with other content in `file`."""
    hashes = dict(checkpoint.file_hashes)
    return replace(
        checkpoint, hashes={**hashes, file: hashlib.sha256(hashes.get(file, "").encode()).hexdigest()}
    )
