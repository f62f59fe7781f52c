"""How often the scripted expert succeeds, judged by physics, with all imperfections on.

./run python benchmarks/expert_success.py [--starts 500] [--task grab-brain] [--area 6in] [--from home]
"""

import argparse
import time

import numpy as np

from regrasp.sim.environment import Twin, TwinConfig
from regrasp.sim.expert import Expert
from regrasp.sim.scene import AREAS
from regrasp.sim.tasks import STARTS, TASKS
from regrasp.stats import wilson_interval


def main() -> None:
    options = argparse.ArgumentParser(description="How often the scripted expert succeeds.")
    options.add_argument("--starts", type=int, default=500, help="episodes per row")
    options.add_argument("--task", choices=TASKS, help="only this task")
    options.add_argument("--area", choices=AREAS, help="only this area")
    options.add_argument("--from", dest="begin", choices=STARTS, help="only these start poses")
    chosen = options.parse_args()
    print(
        "task          area  starts      success           wilson95         frames (5-95 %)  CPU-ms  failed"
    )
    for task in [chosen.task] if chosen.task else TASKS:
        for area in [chosen.area] if chosen.area else AREAS:
            for begin in [chosen.begin] if chosen.begin else STARTS:
                report(TwinConfig(task=task, area=area, starts=begin), chosen.starts)


def report(config: TwinConfig, episodes: int) -> None:
    """One row of the table."""
    twin = Twin(config)
    failed, frames, start = [], [], time.process_time()
    for seed in range(episodes):
        frames.append(demonstrate(twin, seed))
        if not twin.success:
            failed.append(seed)
    each_ms = 1e3 * (time.process_time() - start) / episodes
    k = episodes - len(failed)
    low, high = wilson_interval(k, episodes)
    low_f, mid_f, high_f = np.percentile(frames, [5, 50, 95])
    print(
        f"{config.task:13s} {config.area:5s} {config.starts:9s} "
        f"{k:4d}/{episodes:<4d} {100 * k / episodes:5.1f} % "
        f"  {100 * low:5.1f}-{100 * high:5.1f} %   {mid_f:4.0f} ({low_f:.0f}-{high_f:.0f})     "
        f"{each_ms:6.0f}  {failed[:12]}",
        flush=True,
    )


def demonstrate(twin: Twin, seed: int) -> int:
    """One episode; returns its frames."""
    twin.reset(seed)
    expert = Expert(twin, np.random.default_rng(seed))
    while not expert.done and twin.tick < twin.max_frames:
        twin.step(expert.act())
    return twin.tick


if __name__ == "__main__":
    main()
