"""A later checkpoint of the same run is asked instead."""

import shlex

from regrasp.diagnosis.experiment import Setting, another_policy, experiment
from regrasp.diagnosis.probe import ProbeResult
from regrasp.diagnosis.trained import learned_limit


@experiment(cause="too-few-epochs")
def later_checkpoint(setting: Setting) -> ProbeResult | None:
    """The last one; judged by its answers about what both were trained on, and by its plans."""
    training = setting.training
    later = training.siblings_after
    if not later or training.load is None or training.policy is None:
        return None
    last = later[-1]
    other = training.load(last.path)
    limit = learned_limit(training.answers)
    return another_policy(
        setting,
        other,
        probe="later-checkpoint",
        cause="too-few-epochs",
        intervention=f"step {last.step} of the same run instead of {training.step}",
        command=f"regrasp rollout {shlex.quote(str(last.path))} --station STATION",
        what="the error of its answers about training frames",
        errors=(training.answers, training.on_learned.put_to(other)),
        healthy=limit,
        limit=limit,
    )
