"""The policy is asked again with the statistics in its normaliser that it was trained with."""

from regrasp.data.normaliser import rightful_statistics, with_statistics
from regrasp.diagnosis.experiment import Setting, another_policy, experiment
from regrasp.diagnosis.probe import ProbeResult
from regrasp.diagnosis.trained import learned_limit


@experiment(cause="normalisation-mismatch")
def statistics(setting: Setting) -> ProbeResult | None:
    """By the policy's own processors; judged by its answers about what it was trained on, and by its plans."""
    training = setting.training
    checkpoint = training.checkpoint
    if checkpoint is None or training.policy is None or training.load is None or not checkpoint.normalizer:
        return None
    rightful = rightful_statistics(checkpoint, checkpoint.contract, training.dataset)
    held = with_statistics(checkpoint.normalizer, rightful.statistics)
    restored = training.load(checkpoint.path, statistics=held)
    answers = training.on_learned.put_to(restored)
    source = "the contract" if rightful.source == "contract" else "the training data"
    return another_policy(
        setting,
        restored,
        probe="statistics",
        cause="normalisation-mismatch",
        intervention=f"normalised with the statistics of {source}",
        command=None,
        what="the error of its answers about training frames",
        errors=(training.answers, answers),
        healthy=learned_limit(training.answers),
        limit=learned_limit(training.answers),
    )
