"""Rollouts with the object where training had it, held against those with the object elsewhere."""

from regrasp.diagnosis.experiment import Setting, experiment
from regrasp.diagnosis.places import placed
from regrasp.diagnosis.probe import ProbeResult
from regrasp.diagnosis.reference import InputDistance
from regrasp.stats.resampling import interval_of_difference, interval_of_median

HEALTHY_FAILURES = 0.1
"""Share of rollouts in which a well-trained policy of the simulated arm fails."""

FEWEST_INSIDE = 2
"""One rollout is an accident."""


@experiment(cause="uncovered-positions")
def object_place(setting: Setting) -> ProbeResult | None:
    """Nobody chose the places by how the rollouts would end, so that the place is what was put right."""
    training = setting.training
    found = placed(training.dataset, training.learned, setting.rollouts)
    inside, outside = found.inside_rate, found.outside_rate
    if inside.n < FEWEST_INSIDE or not outside.n:
        return None
    failed = (~found.success[found.outside]).astype(float)
    share = InputDistance(
        "the share of rollouts that fail",
        before=1 - outside.value,
        after=1 - inside.value,
        healthy=HEALTHY_FAILURES,
        limit=HEALTHY_FAILURES,
        interval=interval_of_median(failed),
    )
    gained = inside.value - outside.value
    return ProbeResult(
        probe="object-place",
        cause="uncovered-positions",
        intervention="the object where the training had it",
        distances=(share,),
        moved=gained,
        moved95=interval_of_difference(found.success[~found.outside], found.success[found.outside]),
        episodes=inside.n + outside.n,
        command=None,
        moving="success rises by {:.2f}",
    )
