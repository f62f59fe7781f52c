"""How fast the twin is: physics, pictures, demonstrations. One process, processor time.

./run python benchmarks/twin_speed.py
"""

import time
from collections.abc import Callable

import numpy as np

from regrasp.arm.so101 import HOME
from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.expert import Expert
from regrasp.sim.scene import substeps

SIZES = ((96, 96), (128, 128), (224, 224), (640, 480))
PAIRS = 60
EPISODES = 20


def main() -> None:
    with Twin(TwinConfig()) as twin:
        frame_s = cpu_s(lambda: twin.step(HOME), 300)
        steps = substeps(twin.config.fps)
        print(
            f"physics, free arm       {steps / frame_s:10,.0f} steps/s   {1 / frame_s / 30:6.0f} x real time"
        )
        print(f"reset                   {1e3 * cpu_s(lambda: twin.reset(1), 30):10.1f} CPU-ms")
        report_expert(twin)
    for width, height in SIZES:
        report_pictures(width, height)


def cpu_s(work: Callable[[], object], times: int) -> float:
    """Processor seconds of one call, after a first one that warms up."""
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def report_expert(twin: Twin) -> None:
    """Demonstrations without pictures: what planning and physics cost."""
    planning, frames, start = 0.0, 0, time.process_time()
    for seed in range(EPISODES):
        twin.reset(seed)
        began = time.process_time()
        expert = Expert(twin, np.random.default_rng(seed))
        planning += time.process_time() - began
        while not expert.done and twin.tick < twin.max_frames:
            began = time.process_time()
            action = expert.act()
            planning += time.process_time() - began
            twin.step(action)
        frames += twin.tick
    each = (time.process_time() - start) / EPISODES
    print(
        f"demonstration           {1e3 * each:10.0f} CPU-ms     {frames / EPISODES:6.0f} frames, no pictures"
    )
    print(f"  of it the expert      {1e3 * planning / EPISODES:10.0f} CPU-ms")


def report_pictures(width: int, height: int) -> None:
    """Both cameras."""
    with Twin(TwinConfig(width=width, height=height)) as twin:
        twin.reset(0)
        pair_s = cpu_s(lambda: (twin.render("front"), twin.render("wrist")), PAIRS)
    print(f"both cameras {width:4d}x{height:<4d}  {1e3 * pair_s:10.1f} CPU-ms     {1 / pair_s:6.0f} pairs/s")


if __name__ == "__main__":
    main()
