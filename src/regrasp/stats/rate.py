"""A success rate that cannot be shown without its counts and its interval."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb

from regrasp.stats.intervals import require_counts, wilson_interval


@dataclass(frozen=True)
class Rate:
    """k successes in n trials. It prints as k/n with its 95 % Wilson interval, never as a percentage alone.

    Example:
        >>> print(Rate(17, 20))
        17/20 (64-95 %)
        >>> print(Rate(0, 0))
        0/0 (no trials)
    """

    k: int
    n: int

    def __post_init__(self) -> None:
        require_counts(self.k, self.n)

    @classmethod
    def of(cls, outcomes: Iterable[bool | None]) -> "Rate":
        """Count outcomes; those not yet scored (None) are left out.

        Example:
            >>> Rate.of([True, None, False])
            Rate(k=1, n=2)
        """
        scored = [outcome for outcome in outcomes if outcome is not None]
        return cls(sum(scored), len(scored))

    @property
    def value(self) -> float:
        """The share of successes; nan without trials."""
        return self.k / self.n if self.n else float("nan")

    @property
    def wilson95(self) -> tuple[float, float]:
        """The 95 % score interval."""
        return wilson_interval(self.k, self.n)

    def chance_if(self, rate: float) -> float:
        """Probability of so few successes or fewer where each trial succeeds with probability `rate`; 1 without trials.

        Example:
            >>> f"{Rate(9, 10).chance_if(0.95):.2f} {Rate(8, 10).chance_if(0.95):.2f}"
            '0.40 0.09'
        """
        if self.n == 0:
            return 1.0
        return sum(comb(self.n, k) * rate**k * (1 - rate) ** (self.n - k) for k in range(self.k + 1))

    def __str__(self) -> str:
        if self.n == 0:
            return "0/0 (no trials)"
        low, high = self.wilson95
        return f"{self.k}/{self.n} ({100 * low:.0f}-{100 * high:.0f} %)"

    def to_json(self) -> dict[str, object]:
        """The rate as every verb prints it."""
        return {"k": self.k, "n": self.n, "wilson95": [round(limit, 4) for limit in self.wilson95]}
