"""What is trained: a type of policy from scratch, or a checkpoint that is trained further."""

import re
from dataclasses import dataclass
from pathlib import Path

from regrasp.data.checkpoint import Checkpoint, read_checkpoint
from regrasp.errors import CheckpointError
from regrasp.training.policies import KINDS, Kind

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""An id on the Hub. What it is a policy of, LeRobot learns from its config; the plan goes by the words of its name, as
in `lerobot/smolvla_base`, and by LeRobot's defaults where none is a type."""

NAME_PARTS = re.compile(r"[-_.]")


@dataclass(frozen=True)
class Target:
    """What is trained: a type, from scratch, or a checkpoint that is trained further."""

    kind: Kind
    checkpoint: Checkpoint | None = None
    scratch: bool = False

    @classmethod
    def of(cls, policy: str) -> "Target":
        """A known type, a checkpoint's folder, one on the Hub, or a type that only LeRobot knows."""
        if policy in KINDS:
            return cls(KINDS[policy], scratch=True)
        if Path(policy).is_dir():
            checkpoint = read_checkpoint(policy)
            known = KINDS.get(checkpoint.policy_type, Kind(checkpoint.policy_type))
            return cls(known.as_in(checkpoint.config), checkpoint)
        owner, _, name = policy.partition("/")
        if HUB_ID.fullmatch(policy) and not Path(owner).is_dir():
            return cls(
                KINDS.get(next((one for one in NAME_PARTS.split(name) if one in KINDS), ""), Kind(name))
            )
        if "/" in policy or policy.startswith("."):
            raise CheckpointError(
                f"Found no checkpoint in {policy}; expected a folder that LeRobot saved, or a policy type such as act "
                "or smolvla."
            )
        return cls(Kind(policy), scratch=True)
