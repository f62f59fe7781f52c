"""Which instruction a policy is given when the user names none."""

from regrasp.data.contract import Contract
from regrasp.errors import UsageError


def the_instruction(contract: Contract | None, given: str | None) -> str:
    """The instruction that was given, else the only one of the contract.

    Raises:
        UsageError: None was given, and the contract has several or there is no contract.
    """
    if given is not None:
        return given
    known = list(contract.instructions) if contract else []
    if len(known) == 1:
        return known[0]
    if not known:
        raise UsageError(
            "--task is missing and this checkpoint has no contract to take it from; expected the instruction of the "
            "training data. `regrasp contract make` measures a contract."
        )
    listed = ", ".join(f"'{one}'" for one in known)
    raise UsageError(f"--task is missing; this policy was trained with {len(known)} instructions: {listed}.")
