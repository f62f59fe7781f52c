"""Success rates with their intervals, and comparisons that say when they cannot tell."""

from regrasp.stats.comparison import (
    Comparison,
    chance_better,
    compare_outcomes,
    compare_paired,
    compare_rates,
    more_trials,
)
from regrasp.stats.intervals import clopper_pearson, newcombe_difference, newcombe_paired, wilson_interval
from regrasp.stats.rate import Rate
from regrasp.stats.sequential import Sequential, sequential_pairs

__all__ = [
    "Rate",
    "wilson_interval",
    "clopper_pearson",
    "newcombe_difference",
    "newcombe_paired",
    "Comparison",
    "compare_rates",
    "compare_paired",
    "compare_outcomes",
    "chance_better",
    "more_trials",
    "Sequential",
    "sequential_pairs",
]
