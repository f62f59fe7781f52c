"""Chunks of a SmolVLA grow out of each other by LeRobot's real-time chunking; cameras go by the names of the station."""

from dataclasses import dataclass
from itertools import pairwise

import draccus
import numpy as np
import pytest
import torch
from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.policies import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from tiny_smolvla import make_tiny_smolvla

from regrasp.arm.so101 import JOINTS
from regrasp.control.seams import Ahead, Horizon
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import read_dataset
from regrasp.data.rollouts import read_rollouts
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.policies import LoadedPolicy
from regrasp.lerobot_bridge.real_time_chunking import RealTimeChunks
from regrasp.lerobot_bridge.rollout import rollout

RENAMED = {
    "observation.images.front": "observation.images.camera1",
    "observation.images.wrist": "observation.images.camera2",
}


@dataclass
class Options:
    policy: PreTrainedConfig


@pytest.fixture(scope="module")
def smolvla(tmp_path_factory):
    """A random SmolVLA with three cameras, of which the station's two are given to the first two."""
    folder = tmp_path_factory.mktemp("smolvla")
    config = draccus.parse(Options, args=make_tiny_smolvla(folder / "vlm")).policy
    cameras = [*RENAMED.values(), "observation.images.camera3"]
    config.input_features = {
        "observation.state": PolicyFeature(FeatureType.STATE, (6,)),
        **dict.fromkeys(cameras, PolicyFeature(FeatureType.VISUAL, (3, 96, 96))),
    }
    config.output_features = {"action": PolicyFeature(FeatureType.ACTION, (6,))}
    torch.manual_seed(0)
    spread = {"mean": torch.zeros(6), "std": torch.full((6,), 10.0)}
    before, after = make_pre_post_processors(
        config, dataset_stats={"observation.state": spread, "action": spread}
    )
    before.steps[0].rename_map = RENAMED
    SmolVLAPolicy(config).save_pretrained(folder / "model")
    before.save_pretrained(folder / "model")
    after.save_pretrained(folder / "model")
    return folder / "model"


def seen(number=0):
    rng = np.random.default_rng(number)
    pictures = {name: rng.integers(0, 255, (96, 96, 3), dtype=np.uint8) for name in ("front", "wrist")}
    return {f"{joint}.pos": float(rng.normal(0, 5)) for joint in JOINTS} | pictures


def seams(policy, ticks=40):
    """What was planned for the first tick of each chunk against what the chunk does, [n, 6]."""
    policy.reset()
    made = [policy.decide(seen(tick)) for tick in range(ticks)]
    pairs = [(old.plan[1], new.action) for old, new in pairwise(made) if old.chunk != new.chunk]
    return np.array([new - old for old, new in pairs])


def test_chunks_agree_where_they_meet(smolvla):
    led, alone = RealTimeChunks(smolvla), LoadedPolicy(smolvla, n_action_steps=5)
    assert led.n_action_steps == 5
    with_it, without = np.abs(seams(led)), np.abs(seams(alone))
    assert len(with_it) == len(without) == 7
    assert with_it.mean() < 0.5 * without.mean()


@pytest.mark.parametrize(("execute", "delay"), [(5, 0), (5, 3), (6, 4)])
def test_a_chunk_is_led_by_what_will_still_be_sent(smolvla, monkeypatch, execute, delay):
    policy = RealTimeChunks(smolvla)
    policy.use(Horizon(10, execute, delay))
    asked, predict = [], policy._policy.predict_action_chunk

    def noted(batch, **options):
        asked.append(options)
        return predict(batch, **options)

    monkeypatch.setattr(policy._policy, "predict_action_chunk", noted)
    driven = Ahead(policy, execute=execute, delay=delay, background=False) if delay else policy
    driven.reset()
    plans = []
    for tick in range(4 * execute):
        questions = len(asked)
        decision = driven.decide(seen(tick))
        if len(asked) > questions and tick:
            left = asked[-1]["prev_chunk_left_over"]
            assert asked[-1]["inference_delay"] == delay
            due = plans[-1][1:] if not delay else decision.plan
            np.testing.assert_allclose(10.0 * left.numpy(), due, atol=1e-4)
        plans.append(decision.plan)
    assert len(asked) >= 4
    assert asked[0]["prev_chunk_left_over"] is None


def test_a_new_episode_is_led_by_nothing(smolvla):
    policy = RealTimeChunks(smolvla)
    first = policy.decide(seen()).plan
    for tick in range(8):
        policy.decide(seen(tick))
    policy.reset()
    np.testing.assert_array_equal(policy.decide(seen()).plan, first)


def test_it_rolls_out_and_says_so(smolvla, station, tmp_path):
    rolled = rollout(
        smolvla, station, task="Grab the brain", episodes=1, out=tmp_path / "out", seconds=0.4, rtc=True
    )
    control = read_rollouts(rolled.out).deployment.control
    assert (control["rtc"], control["horizon"]) == ("on", "10/5/0")


def test_a_policy_that_cannot_is_refused(trained, station, tmp_path):
    with pytest.raises(UsageError) as raised:
        rollout(
            trained.checkpoint, station, task="Grab the brain", episodes=1, out=tmp_path / "out", rtc=True
        )
    assert str(raised.value) == (
        "--rtc is for policies that LeRobot can lead from chunk to chunk (smolvla, pi0, pi05); "
        f"{read_checkpoint(trained.checkpoint).path} is of type keypoint. Leave --rtc out: the hand-over takes the jump "
        "out of its seams."
    )
    assert list(tmp_path.iterdir()) == [], "what was refused must not stand in the way of the next command"


def test_cameras_go_by_the_names_that_they_were_recorded_under(smolvla, demonstrations):
    found = read_checkpoint(smolvla)
    assert found.camera_keys == tuple(RENAMED) == LoadedPolicy(smolvla).camera_keys
    known = measure_contract(read_dataset(demonstrations), found)
    assert [(camera.name, camera.policy_key) for camera in known.cameras] == [
        ("front", "observation.images.camera1"),
        ("wrist", "observation.images.camera2"),
    ]


def test_each_camera_reaches_the_policy_under_its_other_name(smolvla):
    policy, one = LoadedPolicy(smolvla), seen()
    exchanged = {**one, "front": one["wrist"], "wrist": one["front"]}
    prepared = [policy._prepared(policy.batch_of([view], "Grab the brain")) for view in (one, exchanged)]
    for number, name in ((1, "front"), (2, "wrist")):
        picture = torch.from_numpy(one[name]).permute(2, 0, 1)[None] / 255.0
        torch.testing.assert_close(prepared[0][f"observation.images.camera{number}"].cpu(), picture)
        torch.testing.assert_close(prepared[1][f"observation.images.camera{3 - number}"].cpu(), picture)
