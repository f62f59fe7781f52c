"""Whether a training still learned, had levelled out, or learned by heart: read from its held-out curve."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regrasp.data.journal import Evaluation, Journal

Kind = Literal["learning", "levelled", "memorising", "overfitting", "undecided"]

FEWEST_EPISODES, FEWEST_EVALUATIONS = 3, 3

RISE = 0.05
"""Held-out error that has risen by less than this share of its least is not worth a warning, however sure."""

SLOWED = 0.2
"""Share of the peak learning rate below which a curve that flattens says little. LeRobot's schedules end at 0 to 0.1."""

UNHARMED = (
    "Held-out error has not risen, so no harm is shown: on the simulated arm a policy of 30 demonstrations was called so "
    "after 50 epochs and succeeded far more often than after 6 or 16 (docs/results.md)."
)

_T975 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
"""97.5 % quantile of Student's t for 1 to 15 degrees of freedom; that of 15 is taken beyond."""

WEAK = (
    "Held-out error is weak evidence of success: on robomimic the checkpoint with the least validation loss did 50 to "
    "100 % worse than the best one. Roll out several checkpoints before choosing."
)


@dataclass(frozen=True)
class Verdict:
    """What the curves say.

    Attributes:
        kind: One word; "undecided" where too little was measured.
        headline: The same in a sentence.
        lines: What speaks for it, with numbers and intervals.
        best_step: The step of least held-out error; None when undecided.
        ratio: How many times farther off held-out frames are answered than trained ones, with its 95 % interval.
    """

    kind: Kind
    headline: str
    lines: tuple[str, ...] = ()
    best_step: int | None = None
    ratio: tuple[float, float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "verdict": self.kind,
            "headline": self.headline,
            "lines": list(self.lines),
            "best_step": self.best_step,
            "memorisation": self.ratio and {"ratio": self.ratio[0], "ratio95": list(self.ratio[1:])},
        }


def judge(journal: Journal) -> Verdict:
    """The verdict on one training.

    Errors are compared episode by episode, and the interval is over episodes: frames of one episode are alike.
    """
    found = answered(journal.evaluations)
    if not journal.held_out:
        return Verdict(
            "undecided", "No episode was held out, so it is not known whether the policy learned by heart."
        )
    lost = [one.step for one in journal.evaluations if one not in found]
    if lost:
        return Verdict(
            "undecided",
            f"The training diverged: from step {lost[0]} on its answers are no numbers. Take an earlier checkpoint, or "
            "train with a smaller learning rate.",
        )
    episodes = common_episodes([one.held_out.episodes for one in found])
    if len(found) < FEWEST_EVALUATIONS or len(episodes) < FEWEST_EPISODES:
        return Verdict(
            "undecided",
            f"{len(found)} evaluations of {len(episodes)} held-out episodes are too few to tell; "
            f"{FEWEST_EVALUATIONS} and {FEWEST_EPISODES} would do.",
        )
    held = np.array([[one.held_out.episodes[e] for e in episodes] for one in found])
    return _judge_curve(found, held, _slowed_lines(journal))


