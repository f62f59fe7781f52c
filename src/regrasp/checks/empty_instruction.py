"""Episodes have no instruction.

## What it detects
Episodes, or frames of them, whose instruction is empty, blank or only punctuation.

## Why it matters
`lerobot-record` accepts an empty `single_task` without a word. A policy that reads language learns these
demonstrations under no name: nothing that is typed at deployment calls for them. ACT does not read instructions.

## How it decides
An instruction needs one letter or digit. There is no tolerance.

## What can fool it
Nothing is reported that is not there. Whether an instruction says enough is what `unspecific-instruction` asks.

## How to fix it
Write in one sentence what is done; LeRobot's `modify_tasks` changes it. Then deploy with exactly that sentence.
"""

from collections.abc import Iterator

import numpy as np

from regrasp.data import Dataset
from regrasp.diagnosis import Evidence, Finding, Fix, Severity, Where, check
from regrasp.diagnosis.finding import count


@check(severity=Severity.WARNING)
def empty_instruction(dataset: Dataset) -> Iterator[Finding]:
    """Report the episodes with frames under an instruction without a word."""
    empty = [number for number, text in enumerate(dataset.tasks) if not any(c.isalnum() for c in text)]
    frames = {e.index: int(np.isin(e.task_indices, empty).sum()) for e in dataset.episodes} if empty else {}
    episodes = tuple(number for number, bad in frames.items() if bad)
    if episodes:
        others = [dataset.tasks[n] for n in range(len(dataset.tasks)) if n not in empty]
        such_as = f", such as '{others[0]}'" if others else ""
        yield Finding(
            summary=(
                f"{count(len(episodes), 'episode')} of {len(dataset.episodes)} "
                f"{'has' if len(episodes) == 1 else 'have'} no instruction."
            ),
            where=Where(episodes),
            evidence=(Evidence("frames without an instruction", sum(frames.values()), 0),),
            fix=Fix(f"Write in one sentence what is done in these episodes{such_as}."),
        )
