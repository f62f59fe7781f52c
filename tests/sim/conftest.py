"""Twins that are costly to build, built once."""

import numpy as np
import pytest

from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.expert import Expert


@pytest.fixture(scope="session")
def twin():
    """A twin in the 2 inch area; each test resets it."""
    with Twin(TwinConfig()) as twin:
        yield twin


@pytest.fixture(scope="session")
def demonstrate():
    """Run the expert for one episode on a twin; its actions and states, shape [T, 6] each."""

    def run(twin, seed, **style):
        twin.reset(seed)
        expert = Expert(twin, np.random.default_rng(seed), **style)
        actions, states = [], []
        while not expert.done and twin.tick < twin.max_frames:
            states.append(twin.joints())
            actions.append(expert.act())
            twin.step(actions[-1])
        return np.array(actions), np.array(states)

    return run
