"""Rollouts that fail where the object lies farther out than in any demonstration."""

from dataclasses import replace

from regrasp.data.rollouts import Rollouts


def uncovered_positions(
    rollouts: Rollouts, *, centre: tuple[float, float] = (0.23, 0.0), out_m: float = 0.06, every: int = 2
) -> Rollouts:
    """The same, with the object of every second rollout moved `out_m` away from `centre`, where it fails."""
    outcomes = tuple(
        replace(
            one,
            success=False,
            progress=0.2,
            initial={
                **one.initial,
                "object_x_m": centre[0] + out_m,
                "object_y_m": centre[1] + out_m * (-1) ** place,
            },
        )
        if place % every == 0
        else one
        for place, one in enumerate(rollouts.outcomes)
    )
    return replace(rollouts, outcomes=outcomes)
