"""The twin as the environment of `lerobot-eval`."""

from collections.abc import Iterator

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from lerobot.envs.factory import make_env, make_env_config, make_env_pre_post_processors
from lerobot.envs.utils import env_to_policy_features, preprocess_observation

from lerobot_robot_so101_twin.eval_env import EvalEnv
from regrasp.arm.so101 import HOME
from regrasp.sim.environment import TwinConfig
from regrasp.sim.expert import Expert


@pytest.fixture
def env() -> Iterator[EvalEnv]:
    env = EvalEnv(TwinConfig(), episode_length=None)
    yield env
    env.close()


@pytest.mark.filterwarnings("ignore:.*For Box action spaces:UserWarning")
def test_it_keeps_gymnasiums_rules(env: EvalEnv):
    check_env(env, skip_render_check=True)


def test_same_seed_gives_the_same_start(env: EvalEnv):
    starts = [env.reset(seed=seed)[0]["observation.state"] for seed in (3, 4, 3)]
    np.testing.assert_array_equal(starts[0], starts[2])
    assert not np.array_equal(starts[0], starts[1])


def test_start_without_a_seed_is_another_each_time(env: EvalEnv):
    first, second = (env.reset()[0]["observation.state"] for _ in range(2))
    assert not np.array_equal(first, second)


def test_it_gives_the_instruction_of_its_task(env: EvalEnv):
    assert (env.task, env.task_description) == ("grab-brain", "Grab the brain")


def test_success_ends_the_episode_and_is_said(env: EvalEnv):
    env.reset(seed=0)
    expert = Expert(env.twin, np.random.default_rng(0))
    rewards, ended = [], False
    while not ended and not expert.done:
        _, reward, ended, cut_off, info = env.step(expert.act())
        rewards.append(reward)
        assert not cut_off
    assert ended
    assert info["is_success"] is True
    assert sum(rewards) == pytest.approx(1.0)


def test_episode_without_success_is_cut_off_at_its_length():
    env = EvalEnv(TwinConfig(), episode_length=3)
    env.reset(seed=0)
    ends = [env.step(HOME)[2:] for _ in range(3)]
    env.close()
    assert [cut_off for _, cut_off, _ in ends] == [False, False, True]
    assert not any(ended or info["is_success"] for ended, _, info in ends)


def test_features_and_observations_meet_in_lerobots_names():
    config = make_env_config("so101_twin", width=64, height=64)
    envs = make_env(config, n_envs=2)["so101_twin"][0]
    before, _ = make_env_pre_post_processors(config, policy_cfg=None)
    observation, _ = envs.reset(seed=[1, 2])
    seen = before(preprocess_observation(observation) | {"task": list(envs.call("task_description"))})
    envs.close()
    inputs = {key: feature for key, feature in env_to_policy_features(config).items() if key != "action"}
    assert {key: tuple(seen[key].shape[1:]) for key in inputs} == {
        "observation.state": (6,),
        "observation.images.front": (3, 64, 64),
        "observation.images.wrist": (3, 64, 64),
    }
    assert seen["task"] == ["Grab the brain"] * 2
