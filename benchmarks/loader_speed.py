"""Samples a second from LeRobot's loader and from decoded frames, in turn: `./run python benchmarks/loader_speed.py`.

Makes a recording with LeRobot's own writer (h264, two cameras of 640x480), then loads batches of it in random order as
training does, once with LeRobot's `LeRobotDataset` and once with `CachedDataset`, in rounds, on two cores: frames as
recorded, and frames that an image transform resizes to 224x224 first. A ratio is that of two neighbouring rounds.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import torch
from lerobot.datasets import LeRobotDataset
from lerobot.transforms import ImageTransformConfig, ImageTransforms, ImageTransformsConfig
from made_by_lerobot import make_dataset

from regrasp.lerobot_bridge.cached_dataset import CachedDataset
from regrasp.lerobot_bridge.quiet import prepare_environment

PREFETCHED = 2
"""Batches that each loading process may have ready; torch's own default."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=6)
    parser.add_argument("--frames", type=int, default=60, help="in each episode")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument(
        "--batches", type=int, default=4, help="of LeRobot's loader in a round; 8 times of ours"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2], help="processes that load")
    given = parser.parse_args()
    prepare_environment()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REGRASP_FRAME_CACHE"] = f"{folder}/frames"
        root = make_dataset(
            Path(folder) / "made",
            episodes=(given.frames,) * given.episodes,
            cameras={"front": (480, 640), "wrist": (480, 640)},
            smooth=True,
        )
        print(f"{given.episodes * given.frames} frames, batches of {given.batch}, {given.rounds} rounds")
        print(
            "| frames | loading processes | LeRobot, samples/s | cached, samples/s | ratio: median (lowest-highest) |"
        )
        print("| --- | --- | --- | --- | --- |")
        for name, transforms in (("as recorded", None), ("resized to 224x224", resized(224))):
            theirs = LeRobotDataset(
                "local/made",
                root=root,
                video_backend="pyav",
                return_uint8=True,
                image_transforms=transforms,
                delta_timestamps={"action": [i / 30 for i in range(50)]},
            )
            began = time.perf_counter()
            ours = CachedDataset(theirs)
            made_s = time.perf_counter() - began
            for workers in given.workers:
                print(f"| {name} | {workers} | {row(theirs, ours, workers, given)} |", flush=True)
            print(f"  (decoded in {made_s:.1f} s: {len(ours) / made_s:.0f} samples/s, once)", flush=True)


def resized(size: int) -> ImageTransforms:
    """LeRobot's image transforms with nothing but a resize."""
    resize = ImageTransformConfig(type="Resize", kwargs={"size": [size, size]})
    return ImageTransforms(ImageTransformsConfig(enable=True, tfs={"resize": resize}))


def row(theirs, ours, workers, given) -> str:
    """Samples a second of both, and their ratio, as cells of a table."""
    first, second = loader(theirs, workers, given.batch), loader(ours, workers, given.batch)
    ready = PREFETCHED * workers + 1
    pairs = [
        (
            timed(first, ready, given.batches, given.batch),
            timed(second, ready, 8 * given.batches, given.batch),
        )
        for _ in range(given.rounds)
    ]
    ratios = [cached / plain for plain, cached in pairs]
    plain, cached = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    spread = f"{min(ratios):.1f}-{max(ratios):.1f}"
    return f"{plain:.0f} | {cached:.0f} | {statistics.median(ratios):.1f} ({spread})"


def loader(dataset, workers: int, batch: int):
    """Endless batches in random order, as training loads them."""
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True, num_samples=10**9)
    batches = torch.utils.data.DataLoader(
        dataset,
        batch_size=batch,
        sampler=sampler,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,  # LeRobot's default
        prefetch_factor=PREFETCHED if workers else None,
    )
    return iter(batches)


def timed(batches, ready: int, count: int, batch: int) -> float:
    """Samples a second, after `ready` batches, more than may lie ready from the time when nobody asked."""
    for _ in range(ready):
        next(batches)
    began = time.perf_counter()
    for _ in range(count):
        next(batches)
    return count * batch / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
