"""How punctually the whole loop runs at the station's rate: the twin in real time, recorded, gate and monitor on.

python benchmarks/loop_timing.py --checkpoint RUN --episodes 5

Physics and both pictures of the twin are drawn in every tick, which a real arm need not do. The rollout is an
ordinary one, but for its clock, which is the wall's instead of one that never waits.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from regrasp.control.clock import WallClock
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.rollouts import read_rollouts
from regrasp.data.station import twin
from regrasp.lerobot_bridge.quiet import prepare_environment
from regrasp.stats import Rate


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--episodes", type=int, default=5)
    options = parser.parse_args()
    prepare_environment()
    from regrasp.lerobot_bridge import rollout as rollouts

    rollouts.FastClock = WallClock
    task = next(iter(read_checkpoint(options.checkpoint).contract.instructions))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rollouts"
        station = twin(size=96)
        rollouts.rollout(options.checkpoint, station, task=task, episodes=options.episodes, out=out)
        ran = read_rollouts(out)
    print(f"success {Rate.of([outcome.success for outcome in ran.outcomes])}")
    report(ran.ticks, station.fps)


def report(ticks, fps):
    """Lateness of each tick against its own place in its episode."""
    late_ms = []
    for number in np.unique(ticks.episode):
        wall_s = ticks.wall_s[ticks.episode == number]
        late_ms.append(1000 * (wall_s - np.arange(len(wall_s)) / fps))
    late_ms = np.concatenate(late_ms)
    print(f"{len(late_ms)} ticks at {fps:g} Hz")
    print(f"late by: median {np.median(late_ms):.2f} ms, 99 of 100 below {np.percentile(late_ms, 99):.2f} ms")
    print(f"more than half a period late: {(late_ms > 500 / fps).sum()} ticks")


if __name__ == "__main__":
    main()
