"""The twin as a Gymnasium environment."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from regrasp.sim.environment import TwinConfig
from regrasp.sim.expert import Expert
from regrasp.sim.gym_env import TwinEnv


@pytest.fixture
def env():
    env = TwinEnv(TwinConfig(width=32, height=32))
    yield env
    env.close()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasium_finds_nothing_wrong_with_it(env):
    check_env(env)


def test_it_says_what_lerobot_asks(env):
    assert (env.task, env.task_description, env._max_episode_steps) == ("grab-brain", "Grab the brain", 300)
    observation, info = env.reset(seed=3)
    assert set(observation) == {"pixels", "agent_pos"}
    assert set(observation["pixels"]) == {"front", "wrist"}
    assert info == {"is_success": False, "seed": 3}


def test_the_expert_earns_one_and_ends_the_episode(env):
    env.reset(seed=0)
    expert = Expert(env.twin, np.random.default_rng(0))
    total, ended, info = 0.0, False, {}
    while not (ended or expert.done):
        _, reward, ended, cut, info = env.step(expert.act().astype(np.float32))
        total += reward
        assert not cut
    assert ended
    assert info == {"is_success": True}
    assert 0.9 < total <= 1.0


def test_an_attempt_is_cut_when_its_time_is_up():
    env = TwinEnv(TwinConfig(width=16, height=16))
    env._max_episode_steps = 3
    env.reset(seed=0)
    cuts = [env.step(env.twin.joints().astype(np.float32))[3] for _ in range(3)]
    assert cuts == [False, False, True]
    env.close()
