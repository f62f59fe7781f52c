"""The learning rate over a training: LeRobot's presets, and what becomes of them with other steps or more processes."""

import math
from dataclasses import dataclass

from regrasp.training.policies import Kind
from regrasp.training.reasons import Reason


@dataclass(frozen=True)
class LearningRate:
    """Its peak, the steps up to it and down from it, and options of `lerobot-train` where its preset says otherwise.

    None is what is not known, or where there is no such thing.
    """

    peak: float | None = None
    warmup: int | None = None
    decay: int | None = None
    reasons: tuple[Reason, ...] = ()
    options: tuple[str, ...] = ()


def choose_learning_rate(kind: Kind, steps: int, processes: int) -> LearningRate:
    """As LeRobot's preset will have it with so many steps, scaled for processes that make the batch larger."""
    peak = kind.rate and float(f"{kind.rate * math.sqrt(processes):.3g}")
    if kind.schedule is None:
        unscaled = f", and not scaled for {processes} processes" if processes > 1 else ""
        why = f"LeRobot's preset of {kind.name}; not known here{unscaled}"
        return LearningRate(peak, None, None, (Reason("learning rate", None, why),))
    if kind.schedule == "constant":
        rate, options = _peak(kind, peak, processes, "constant, no warm-up")
        return LearningRate(peak, None, None, (rate,), options)
    if kind.schedule == "cosine to zero":
        course = "a cosine down to 0"
        if kind.name == "vqbet":
            course += ", begun after its code book and so cut off before 0 by as many steps"
        rate, options = _peak(kind, peak, processes, course)
        warmup = Reason("warm-up", kind.warmup, kind.source, "steps")
        return LearningRate(peak, kind.warmup, steps, (rate, warmup), options)
    return _fixed_cosine(kind, peak, steps, processes, kind.decay or steps)


def _peak(kind: Kind, peak: float | None, processes: int, course: str) -> tuple[Reason, tuple[str, ...]]:
    """The preset's rate, or what it becomes when several processes make the batch larger."""
    why, options = f"{kind.source} of {kind.name}: {course}", ()
    if processes > 1:
        options = tuple(f"{name}={peak:g}" for name in kind.rate_options)
        why = (
            f"{kind.rate:g} of {kind.source} x {math.sqrt(processes):.2f}, the root of {processes}: with so much "
            f"larger a batch an adaptive optimizer then takes as noisy a way (arXiv 2205.10287); {course}"
        )
    return Reason("learning rate", peak, why), options


def _fixed_cosine(kind: Kind, peak: float | None, steps: int, processes: int, length: int) -> LearningRate:
    """The cosine that ends after `length` steps unless the training is shorter."""
    ratio = round((peak or 0.0) / kind.floor) if kind.floor else 0
    rate, options = _peak(kind, peak, processes, f"a cosine down to 1/{ratio} of it")
    if steps < length:
        warmup = int(kind.warmup * steps / length)
        shrunk = (
            Reason("warm-up", warmup, f"LeRobot shrinks {kind.warmup} of {length} steps to fit", "steps"),
            Reason("decay", steps, f"LeRobot shrinks its {length} steps to the length of the run", "steps"),
        )
        return LearningRate(peak, warmup, steps, (rate, *shrunk), options)
    before = (rate, Reason("warm-up", kind.warmup, kind.source, "steps"))
    if steps == length:
        decay = Reason("decay", length, f"{kind.source}, as long as the run", "steps")
        return LearningRate(peak, kind.warmup, steps, (*before, decay), options)
    idle = 100 * (1 - length / steps)
    decay = Reason(
        "decay",
        steps,
        f"stretched to the run: {kind.source} reaches 1/{ratio} of the peak after {length} steps and would spend the "
        f"last {idle:.0f} % of the run there",
        "steps",
    )
    stretched = (*options, f"--policy.scheduler_decay_steps={steps}")
    return LearningRate(peak, kind.warmup, steps, (*before, decay), stretched)
