"""A policy on a station, for the verbs that put the two together: what both are, and what preflight says."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from regrasp.cli.chosen import say_which
from regrasp.cli.instruction import the_instruction
from regrasp.data.checkpoint import Checkpoint, read_checkpoint
from regrasp.data.contract import Contract
from regrasp.data.recovery import known_contract
from regrasp.data.robot_fit import require_joints
from regrasp.data.station import Station

if TYPE_CHECKING:
    from regrasp.diagnosis.address import Address
    from regrasp.diagnosis.preflight import Preflight


@dataclass(frozen=True, eq=False)
class Deployment:
    """A checkpoint, its contract (recovered where there is none), the station, and what the policy is told."""

    checkpoint: Checkpoint
    contract: Contract
    station: Station
    instruction: str


def deployed(path: Path, station: Station, task: str | None) -> Deployment:
    """What is at `path`, told `task`, else the station's, else the contract's only instruction.

    Says on stderr which checkpoint of a run it is, and that there is no contract.

    Raises:
        RegraspError: There is no checkpoint, its joints are not the station's, or no instruction is known.
    """
    found = read_checkpoint(path)
    say_which(path)
    require_joints(found.contract or found, station)
    contract = known_contract(found)
    if contract.recovered:
        print("no contract beside this checkpoint: what its own files tell is used; `regrasp contract make "
              f"{quote(str(path))} --dataset D` measures one", file=sys.stderr)  # fmt: skip
    return Deployment(found, contract, station, the_instruction(contract, task or station.task))


def asked(
    one: Deployment,
    address: "Address",
    *,
    allow: Sequence[str],
    seed: int,
    n_action_steps: int | None,
    handover: bool,
) -> "Preflight":
    """The contract against the live station; nothing moves."""
    from regrasp.diagnosis.preflight import preflight
    from regrasp.lerobot_bridge.quiet import prepare_environment

    prepare_environment()
    from regrasp.lerobot_bridge.live_view import look

    seen = look(
        one.station,
        one.instruction,
        seed=seed,
        checkpoint=one.checkpoint.path,
        n_action_steps=n_action_steps,
        ahead=handover,
    )
    return preflight(one.contract, seen, checkpoint=one.checkpoint, allow=allow, address=address)
