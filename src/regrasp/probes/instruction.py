"""The policy is asked again under an instruction that it was trained with."""

import shlex
from collections.abc import Iterator
from dataclasses import replace

from regrasp.diagnosis.observations import INSTRUCTION
from regrasp.diagnosis.probe import Case, Intervention, probe

MOST_INSTRUCTIONS = 8
"""The most frequent ones that are tried; a policy of many tasks is asked about the likeliest."""


@probe(cause="instruction-mismatch")
def instruction(case: Case) -> Iterator[Intervention]:
    """Each training instruction, the most frequent first."""
    for text in list(case.contract.instructions)[:MOST_INSTRUCTIONS]:
        yield Intervention(
            name=f"told '{text}'",
            inputs=(INSTRUCTION,),
            batch=replace(case.observed, tasks=[text] * len(case.observed)),
            command=f"regrasp rollout CHECKPOINT --station STATION --task {shlex.quote(text)}",
        )
