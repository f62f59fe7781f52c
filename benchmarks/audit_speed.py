"""How long `regrasp audit` takes on a made-up dataset, as a whole process, and how much memory.

python benchmarks/audit_speed.py                    241 episodes, 100,832 frames, tables only
python benchmarks/audit_speed.py --video            20 episodes of 150 frames, two 128 x 128 AV1 cameras
python benchmarks/audit_speed.py --episodes 2410    ten times the frames
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dataset_folder import write_v3
from sound_dataset import sound_dataset


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int)
    parser.add_argument("--video", action="store_true")
    parser.add_argument("--size", type=int, nargs=2, default=(128, 128), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset"
        # In a process of its own: what this one holds would count as memory of its children.
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(options, path))
        writer.start()
        writer.join()
        for _ in range(options.repeats):
            print(timed_audit(path))


def write(options, path):
    dataset = made_up(options)
    write_v3(dataset, path, episodes_per_file=100)
    print(f"{len(dataset.episodes)} episodes, {dataset.frames} frames, cameras {dataset.camera_names}")


def made_up(options):
    if options.video:
        height, width = options.size
        return sound_dataset(episodes=options.episodes or 20, height=height, width=width)
    return sound_dataset(episodes=options.episodes or 241, seconds=418.4 / 30, cameras=False)


def timed_audit(path):
    """Wall time, CPU time and memory of one `regrasp audit`."""
    start = time.perf_counter()
    process = subprocess.Popen(["regrasp", "audit", path, "--json"], stdout=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    return f"wall {wall:.2f} s, CPU {used.ru_utime + used.ru_stime:.2f} s, {used.ru_maxrss / 1024:.0f} MiB"


if __name__ == "__main__":
    main()
