"""Sound demonstrations that are made up: smooth reaches to a toy, a follower that lags, two cameras."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from regrasp.arm.so101 import HOME, HOME_SPREAD, JOINTS
from regrasp.data import Camera, Dataset, Episode

FPS = 30.0
LAG_FRAMES = 3
ENCODER_STEP_DEG = 360 / 4096
INSTRUCTION = "Grab the brain"


def sound_dataset(
    seed: int = 0,
    episodes: int = 6,
    *,
    seconds: float = 5.0,
    height: int = 48,
    width: int = 64,
    cameras: bool = True,
    fps: float = FPS,
    tremor: float = 0.05,
    lag_s: float = LAG_FRAMES / FPS,
) -> Dataset:
    """Each episode leaves home, reaches down with an open gripper, closes it, lifts, and rests a while.

    `tremor` is the step of the operator's random walk in degrees a frame; the follower is `lag_s` late.
    """
    rng = np.random.default_rng(seed)
    backgrounds = _background(rng, height, width), _background(rng, 2 * height, 2 * width)
    made = [
        _episode(rng, index, seconds, fps, backgrounds if cameras else None, tremor, lag_s)
        for index in range(episodes)
    ]
    recorded = Dataset(
        path=Path("made-up"),
        fps=fps,
        joint_names=JOINTS,
        action_names=JOINTS,
        episodes=tuple(made),
        tasks=(INSTRUCTION,),
        camera_names=("front", "wrist") if cameras else (),
        robot_type="so101_follower",
    ).as_recorded()
    return replace(recorded, stats={**recorded.stats, **_picture_statistics(recorded)})


def _picture_statistics(dataset):
    """Of each camera over three pictures of each episode, between 0 and 1, as LeRobot samples and keeps them."""
    shares = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
    stats = {}
    for name in dataset.camera_names:
        cameras = [episode.cameras[name] for episode in dataset.episodes]
        seen = np.concatenate([c.frames([0, c.length // 2, c.length - 1])[:, ::2, ::2] for c in cameras])
        pixels = seen.reshape(-1, 3) / 255
        numbers = {"min": pixels.min(axis=0), "max": pixels.max(axis=0), "mean": pixels.mean(axis=0)}
        numbers["std"] = pixels.std(axis=0)
        numbers |= {key: np.quantile(pixels, share, axis=0) for key, share in shares.items()}
        kept = {key: values.reshape(3, 1, 1) for key, values in numbers.items()}
        stats[cameras[0].key] = {**kept, "count": np.array([float(len(seen))])}
    return stats


def _episode(rng, index, seconds, fps, backgrounds, tremor, lag_s):
    length = int(seconds * fps * rng.uniform(0.9, 1.1))
    actions = _commands(rng, length, tremor)
    states = _followed(rng, actions, max(round(lag_s * fps), 1))
    front_and_wrist = {} if backgrounds is None else _cameras(rng, states, backgrounds, fps)
    return Episode(
        index=index,
        fps=fps,
        timestamps=np.arange(length) / fps,
        states=states,
        actions=actions,
        joint_names=JOINTS,
        task_indices=np.zeros(length, dtype=np.int64),
        tasks=(INSTRUCTION,),
        cameras=front_and_wrist,
    )


def _commands(rng, length, step):
    """Joint commands through home, above the toy, at the toy, closed, lifted; float64 [T, 6]."""
    home = HOME + rng.normal(0, HOME_SPREAD)
    pan = rng.uniform(-25, 15)
    poses = np.array(
        [
            home,
            home,
            [pan, -20, 30, 60, -40, 50],
            [pan, 25, 5, 75, -40, 45],
            [pan, 25, 5, 75, -40, 5],
            [pan, -30, 20, 70, -45, 5],
            [pan, -30, 20, 70, -45, 5],
        ]
    )
    times = np.cumsum([0, *rng.uniform([0.3, 1.2, 0.9, 0.5, 0.9, 0.3], [0.5, 1.6, 1.2, 0.7, 1.2, 0.5])])
    at = np.linspace(0, times[-1], length)
    leg = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(poses) - 2)
    part = np.clip((at - times[leg]) / np.diff(times)[leg], 0, 1)
    smooth = part**3 * (10 - 15 * part + 6 * part**2)  # least jerk, Flash & Hogan 1985
    path = poses[leg] + (poses[leg + 1] - poses[leg]) * smooth[:, None]
    tremor = np.cumsum(rng.normal(0, step, path.shape), axis=0)
    return path + tremor - np.linspace(0, 1, length)[:, None] * tremor[-1]


def _followed(rng, actions, lag):
    """What the follower measures: later, in encoder steps, and stopped by the toy between its jaws."""
    late = np.concatenate([np.repeat(actions[:1], lag, axis=0), actions[:-lag]])
    late[:, 5] = np.maximum(late[:, 5], np.where(np.arange(len(late)) > len(late) // 2, 12.0, 0.0))
    return np.round((late + rng.normal(0, 0.03, late.shape)) / ENCODER_STEP_DEG) * ENCODER_STEP_DEG


def _background(rng, height, width):
    """A textured table, float [h, w, 3]: blocks of random colour, blurred a little."""
    blocks = rng.uniform(40, 210, (8, 8, 3))
    tall, wide = -(-height // 8), -(-width // 8)
    return np.kron(blocks, np.ones((tall, wide, 1)))[:height, :width]


def _cameras(rng, states, backgrounds, fps):
    def filmed(view, background):
        return np.array([_noisy(rng, view(state, background)) for state in states])

    front = filmed(_front_view, backgrounds[0])
    wrist = filmed(_wrist_view, backgrounds[1])
    return {
        name: Camera.from_array(name, frames, fps) for name, frames in (("front", front), ("wrist", wrist))
    }


def _noisy(rng, view):
    return np.clip(view + rng.normal(0, 1.0, view.shape), 0, 255).astype(np.uint8)


def _front_view(state, background):
    """A still table with an orange arm of two links that move with pan, lift and elbow."""
    height, width, _ = background.shape
    y, x = np.mgrid[:height, :width]
    pan, lift, elbow = np.deg2rad(state[:3])
    base = np.array([width * 0.5, height * 0.95])
    first = base + height * 0.4 * np.array([np.sin(lift * 0.5 + pan), -np.cos(lift * 0.5)])
    second = first + height * 0.4 * np.array([np.sin(elbow + lift + pan), np.cos(elbow + lift)])
    picture = background.copy()
    for start, end in ((base, first), (first, second)):
        picture[_near_segment(x, y, start, end) < height * 0.05] = (230, 120, 30)
    return picture


def _near_segment(x, y, start, end):
    along = end - start
    t = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    return np.hypot(x - start[0] - t * along[0], y - start[1] - t * along[1])


def _wrist_view(state, background):
    """A table that slides by under two black jaws, which open with the gripper."""
    height, width = background.shape[0] // 2, background.shape[1] // 2
    down = int(np.clip((state[1] + 100) / 200, 0, 1) * height)
    across = int(np.clip((state[0] + 60) / 120, 0, 1) * width)
    picture = background[down : down + height, across : across + width].copy()
    gap = int(width * (0.08 + 0.003 * state[5]))
    picture[height // 2 :, max(width // 2 - gap - 4, 0) : max(width // 2 - gap, 0)] = 15
    picture[height // 2 :, width // 2 + gap : width // 2 + gap + 4] = 15
    return picture
