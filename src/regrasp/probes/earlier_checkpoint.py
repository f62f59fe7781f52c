"""An earlier checkpoint of the same run is asked instead."""

import shlex

from regrasp.diagnosis.experiment import Setting, another_policy, experiment
from regrasp.diagnosis.probe import ProbeResult
from regrasp.diagnosis.rehearsal import Answers
from regrasp.diagnosis.trained import Sibling

MOST_TRIED = 4
"""Earlier checkpoints that are asked, evenly spread: each is loaded."""

SOUND_SHARE = 0.6
"""Of the look-up's error about held-out frames: a policy of the simulated arm that succeeds is at 0.5."""


@experiment(cause="too-many-epochs")
def earlier_checkpoint(setting: Setting) -> ProbeResult | None:
    """The one that answers held-out frames best; judged by these answers, and by its plans."""
    training = setting.training
    unseen, asked = training.unseen_answers, training.on_held_out
    earlier = spread_over(training.siblings_before)
    if unseen is None or asked is None or training.load is None or not earlier:
        return None
    tried: list[tuple[Sibling, Answers]] = []
    for one in earlier:
        tried.append((one, asked.put_to(training.load(one.path))))
    best, answers = min(tried, key=lambda pair: pair[1].error)
    limit = SOUND_SHARE * unseen.lookup_error
    return another_policy(
        setting,
        training.load(best.path),
        probe="earlier-checkpoint",
        cause="too-many-epochs",
        intervention=f"step {best.step} of the same run instead of {training.step}",
        command=f"regrasp rollout {shlex.quote(str(best.path))} --station STATION",
        what="the error of its answers about frames held out",
        errors=(unseen, answers),
        healthy=limit,
        limit=limit,
    )


def spread_over(siblings: tuple[Sibling, ...]) -> list[Sibling]:
    """Up to `MOST_TRIED` of them."""
    last = len(siblings) - 1
    return [
        siblings[place]
        for place in sorted(
            {round(last * i / (MOST_TRIED - 1)) for i in range(MOST_TRIED)} if last >= 0 else ()
        )
    ]
