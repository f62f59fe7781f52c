"""Pictures that a policy learns from are changed, and only as was asked."""

import pickle

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.transforms import ImageTransformConfig, ImageTransformsConfig
from lerobot.transforms import transforms as theirs

from regrasp.data.contract import read_contract
from regrasp.data.dataset import read_dataset
from regrasp.errors import UsageError
from regrasp.lerobot_bridge.augmenting import AugmentedDataset, idle_transforms, transform_of
from regrasp.lerobot_bridge.training import train
from regrasp.training.augmentation import PRESETS, STRONGEST

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
PICTURE_PRESETS = [name for name in PRESETS if name != "dropout"]


@pytest.fixture(scope="module")
def plain(demonstrations):
    """Samples as LeRobot's training gets them: frames of videos, uint8."""
    return LeRobotDataset("local/demos", root=demonstrations, video_backend="pyav", return_uint8=True)


class Frames(torch.utils.data.Dataset):
    """A few samples in memory, so that a preset can be looked at often."""

    def __init__(self, plain):
        self.items = [plain[index] for index in range(0, len(plain), 40)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


@pytest.fixture(scope="module")
def frames(plain):
    return Frames(plain)


def picture(seed=0, height=48, width=64):
    return torch.randint(0, 256, (3, height, width), generator=torch.Generator().manual_seed(seed)).to(
        torch.uint8
    )


def changed_share(preset, strength, tries=20):
    torch.manual_seed(0)
    transform, image = transform_of(preset, strength), picture()
    return np.mean([not torch.equal(transform(image), image) for _ in range(tries)])


@pytest.mark.parametrize("preset", PICTURE_PRESETS)
def test_a_preset_changes_nearly_every_picture_of_a_video(preset):
    assert changed_share(preset, 1.0) > 0.8


@pytest.mark.parametrize("preset", PICTURE_PRESETS)
def test_a_stronger_preset_changes_more(preset):
    def distance(strength):
        torch.manual_seed(1)
        transform, image = (
            transform_of(preset, strength),
            torch.nn.functional.avg_pool2d(picture().float(), 5, 1, 2),
        )
        image = image.to(torch.uint8)
        return np.mean([(transform(image).float() - image.float()).abs().mean() for _ in range(30)])

    assert 0 < distance(0.2) < distance(1.0) < distance(STRONGEST)


@pytest.mark.parametrize("preset", PICTURE_PRESETS)
def test_size_type_and_range_of_a_picture_stay(preset):
    transform = transform_of(preset, STRONGEST)
    for image in (picture(), picture(height=33, width=80), torch.stack([picture(1), picture(2)])):
        assert transform(image).shape == image.shape
        assert transform(image).dtype == torch.uint8
        lit = transform(image / 255)
        assert lit.dtype == torch.float32
        assert 0 <= lit.min() <= lit.max() <= 1


@pytest.mark.parametrize("preset", [name for name in PICTURE_PRESETS if not PRESETS[name].geometric])
def test_what_is_not_geometric_leaves_things_where_they_are(preset):
    """An edge in the middle of the picture stays there."""
    edge = torch.full((3, 48, 64), 60, dtype=torch.uint8)
    edge[:, :, 32:] = 180
    torch.manual_seed(2)
    transform = transform_of(preset, 1.0)
    for _ in range(15):
        steps = transform(edge).float().mean(dim=(0, 1)).diff().abs()
        assert 29 <= int(steps.argmax()) <= 34


def test_a_shift_moves_by_at_most_four_percent_and_repeats_the_edge():
    bright = torch.zeros(3, 100, 100, dtype=torch.uint8)
    bright[:, 50, 50] = 255
    transform = transform_of("shift", 1.0)
    places = {tuple(transform(bright)[0].nonzero()[0].tolist()) for _ in range(300)}
    assert {row for row, _ in places} == set(range(46, 55))
    assert {column for _, column in places} == set(range(46, 55))
    assert transform(torch.full((3, 100, 100), 77, dtype=torch.uint8)).unique().tolist() == [77]


@pytest.mark.parametrize("preset", PICTURE_PRESETS)
def test_red_stays_red_and_blue_stays_blue(preset):
    torch.manual_seed(3)
    transform = transform_of(preset, STRONGEST)
    for channel in (0, 2):
        image = torch.full((3, 48, 64), 40, dtype=torch.uint8)
        image[channel] = 200
        for _ in range(20):
            means = transform(image).float().mean(dim=(1, 2))
            assert int(means.argmax()) == channel


def test_each_camera_gets_its_own_and_nothing_else_is_touched(frames):
    changed = AugmentedDataset(frames, {"front": {"light": 1.0}}, seed=0)
    for before, after in zip(frames, [changed[index] for index in range(len(frames))], strict=True):
        assert not torch.equal(after[FRONT], before[FRONT])
        for key in before.keys() - {FRONT}:
            same = torch.equal if isinstance(before[key], torch.Tensor) else lambda a, b: a == b
            assert same(after[key], before[key]), key


def test_a_dropped_camera_is_black_in_a_tenth_of_the_samples_and_never_both(frames):
    changed = AugmentedDataset(frames, {"front": {"dropout": 1.0}, "wrist": {"dropout": 1.0}}, seed=0)
    dark = np.array([[not sample[key].any() for key in (FRONT, WRIST)] for sample in
                     (changed[number % len(frames)] for number in range(1000))])  # fmt: skip
    assert not dark.all(axis=1).any()
    assert 0.07 < dark[:, 0].mean() < 0.13
    assert 0.06 < dark[:, 1].mean() < 0.12


def test_a_batch_that_is_fetched_at_once_is_changed_too(frames):
    frames.__class__.__getitems__ = lambda self, indices: [self.items[index] for index in indices]
    changed = AugmentedDataset(frames, {"front": {"light": 1.0}}, seed=0)
    (batch,) = torch.utils.data.DataLoader(changed, batch_size=4, sampler=[0, 1, 2, 3])
    del frames.__class__.__getitems__
    assert not any(torch.equal(batch[FRONT][index], frames[index][FRONT]) for index in range(4))


def test_the_same_place_in_the_same_epoch_gives_the_same_picture(frames):
    """So that a training that is resumed goes on with the pictures that it would have had."""
    changed = AugmentedDataset(frames, {"front": {"light": 1.0}}, seed=7)
    changed.begin(3, 0)
    whole = [changed[index][FRONT] for index in (0, 1, 2, 1)]
    changed.begin(3, 2)
    torch.rand(11)
    again = [changed[index][FRONT] for index in (2, 1)]
    assert torch.equal(again[0], whole[2])
    assert torch.equal(again[1], whole[3])
    assert not torch.equal(whole[1], whole[3])
    changed.begin(4, 0)
    assert not torch.equal(changed[0][FRONT], whole[0])


def test_the_policy_s_own_random_numbers_are_those_of_a_training_without(frames):
    changed = AugmentedDataset(frames, {"front": dict.fromkeys(PICTURE_PRESETS, 1.0)}, seed=0)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    _ = changed[0]
    assert torch.equal(torch.rand(3), expected)


def test_it_can_be_sent_to_a_worker_process(frames):
    changed = pickle.loads(pickle.dumps(AugmentedDataset(frames, {"front": {"light": 1.0}}, seed=0)))
    assert len(changed) == len(frames)
    assert not torch.equal(changed[0][FRONT], frames[0][FRONT])


IDLE = {
    "GaussianNoise",
    "MotionBlur",
    "JPEGCompression",
    "GaussianPatchBrightness",
    "RandomShadow",
    "CoarseDropout",
    "GammaCorrection",
    "PlanckianJitter",
}


def test_which_of_lerobot_s_transforms_do_nothing_on_video():
    """When LeRobot mends them this fails: then `OnFloats` can go, and the sentence in the training's notes."""
    config = ImageTransformsConfig(
        enable=True,
        tfs={
            name: ImageTransformConfig(type=name, kwargs={"sharpness": (0.5, 1.5)} if "Sharp" in name else {})
            for name in theirs._CUSTOM_TRANSFORMS
        },
    )
    assert set(idle_transforms(config)) == IDLE


def test_lerobot_s_default_transforms_do_change_pictures():
    assert idle_transforms(ImageTransformsConfig(enable=True)) == []
    assert idle_transforms(ImageTransformsConfig(enable=False)) == []


@pytest.fixture(scope="module")
def reached(demonstrations, tmp_path_factory):
    """What reaches the policy in the first step of a training, with `--augment` and without."""
    from lerobot_robot_so101_twin.modeling_keypoint import KeypointPolicy

    def batch_with(augment, *options):
        batches, forward = [], KeypointPolicy.forward

        def spy(self, batch):
            batches.append(
                {key: value.clone() for key, value in batch.items() if key.startswith("observation.")}
            )
            return forward(self, batch)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(KeypointPolicy, "forward", spy)
            out = tmp_path_factory.mktemp("spied") / "run"
            settings = ["--policy.image_size=64", "--policy.keypoints=4", "--policy.hidden=16", *options]
            result = train(demonstrations, out, steps=1, batch=8, augment=augment, options=settings)
        return batches[0], result

    return batch_with


def test_the_policy_gets_changed_pictures_through_lerobot_s_training(reached):
    plain, without = reached("")
    changed, result = reached("front:light,shift")
    assert torch.equal(plain["observation.state"], changed["observation.state"])
    assert torch.equal(plain[WRIST], changed[WRIST])
    assert all(not torch.equal(a, b) for a, b in zip(plain[FRONT], changed[FRONT], strict=True))
    assert read_contract(result.checkpoint).augmentation == {"front": {"light": 1.0, "shift": 1.0}}
    assert read_contract(without.checkpoint).augmentation == {}
    assert "Pictures were changed while training: front: light, shift." in result.journal.notes


def test_the_policy_gets_pictures_as_they_are_from_lerobot_s_noise_and_it_is_said(reached):
    plain, _ = reached("")
    noise = '{"noise": {"type": "GaussianNoise", "kwargs": {"std": [20.0, 20.0]}}}'
    options = ["--dataset.image_transforms.enable=true", f"--dataset.image_transforms.tfs={noise}"]
    same, result = reached("", *options)
    assert torch.equal(plain[FRONT], same[FRONT])
    assert result.journal.notes[0] == (
        "LeRobot's image transforms noise do nothing on the frames of videos; give --augment light, colour, blur or "
        "noise in their place."
    )


def test_a_camera_on_the_arm_is_known_by_its_name_or_by_what_it_sees(demonstrations):
    from dataclasses import replace

    from regrasp.data.contract_measuring import rides_on_arm

    data = read_dataset(demonstrations)
    assert rides_on_arm(data, "wrist")
    assert not rides_on_arm(data, "front")
    renamed = [
        replace(episode, cameras={"one": episode.cameras["front"], "two": episode.cameras["wrist"]})
        for episode in data.episodes
    ]
    unnamed = replace(data, episodes=tuple(renamed), camera_names=("one", "two"))
    assert [rides_on_arm(unnamed, name) for name in ("one", "two")] == [False, True]


def test_a_geometric_preset_for_the_wrist_is_refused_before_anything_is_made(demonstrations, tmp_path):
    with pytest.raises(UsageError, match="rides on the arm"):
        train(demonstrations, tmp_path / "run", augment="wrist:crop")
    assert not (tmp_path / "run").exists()
