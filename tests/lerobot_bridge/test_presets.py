"""The plan knows LeRobot's presets without importing LeRobot."""

import ast
import inspect
import textwrap

import pytest
import torch
from lerobot.configs.policies import PreTrainedConfig
from lerobot.optim.schedulers import CosineDecayWithWarmupSchedulerConfig
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.import_utils import register_third_party_plugins
from sound_dataset import sound_dataset

from regrasp.training.plan import plan
from regrasp.training.policies import BASES, KINDS


@pytest.fixture(scope="module")
def presets():
    register_third_party_plugins()
    return {name: PreTrainedConfig.get_choice_class(name)(device="cpu") for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_rate_and_chunks_are_lerobot_s(presets, name):
    config, kind = presets[name], KINDS[name]
    assert config.get_optimizer_preset().lr == kind.rate
    if kind.rate is not None:
        assert {getattr(config, name.removeprefix("--policy.")) for name in kind.rate_options} == {kind.rate}
    assert getattr(config, "chunk_size", None) == kind.chunk
    if kind.chunk:
        assert config.n_action_steps == kind.execute


@pytest.mark.parametrize("name", KINDS)
def test_the_schedule_is_lerobot_s(presets, name):
    schedule, kind = presets[name].get_scheduler_preset(), KINDS[name]
    if kind.schedule == "constant":
        assert schedule is None
        return
    assert schedule.num_warmup_steps == kind.warmup
    fixed = isinstance(schedule, CosineDecayWithWarmupSchedulerConfig)
    assert fixed == (kind.schedule == "cosine to its floor")
    if fixed:
        assert (schedule.num_decay_steps, schedule.decay_lr) == (kind.decay, kind.floor)


def test_checkpoints_to_fine_tune_are_those_of_lerobot_s_model_cards():
    """A card is not made without the Hub, so its source is read."""
    source = textwrap.dedent(inspect.getsource(PreTrainedPolicy.generate_model_card))
    (known,) = (
        ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "base_model_mapping"
    )
    assert known == BASES


@pytest.mark.parametrize("steps", [3000, 30_000, 50_000])
def test_the_rate_ends_at_its_floor_with_the_last_step_of_the_plan(steps):
    """As LeRobot's own schedule computes it from the options that the plan gives."""
    planned = plan(sound_dataset(0, 3, cameras=False), policy="smolvla", steps=steps)
    given = dict(option.split("=") for option in planned.options)
    kind = KINDS["smolvla"]
    decay = int(given.get("--policy.scheduler_decay_steps", kind.decay))
    schedule = CosineDecayWithWarmupSchedulerConfig(kind.warmup, decay, kind.rate, kind.floor)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=kind.rate)
    rate = schedule.build(optimizer, steps).lr_lambdas[0]
    assert rate(steps) == pytest.approx(kind.floor / kind.rate)
    assert rate(int(0.9 * steps)) > 1.5 * kind.floor / kind.rate
    assert rate(planned.warmup) == pytest.approx(
        max(rate(step) for step in range(0, steps, steps // 100)), rel=0.01
    )
