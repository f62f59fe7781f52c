"""Sound datasets that differ as real ones do, on disk: what an audit must be quiet about."""

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

from regrasp.data import Dataset, read_dataset


@dataclass(frozen=True)
class Variant:
    """How a dataset differs from the usual one."""

    name: str
    episodes: int = 12
    fps: float = 30.0
    seconds: float = 5.0
    size: tuple[int, int] | None = (48, 64)
    more_cameras: tuple[str, ...] = ()
    units: str = "degrees"
    codec: str = "libsvtav1"
    version: str = "v3.0"
    video: bool = True
    tremor: float = 0.05
    lag_s: float = 0.1
    arms: int = 1
    twin: str = ""

    def write(self, seed: int, folder: Path) -> Dataset:
        """Make it, write it, and read it back."""
        if self.twin:
            return _recorded(self, seed, folder)
        made = _made(self, seed)
        if self.version == "v2.1":
            write_v21(made, folder, codec=self.codec, video=self.video)
        else:
            write_v3(made, folder, codec=self.codec, video=self.video)
        # Statistics are not part of what the two writers write.
        return replace(read_dataset(folder), stats=made.stats)


VARIANTS = (
    Variant("usual"),
    Variant("few episodes", episodes=5),
    Variant("many episodes, no camera", episodes=60, size=None),
    Variant("10 Hz, long", fps=10, seconds=12),
    Variant("20 Hz, H.264", fps=20, codec="libx264"),
    Variant("60 Hz, one more camera", fps=60, more_cameras=("top",), episodes=8),
    Variant("shaky operator", tremor=0.3),
    Variant("steady operator, slow follower", tremor=0.01, lag_s=0.2),
    Variant("-100..100", units="normalised"),
    Variant("radians, no camera", units="radians", size=None, episodes=20),
    Variant("v2.1, H.264", version="v2.1", codec="libx264"),
    Variant("pictures in the table", video=False, episodes=8),
    Variant("larger pictures", size=(120, 160), episodes=8),
    Variant("two arms, four cameras", arms=2, more_cameras=("top", "side"), episodes=8),
    Variant("twin, 2x2 inch", twin="2in", episodes=12),
    Variant("twin, 6x6 inch", twin="6in", episodes=12),
)


def _made(variant: Variant, seed: int) -> Dataset:
    height, width = variant.size or (48, 64)
    made = sound_dataset(
        seed,
        variant.episodes,
        seconds=variant.seconds,
        fps=variant.fps,
        height=height,
        width=width,
        cameras=variant.size is not None,
        tremor=variant.tremor,
        lag_s=variant.lag_s,
    )
    for place, name in enumerate(variant.more_cameras):
        made = _with_camera(made, name, sound_dataset, seed + 1000 * (place + 1), variant)
    if variant.arms == 2:
        made = _with_second_arm(made, seed, variant)
    return CONVERSIONS[variant.units](made).as_recorded()


def _with_camera(made: Dataset, name: str, make, seed: int, variant: Variant) -> Dataset:
    """One more fixed camera: it sees the same arm before another background."""
    from sound_dataset import _background, _front_view

    from regrasp.data import Camera

    rng = np.random.default_rng(seed)
    background = _background(rng, *variant.size)

    def look(episode):
        view = np.array([_front_view(state[:6], background) for state in episode.states])
        frames = np.clip(view + rng.normal(0, 1.0, view.shape), 0, 255).astype(np.uint8)
        return replace(
            episode, cameras={**episode.cameras, name: Camera.from_array(name, frames, episode.fps)}
        )

    statistics = {"observation.images." + name: made.stats["observation.images.front"]}
    seen = made.map_episodes(look)
    return replace(seen, camera_names=(*made.camera_names, name), stats={**seen.stats, **statistics})


def _with_second_arm(made: Dataset, seed: int, variant: Variant) -> Dataset:
    other = sound_dataset(
        seed + 500, variant.episodes, seconds=2 * variant.seconds, fps=variant.fps, cameras=False
    )
    names = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in made.joint_names)

    def join(episode):
        there = other.episodes[episode.index]
        moments = np.linspace(0, there.length - 1, episode.length).round().astype(int)
        return replace(
            episode,
            states=np.hstack([episode.states, there.states[moments]]),
            actions=np.hstack([episode.actions, there.actions[moments]]),
            joint_names=names,
        )

    return replace(
        made.map_episodes(join), joint_names=names, action_names=names, robot_type="bi_so101_follower"
    )


def _in_degrees(made: Dataset) -> Dataset:
    return made


def _in_radians(made: Dataset) -> Dataset:
    return _scaled(made, np.full(len(made.joint_names), np.pi / 180))


def _normalised(made: Dataset) -> Dataset:
    """As LeRobot gives joints without `use_degrees`: the calibrated range is -100..100, the gripper 0..100."""
    factors = np.full(len(made.joint_names), 100 / 105)
    factors[5::6] = 1.0
    return _scaled(made, factors)


def _scaled(made: Dataset, factors: np.ndarray) -> Dataset:
    return made.map_episodes(
        lambda episode: replace(episode, states=episode.states * factors, actions=episode.actions * factors)
    )


CONVERSIONS = {"degrees": _in_degrees, "radians": _in_radians, "normalised": _normalised}


def _recorded(variant: Variant, seed: int, folder: Path) -> Dataset:
    """Demonstrations of the twin's expert, by the command that everybody uses."""
    command = ["regrasp", "record", "--station", "twin", "--expert", "--dataset", str(folder)]
    options = [
        "--episodes",
        str(variant.episodes),
        "--area",
        variant.twin,
        "--size",
        "96",
        "--seed",
        str(seed),
    ]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return read_dataset(folder)
