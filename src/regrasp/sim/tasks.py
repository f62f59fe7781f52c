"""The tasks of the twin: their instructions, and success and progress as physics shows them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrasp.sim.scene import BIN_CENTRE, BIN_HEIGHT_M, BIN_INNER_M

STARTS = ("home", "scattered")

LIFT_M = 0.05
HOLD_FRAMES = 10
"""`grab-brain`: so high, between both jaws, and for so many frames without a break."""

REST_FRAMES = 5
REST_M_S = 0.02
"""`brain-to-bin`: slower than this for so many frames, inside the bin, touched by no jaw."""

REACH_M = 0.25
"""Distance at which reaching starts to count as progress."""


@dataclass(frozen=True)
class Scene:
    """What a judge sees of one moment. Metres, world frame."""

    hand: NDArray[np.float64]
    """Point between the jaws, shape [3]."""
    toy: NDArray[np.float64]
    """Centre of the toy, shape [3]."""
    toy_speed_m_s: float
    lifted_m: float
    """Height of the toy above where it lay."""
    jaws_touching: int
    """How many of the two jaws touch the toy."""


@dataclass(frozen=True)
class Task:
    """One thing to do, in words and in limits."""

    name: str
    instruction: str
    max_seconds: float
    """After so long an attempt has failed: about twice what the expert takes."""


TASKS = {
    "grab-brain": Task("grab-brain", "Grab the brain", max_seconds=10.0),
    "brain-to-bin": Task("brain-to-bin", "Put the brain in the bin", max_seconds=14.0),
}


class Judge:
    """Follows one attempt frame by frame. Success stays once reached; progress is the best so far."""

    def __init__(self, task: Task):
        self.task = task
        self.frames_held = 0
        self.success = False
        self.progress = 0.0

    def watch(self, scene: Scene) -> None:
        """Take in one frame."""
        to_bin = self.task.name == "brain-to-bin"
        held = rests_in_bin(scene) if to_bin else is_held_up(scene)
        self.frames_held = self.frames_held + 1 if held else 0
        needed = REST_FRAMES if to_bin else HOLD_FRAMES
        self.success = self.success or self.frames_held >= needed
        last = max(over_bin(scene), float(held)) if to_bin else self.frames_held / needed
        now = (reach(scene) + grasp(scene) + lift(scene) + last) / 4
        if self.success:
            now = 1.0
        self.progress = max(self.progress, min(now, 1.0 if self.success else 0.99))


def is_held_up(scene: Scene) -> bool:
    """Lifted by `LIFT_M`, and between both jaws."""
    return scene.lifted_m >= LIFT_M and scene.jaws_touching == 2


def rests_in_bin(scene: Scene) -> bool:
    """Inside the bin, at rest, released."""
    inside = above_bin(scene) and scene.toy[2] < BIN_HEIGHT_M
    return inside and scene.toy_speed_m_s < REST_M_S and scene.jaws_touching == 0


def above_bin(scene: Scene) -> bool:
    """Whether the toy's centre lies within the bin's walls, seen from above."""
    away = np.abs(scene.toy[:2] - np.asarray(BIN_CENTRE))
    return bool((away < BIN_INNER_M / 2).all())


def reach(scene: Scene) -> float:
    """1 at the toy, 0 at `REACH_M` and beyond; 1 too while the toy is touched or lies in the bin."""
    if scene.jaws_touching or rests_in_bin(scene):
        return 1.0
    return float(np.clip(1.0 - np.linalg.norm(scene.hand - scene.toy) / REACH_M, 0.0, 1.0))


def grasp(scene: Scene) -> float:
    """Share of the jaws that touch the toy; 1 once it rests in the bin."""
    return 1.0 if rests_in_bin(scene) else scene.jaws_touching / 2


def lift(scene: Scene) -> float:
    """Share of `LIFT_M`, counted between both jaws only; 1 once it rests in the bin."""
    if rests_in_bin(scene):
        return 1.0
    return float(np.clip(scene.lifted_m / LIFT_M, 0.0, 1.0)) if scene.jaws_touching == 2 else 0.0


def over_bin(scene: Scene) -> float:
    """Half a point for holding the toy above the bin."""
    return 0.5 * (above_bin(scene) and scene.jaws_touching > 0)