def answered(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Those whose answers are numbers: a training that diverges answers with NaN."""
    return [
        one
        for one in evaluations
        if all(map(math.isfinite, (one.held_out.action_error, *one.held_out.episodes.values())))
    ]


def _slowed_lines(journal: Journal) -> list[str]:
    """That the learning rate had come down before the end, where it had: any curve is flat then."""
    rates = [row["lr"] for row in journal.steps if math.isfinite(row.get("lr", math.nan))]
    if not rates or rates[-1] > SLOWED * max(rates):
        return []
    return [
        f"The learning rate had come down to {100 * rates[-1] / max(rates):.0f} % of its peak, where every curve "
        "flattens: this does not say that a longer training would not do better."
    ]


def _judge_curve(found: list[Evaluation], held: NDArray[np.float64], slowed: list[str]) -> Verdict:
    """From held-out errors [evaluations, episodes]."""
    means = held.mean(axis=1)
    best, last, middle = int(np.argmin(means)), len(found) - 1, (2 * len(found) - 1) // 3
    rise = mean95(held[last] - held[best])
    fall = mean95(held[middle] - held[last])
    ratio = _ratio(found[last])
    lines = [_best_line(found, means), *_ratio_lines(ratio), *_shifted_lines(found[-1])]
    step = found[best].step
    if rise[1] > 0 and rise[0] > RISE * means[best]:
        share = f"{100 * rise[0] / means[best]:.0f} % ({_percent(rise, means[best])})"
        return Verdict(
            "overfitting",
            f"Overfitting: held-out error has risen by {share} since epoch {found[best].epoch:.1f}. Fewer epochs would "
            "do.",
            (*lines, WEAK),
            step,
            ratio,
        )
    if fall[1] > 0:
        share = f"{100 * fall[0] / means[middle]:.0f} % ({_percent(fall, means[middle])})"
        return Verdict(
            "learning",
            f"Still learning: held-out error fell by {share} since epoch {found[middle].epoch:.1f}. More epochs may "
            "help.",
            (*lines, WEAK),
            step,
            ratio,
        )
    if ratio is not None and ratio[1] > 1 and _still_falling(found, middle):
        return Verdict(
            "memorising",
            "Learning by heart: since epoch "
            f"{found[middle].epoch:.1f} only the frames that were trained on are answered better.",
            (*lines, UNHARMED, *slowed, WEAK),
            step,
            ratio,
        )
    return Verdict(
        "levelled",
        f"Levelled out: held-out error has neither fallen nor risen for sure since epoch {found[middle].epoch:.1f}.",
        (*lines, *slowed, WEAK),
        step,
        ratio,
    )


def _best_line(found: list[Evaluation], means: NDArray[np.float64]) -> str:
    best = int(np.argmin(means))
    return (
        f"Least held-out error {means[best]:.3g} at step {found[best].step} (epoch {found[best].epoch:.1f}); "
        f"{means[-1]:.3g} at the end."
    )


def _ratio_lines(ratio: tuple[float, float, float] | None) -> list[str]:
    if ratio is None:
        return []
    return [
        f"Held-out frames are answered {ratio[0]:.2f} times as far off as frames that were trained on "
        f"({ratio[1]:.2f} to {ratio[2]:.2f})."
    ]


def _shifted_lines(one: Evaluation) -> list[str]:
    """How much is lost where a trained picture is moved a little; by heart is what is lost at once."""
    if one.training is None or one.shifted is None:
        return []
    episodes = common_episodes([one.training.episodes, one.shifted.episodes])
    if len(episodes) < FEWEST_EPISODES:
        return []
    logs = [
        np.log(np.maximum([answers.episodes[e] for e in episodes], 1e-12))
        for answers in (one.shifted, one.training)
    ]
    ratio, low, high = np.exp(mean95(logs[0] - logs[1]))
    return [
        f"Moved by a fiftieth of their width, the pictures of trained frames are answered {ratio:.2f} times as far off "
        f"({low:.2f} to {high:.2f})."
    ]


def _still_falling(found: list[Evaluation], middle: int) -> bool:
    """Whether the error on frames that were trained on fell for sure since `middle`."""
    before, after = found[middle].training, found[-1].training
    if before is None or after is None:
        return False
    episodes = common_episodes([before.episodes, after.episodes])
    if len(episodes) < FEWEST_EPISODES:
        return False
    fallen = np.array([before.episodes[e] - after.episodes[e] for e in episodes])
    return mean95(fallen)[1] > 0


def _ratio(one: Evaluation) -> tuple[float, float, float] | None:
    """Held-out over training error of a usual episode, with its interval: Welch's, on logarithms."""
    if one.training is None:
        return None
    groups = [
        np.log(np.maximum(list(answers.episodes.values()), 1e-12)) for answers in (one.held_out, one.training)
    ]
    if min(map(len, groups)) < FEWEST_EPISODES:
        return None
    difference = groups[0].mean() - groups[1].mean()
    margin = _t(min(map(len, groups)) - 1) * math.sqrt(
        sum(group.var(ddof=1) / len(group) for group in groups)
    )
    low, high = difference - margin, difference + margin
    return float(np.exp(difference)), float(np.exp(low)), float(np.exp(high))


def mean95(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of values per episode, with its 95 % interval (Student's t)."""
    mean = float(values.mean())
    margin = _t(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return mean, mean - margin, mean + margin


def _t(freedom: int) -> float:
    return _T975[freedom - 1] if freedom <= len(_T975) else 2.13


def _percent(interval: tuple[float, float, float], whole: float) -> str:
    return f"{100 * interval[1] / whole:.0f} to {100 * interval[2] / whole:.0f}"


def common_episodes(episodes: list[Mapping[int, float]] | list[dict[int, float]]) -> list[int]:
    """Episodes that were asked about each time."""
    return sorted(set.intersection(*(set(one) for one in episodes))) if episodes else []
