"""How long to train: passes over the data where there is enough of it, samples where a policy learns from scratch."""

import math

from regrasp.training.policies import KINDS, Kind

MOST_EPOCHS = 10.0
"""More than this is warned of. LeRobot's hardware guide gives 5 to 10 epochs; an SO-101 project found that 6.35 did
better than 15.87."""

ENOUGH_SAMPLES = {"act": 160_000, "keypoint": 200_000}
"""Samples after which a policy from scratch is as good as its data make it, however few demonstrations there are. One ACT
run succeeded 18 % after 5 thousand steps of 8 samples, 71 % after 10, 83 % after 20. The small policy with 30
demonstrations: 30 % after 23 thousand samples, 38 % after 63, 45 % after 102, 83 % after 195, 80 % after 586
(docs/results.md), one training each."""

FEWEST_SAMPLES = {"act": 80_000, "keypoint": 80_000}
"""Fewer are warned of. More demonstrations need less than enough: 60 gave 86 % after 79 thousand, 100 96 % after 105."""

TOO_BRIEF = {
    "act": "in one run success was 18 % after 40,000, 71 % after 80,000 and 83 % after 160,000",
    "keypoint": "30 demonstrations on the simulated arm gave 38 % after 63,000, 45 % after 102,000, 83 % after 195,000",
}
"""What came of fewer."""


def usual_epochs(kind: Kind, frames: int, *, scratch: bool) -> tuple[float, str]:
    """Epochs where none are asked for, and why: of few demonstrations more, for a policy that learns from scratch.

    Example:
        >>> usual_epochs(KINDS["act"], 100_832, scratch=True)[0], usual_epochs(KINDS["act"], 5000, scratch=True)[0]
        (8.0, 32)
    """
    enough = ENOUGH_SAMPLES.get(kind.name, 0) if scratch else 0
    needed = math.ceil(enough / frames)
    if needed <= kind.epochs:
        return kind.epochs, kind.epochs_why
    return needed, (
        f"few demonstrations need more than the usual {kind.epochs:g}: {kind.name} from scratch wants "
        f"{enough} samples"
    )


def length_warnings(kind: Kind, frames: int, steps: int, samples: int, *, scratch: bool) -> list[str]:
    """What speaks against so many `steps` of so many `samples` each."""
    shown = steps * samples
    fewest, enough = ((each.get(kind.name, 0) if scratch else 0) for each in (FEWEST_SAMPLES, ENOUGH_SAMPLES))
    epochs = shown / frames
    warnings: list[str] = []
    if epochs > MOST_EPOCHS and shown > enough + frames:
        better = max(1, round(KINDS["smolvla"].epochs * frames / samples))
        warnings.append(
            f"{epochs:.2f} epochs are many. With 241 episodes of one SO-101 task, SmolVLA did better after "
            f"6.35 epochs than after 15.87, in 3.5 hours instead of 9; LeRobot's hardware guide gives 5 to 10. "
            f"6.35 epochs are --steps {better} here. The held-out curve will show whether more are too many."
        )
    if shown < fewest:
        warnings.append(
            f"{steps} steps of {samples} are few for {kind.name} from scratch, which wants {enough} samples: "
            f"{TOO_BRIEF[kind.name]}. Give --epochs {math.ceil(enough / frames)}."
        )
    return warnings
