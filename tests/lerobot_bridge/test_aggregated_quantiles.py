"""What `averaged-quantiles` says of LeRobot: fails when a release pools quantiles, and the check can go."""

import numpy as np
import pytest
from lerobot.datasets.compute_stats import aggregate_stats, get_feature_stats

from regrasp.data.statistics import pooled_statistics

HERE = np.random.default_rng(0).normal(0, 1, (100, 1))
THERE = np.random.default_rng(1).normal(100, 1, (300, 1))


@pytest.fixture(scope="module")
def aggregated():
    """LeRobot's statistics of two episodes, in which a joint stands at 0 and at 100."""
    each = [{"action": get_feature_stats(values, axis=0, keepdims=False)} for values in (HERE, THERE)]
    return aggregate_stats(each)["action"]


@pytest.mark.parametrize(("name", "pooled"), [("q01", 0), ("q10", 0), ("q50", 100)])
def test_lerobot_averages_the_quantiles_of_episodes_and_does_not_pool_them(aggregated, name, pooled):
    whole = pooled_statistics(np.concatenate([HERE, THERE]))
    assert whole[name][0] == pytest.approx(pooled, abs=4)
    assert aggregated[name][0] == pytest.approx((100 * 0 + 300 * 100) / 400, abs=4)


@pytest.mark.parametrize("name", ["min", "max", "mean", "std"])
def test_its_other_statistics_are_those_of_all_frames(aggregated, name):
    whole = pooled_statistics(np.concatenate([HERE, THERE]))
    assert aggregated[name][0] == pytest.approx(whole[name][0], rel=1e-6)
