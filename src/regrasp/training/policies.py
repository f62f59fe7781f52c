"""What LeRobot 0.6.1 trains each policy with, as far as a plan needs it. A test compares it with LeRobot itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

Schedule = Literal["constant", "cosine to its floor", "cosine to zero"]


@dataclass(frozen=True)
class Kind:
    """One policy type as LeRobot presets it.

    Attributes:
        name: LeRobot's name of the type.
        batch: Samples per step and GPU, with `batch_why` as its source.
        epochs: Passes over the data, with `epochs_why` as its source.
        rate: Learning rate at its peak.
        rate_options: LeRobot's options that set it.
        schedule: How the rate goes; "cosine to its floor" is the one with a fixed length.
        warmup: Steps until the peak.
        decay: Steps until the floor; None where it is always the whole run.
        floor: The rate at the end.
        chunk: Actions predicted at once, by default; None where the policy has no such option.
        execute: Actions carried out before the next query, by default.
        chunk_why: Not empty where the default is better evidence than what is measured of demonstrations.
        source: Where rate and schedule come from.
    """

    name: str
    batch: int = 8
    batch_why: str = "LeRobot's default"
    epochs: float = 8.0
    epochs_why: str = "LeRobot's hardware guide: imitation learning converges in 5 to 10 epochs"
    rate: float | None = None
    rate_options: tuple[str, ...] = ("--policy.optimizer_lr",)
    schedule: Schedule | None = None
    warmup: int = 0
    decay: int | None = None
    floor: float = 0.0
    chunk: int | None = None
    execute: int | None = None
    chunk_why: str = ""
    source: str = "LeRobot's preset"

    def as_in(self, config: Mapping[str, Any]) -> Self:
        """The type as a checkpoint's config.json has it: LeRobot trains it further with its own rate and schedule."""
        own = {
            name: config[key]
            for name, key in CONFIG_KEYS.items()
            if getattr(self, name) is not None and isinstance(config.get(key), int | float)
        }
        changed = {name: value for name, value in own.items() if value != getattr(self, name)}
        return replace(self, **changed, source="the checkpoint's config.json") if changed else self


CONFIG_KEYS = {
    "rate": "optimizer_lr",
    "warmup": "scheduler_warmup_steps",
    "decay": "scheduler_decay_steps",
    "floor": "scheduler_decay_lr",
}
"""Ours -> LeRobot's names of them in a policy's config."""

_PI = {"rate": 2.5e-5, "schedule": "cosine to its floor", "warmup": 1000, "decay": 30_000, "floor": 2.5e-6}

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "keypoint",
            batch=64,
            batch_why="as in the runs of docs/results.md",
            rate=1e-3,
            schedule="cosine to zero",
            warmup=50,
            chunk=40,
            execute=20,
            chunk_why="the small policy's own; docs/results.md was measured with it",
        ),
        Kind(
            "act",
            rate=1e-5,
            rate_options=("--policy.optimizer_lr", "--policy.optimizer_lr_backbone"),
            schedule="constant",
            chunk=100,
            execute=100,
            chunk_why="ACT's own; it reached 80 % on a real SO-101 with 241 episodes, and fewer can be carried out later "
            "without training anew",
        ),
        Kind(
            "smolvla",
            batch=32,
            batch_why="the batch of the SO-101 project whose 6.35 epochs did better than its 15.87",
            epochs=6.35,
            epochs_why="an SO-101 project with 241 episodes did better with 6.35 epochs than with 15.87",
            rate=1e-4,
            schedule="cosine to its floor",
            warmup=1000,
            decay=30_000,
            floor=2.5e-6,
            chunk=50,
            execute=50,
        ),
        Kind("diffusion", rate=1e-4, schedule="cosine to zero", warmup=500),
        Kind("vqbet", rate=1e-4, schedule="cosine to zero", warmup=500),
        Kind("pi0", chunk=50, execute=50, **_PI),  # pyright: ignore[reportArgumentType]
        Kind("pi05", chunk=50, execute=50, **_PI),  # pyright: ignore[reportArgumentType]
    )
}
"""The types whose presets are known; of any other only frames, steps and epochs are planned."""

BASES = {
    "smolvla": "lerobot/smolvla_base",
    "pi0": "lerobot/pi0_base",
    "pi05": "lerobot/pi05_base",
    "pi0_fast": "lerobot/pi0fast-base",
    "xvla": "lerobot/xvla-base",
}
"""Types that are meant to be fine-tuned -> their checkpoints on the Hub, as LeRobot's model cards name them."""
