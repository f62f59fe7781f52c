"""The closing commands that the policy wanted are let through to the gripper.

Nothing is asked of the policy: what it wanted in each tick is known, and so is what was sent on. Where it wanted to close
as far as the training, and what was sent leaves the jaws clearly wider than the training's stood around the object,
letting the command through is what undoes it. Where the command falls short by less, the object may be held or not; where
the policy wanted less itself, there is nothing to let through.
"""

from collections.abc import Iterator

import numpy as np

from regrasp.diagnosis.closing_signals import closings_of, trained_closing
from regrasp.diagnosis.probe import Case, Measurement, probe
from regrasp.diagnosis.reference import InputDistance
from regrasp.stats.resampling import interval_of_median


@probe(cause="weak-grasp")
def grip_command(case: Case) -> Iterator[Measurement]:
    """Rollouts whose closing commands were cut off."""
    trained = None if case.shown is None else trained_closing(case.shown)
    if case.rollouts is None or trained is None:
        return
    cut = [
        one
        for one in closings_of(case.rollouts, trained)
        if one.wanted <= trained.limit and one.sent > trained.harmful
    ]
    if not cut:
        return
    sent, wanted = (np.array([getattr(one, name) for one in cut]) for name in ("sent", "wanted"))
    yield Measurement(
        name="closing commands let through to the gripper",
        distances=(
            InputDistance(
                "the gripper's closing command",
                float(np.median(sent)),
                float(np.median(wanted)),
                trained.level,
                trained.harmful,
                interval_of_median(sent),
            ),
        ),
        moved=(sent - wanted) / case.contract.joints[trained.place].state_std,
        moving="the gripper is told to close further by {:.2f} of its spread in training",
        command=None,
    )
