"""Pictures that are changed while a policy learns from them: torchvision's and LeRobot's transforms, camera by camera.

LeRobot 0.6.1 hands frames of videos on as uint8, and eight of its transforms return those as they are. Here they get
floats and give uint8 back. What is drawn depends on the seed, the epoch and the place in it alone: a training that is
resumed goes on with the same pictures, and the policy's own random numbers are those of a training without. Where other
processes load samples (`--num_workers` above 0), each draws its own, and a resumed training gets other pictures.
"""

import contextlib
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import torch
from lerobot.transforms import (
    GammaCorrection,
    GaussianNoise,
    GaussianPatchBrightness,
    ImageTransforms,
    ImageTransformsConfig,
    JPEGCompression,
    MotionBlur,
    PlanckianJitter,
    RandomShadow,
)
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from regrasp.data.episode import IMAGE_PREFIX
from regrasp.training.augmentation import Augmentation

DROPPED = 0.1
"""Share of the samples in which a camera is black, at strength 1."""

NEUTRAL_K = 6500
"""Daylight, in kelvin: a lamp of this temperature changes no colour."""

TRIES = 8
"""A transform that left this many pictures as they were does nothing."""


class Move(v2.Transform):
    """A picture moved by up to `share` of its height and width, its edges repeated."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Where the cut-out begins in the padded picture."""
        height, width = flat_inputs[0].shape[-2:]
        most = [max(1, round(self.share * size)) for size in (height, width)]
        top, left = (int(torch.randint(0, 2 * one + 1, ())) for one in most)
        return {"most": most, "top": top, "left": left, "size": (height, width)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Pad by repeating the edges, then cut out."""
        (down, right), (height, width) = params["most"], params["size"]
        padded = self._call_kernel(functional.pad, inpt, padding=[right, down], padding_mode="edge")
        return self._call_kernel(functional.crop, padded, params["top"], params["left"], height, width)


class Enlarge(v2.Transform):
    """A picture of which at least `share` of the area is kept and enlarged to its size."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is kept."""
        height, width = flat_inputs[0].shape[-2:]
        side = float(torch.empty(1).uniform_(self.share, 1.0)) ** 0.5
        kept = [max(1, round(side * height)), max(1, round(side * width))]
        top, left = (
            int(torch.randint(0, size - part + 1, ()))
            for size, part in zip((height, width), kept, strict=True)
        )
        return {"top": top, "left": left, "height": kept[0], "width": kept[1], "size": [height, width]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Cut out and resize."""
        return self._call_kernel(functional.resized_crop, inpt, antialias=True, **params)


class OnFloats(v2.Transform):
    """One of LeRobot's transforms that leave uint8 alone, on uint8."""

    def __init__(self, inner: v2.Transform) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *inputs: Any) -> Any:
        """The same kind of picture as was given."""
        (image,) = inputs
        if image.is_floating_point():
            return self.inner(image)
        changed = self.inner(functional.to_dtype(image, torch.float32, scale=True))
        return functional.to_dtype(changed, image.dtype, scale=True)


def transform_of(preset: str, strength: float) -> v2.Transform:
    """What a preset does to one picture, or a stack of them, [..., 3, h, w], uint8 or float in [0, 1]."""
    return _MAKERS[preset](strength)


def _light(s: float) -> v2.Transform:
    """At strength 1 half to one and a half times the light; gamma stands for exposure that is not linear."""
    jitter = v2.ColorJitter(brightness=_around_one(0.5 * s), contrast=_around_one(0.3 * s))
    local = v2.RandomChoice(
        [
            OnFloats(RandomShadow(opacity=(0.2 * min(s, 2), 0.4 * min(s, 2)))),
            OnFloats(GaussianPatchBrightness(factor_range=_around_one(0.4 * s))),
            OnFloats(GammaCorrection(gamma=(1 / (1 + 0.5 * s), 1 + 0.5 * s))),
        ]
    )
    return v2.Compose([jitter, v2.RandomApply([local], p=0.3)])


def _colour(s: float) -> v2.Transform:
    """At strength 2 lamps of 4500 to 10,500 K, on colours as pale as 0.4 of their saturation: red and blue still lead.

    The hue turns by at most 0.02 of the circle then, and red and blue lie a third of it apart.
    """
    lamp = PlanckianJitter(temperature=(round(NEUTRAL_K - 1000 * s), round(NEUTRAL_K + 2000 * s)))
    return v2.Compose([v2.ColorJitter(saturation=_around_one(0.3 * s), hue=0.01 * s), OnFloats(lamp)])


def _blur(s: float) -> v2.Transform:
    """Widths in pixels: a 96 pixel picture of the twin loses its finest detail at 1."""
    widest = 3 + 2 * round(s)
    return v2.RandomChoice(
        [v2.GaussianBlur(kernel_size=5, sigma=(0.3, 0.3 + s)), OnFloats(MotionBlur(kernel_size=(3, widest)))]
    )


def _noise(s: float) -> v2.Transform:
    """Grey levels; a webcam in a dim room shows 5 to 10."""
    jpeg = JPEGCompression(quality=(max(15, round(90 - 40 * s)), 90))
    return v2.RandomChoice([OnFloats(GaussianNoise(std=(1.0, 10.0 * s))), OnFloats(jpeg)], p=[0.75, 0.25])


_MAKERS: Mapping[str, Callable[[float], v2.Transform]] = {
    "light": _light,
    "colour": _colour,
    "blur": _blur,
    "noise": _noise,
    "shift": lambda s: Move(0.04 * s),
    "crop": lambda s: Enlarge(1 - 0.15 * s),
}


def _around_one(spread: float) -> tuple[float, float]:
    return max(0.05, 1 - spread), 1 + spread


class AugmentedDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Serves the samples of a dataset with changed pictures; everything else is the wrapped dataset's.

    Args:
        dataset: LeRobot's, or one that serves it from memory.
        augmentation: What is done to each camera.
        seed: Of what is drawn.
    """

    def __init__(self, dataset: Any, augmentation: Augmentation, *, seed: int) -> None:
        self._dataset = dataset
        self._seed = seed
        self._epoch = self._place = 0
        self._transforms = {
            f"{IMAGE_PREFIX}{camera}": [
                transform_of(name, strength) for name, strength in presets.items() if name != "dropout"
            ]
            for camera, presets in augmentation.items()
        }
        self._dropped = {
            f"{IMAGE_PREFIX}{camera}": DROPPED * presets["dropout"]
            for camera, presets in augmentation.items()
            if "dropout" in presets
        }

    def __getattr__(self, name: str) -> Any:
        if "_dataset" not in self.__dict__:  # while it is being unpickled
            raise AttributeError(name)
        return getattr(self._dataset, name)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._changed(self._dataset[index], index)

    def __getitems__(self, indices: list[int]) -> list[dict[str, Any]]:
        many = getattr(self._dataset, "__getitems__", None)
        items = many(indices) if many else [self._dataset[index] for index in indices]
        return [self._changed(item, index) for item, index in zip(items, indices, strict=True)]

    def begin(self, epoch: int, place: int) -> None:
        """The sampler goes on with this epoch at this place; what is drawn from here on follows from both."""
        self._epoch, self._place = epoch, place

    def _changed(self, item: dict[str, Any], index: int) -> dict[str, Any]:
        with self._draws(index):
            changed = dict(item)
            for key, transforms in self._transforms.items():
                for transform in transforms:
                    changed[key] = transform(changed[key])
            dark = self._dark()
            if dark is not None:
                changed[dark] = torch.zeros_like(changed[dark])
        self._place += 1
        return changed

    def _dark(self) -> str | None:
        """The camera that is black this time, if one is."""
        for key, share in self._dropped.items():
            if float(torch.rand(())) < share:
                return key
        return None

    @contextlib.contextmanager
    def _draws(self, index: int) -> Generator[None]:
        """Random numbers of this sample alone. A worker process has its own, which nobody could repeat anyway."""
        if torch.utils.data.get_worker_info() is not None:
            yield
            return
        entropy = [self._seed, self._epoch, self._place, index]
        own = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)
        before = torch.default_generator.get_state()
        torch.default_generator.manual_seed(own)
        try:
            yield
        finally:
            torch.default_generator.set_state(before)


def idle_transforms(config: ImageTransformsConfig) -> list[str]:
    """Names of those of LeRobot's transforms that leave a video's frames, uint8 [3, h, w], as they are."""
    transforms = ImageTransforms(config).transforms if config.enable else {}
    return [name for name, transform in transforms.items() if _is_idle(transform)]


def _is_idle(transform: v2.Transform) -> bool:
    before = torch.default_generator.get_state()
    torch.default_generator.manual_seed(0)
    picture = torch.randint(0, 256, (3, 48, 64), dtype=torch.uint8)
    idle = all(torch.equal(transform(picture), picture) for _ in range(TRIES))
    torch.default_generator.set_state(before)
    return idle
