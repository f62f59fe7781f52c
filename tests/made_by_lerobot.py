"""Small datasets that LeRobot's own writer makes, filled with moving pictures and numbers of every kind."""

import numpy as np


def make_dataset(
    folder, *, episodes=(7, 5, 9), cameras=None, video=True, g=2, odd=False, seed=0, smooth=False
):
    """A dataset of `episodes` episodes of these lengths, in h264 or as pictures; cameras: name -> (height, width).

    `odd` adds columns of other kinds; `smooth` makes pictures that a video codec takes for real ones.
    """
    from lerobot.configs.video import RGBEncoderConfig
    from lerobot.datasets import LeRobotDataset

    from regrasp.lerobot_bridge.quiet import quiet

    cameras = cameras or {"front": (48, 64), "wrist": (32, 40)}
    features = {
        "action": {"dtype": "float32", "shape": (6,), "names": None},
        "observation.state": {"dtype": "float32", "shape": (6,), "names": None},
    }
    if odd:
        features |= {
            "next.reward": {"dtype": "float64", "shape": (1,), "names": None},
            "next.done": {"dtype": "bool", "shape": (1,), "names": None},
            "observation.count": {"dtype": "int32", "shape": (3,), "names": None},
            "observation.grid": {"dtype": "float32", "shape": (2, 3), "names": None},
        }
    for name, (height, width) in cameras.items():
        features[f"observation.images.{name}"] = {
            "dtype": "video" if video else "image",
            "shape": (height, width, 3),
            "names": ["height", "width", "channels"],
        }
    rng = np.random.default_rng(seed)
    encoder = RGBEncoderConfig(vcodec="h264", g=g) if video else None
    with quiet():
        made = LeRobotDataset.create(
            "local/made", 30, features, root=folder, use_videos=video, rgb_encoder=encoder
        )
        for number, length in enumerate(episodes):
            for frame in range(length):
                row = _numbers(rng, odd)
                for name, (height, width) in cameras.items():
                    draw = _smooth if smooth else _noisy
                    row[f"observation.images.{name}"] = draw(rng, height, width, number, frame)
                made.add_frame({**row, "task": f"task {number % 2}"})
            made.save_episode(parallel_encoding=False)
        made.finalize()
    return folder


def _numbers(rng, odd):
    row = {key: rng.normal(size=6).astype(np.float32) for key in ("action", "observation.state")}
    if odd:
        row["next.reward"] = rng.normal(size=1)
        row["next.done"] = rng.random(1) < 0.5
        row["observation.count"] = rng.integers(0, 9, 3).astype(np.int32)
        row["observation.grid"] = rng.normal(size=(2, 3)).astype(np.float32)
    return row


def _noisy(rng, height, width, _episode, _frame):
    return rng.integers(0, 255, (height, width, 3), dtype=np.uint8)


def _smooth(rng, height, width, episode, frame):
    """A coloured disc that crosses a shaded table, with a camera's noise."""
    y, x = np.mgrid[:height, :width]
    shade = 90 + 60 * x / width + 30 * y / height
    centre = height * (0.3 + 0.02 * episode), width * (0.1 + 0.8 * (frame % 100) / 100)
    disc = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < (height / 8) ** 2
    picture = np.stack([np.where(disc, 200, shade), np.where(disc, 60, shade), shade], axis=2)
    return (picture + rng.normal(0, 2, (height, width, 1))).clip(0, 255).astype(np.uint8)
