"""How long `regrasp audit` takes on a made-up dataset, as a whole process, and how much memory.

python benchmarks/audit_speed.py                    241 episodes, 100,832 frames, tables only
python benchmarks/audit_speed.py --video            20 episodes of 150 frames, two 128 x 128 AV1 cameras
python benchmarks/audit_speed.py --episodes 2410    ten times the frames
python benchmarks/audit_speed.py --long             241 episodes of 418 frames, two 640 x 480 AV1 cameras
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dataset_folder import write_v3
from sound_dataset import sound_dataset


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int)
    parser.add_argument("--video", action="store_true")
    parser.add_argument("--long", action="store_true")
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


FILMED = 3
"""Episodes of the long recording that are filmed; the others show their pictures again, from the same files."""


def write(options, path):
    if options.long:
        write_long(path, options.episodes or 241)
        return
    dataset = made_up(options)
    write_v3(dataset, path, episodes_per_file=100)
    print(f"{len(dataset.episodes)} episodes, {dataset.frames} frames, cameras {dataset.camera_names}")


def made_up(options):
    if options.video:
        height, width = options.size
        return sound_dataset(episodes=options.episodes or 20, height=height, width=width)
    return sound_dataset(episodes=options.episodes or 241, seconds=418.4 / 30, cameras=False)


def write_long(path, episodes):
    """A recording as the project had it, of which only a few episodes are encoded: that takes a minute each."""
    seconds = 418.4 / 30
    filmed = sound_dataset(episodes=FILMED, height=480, width=640, seconds=seconds)
    write_v3(filmed, path, episodes_per_file=1)
    rows = pq.read_table(path / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    rng = np.random.default_rng(0)
    shown = [filmed.episodes[number % FILMED] for number in range(episodes)]
    moved = tuple(
        replace(
            episode,
            index=number,
            cameras={},
            states=episode.states + rng.normal(0, 0.5, 6),
            actions=episode.actions + rng.normal(0, 0.5, episode.actions.shape),
        )
        for number, episode in enumerate(shown)
    )
    tables = path.with_name("tables")
    write_v3(replace(filmed, episodes=moved, camera_names=()), tables, episodes_per_file=episodes)
    shutil.rmtree(path / "data")
    shutil.move(tables / "data", path / "data")
    info = json.loads((path / "meta/info.json").read_text())
    info |= {"total_episodes": episodes, "total_frames": sum(episode.length for episode in moved)}
    (path / "meta/info.json").write_text(json.dumps(info))
    listed = [
        {**rows[number % FILMED], "episode_index": number, "data/file_index": 0} for number in range(episodes)
    ]
    pq.write_table(pa.Table.from_pylist(listed), path / "meta/episodes/chunk-000/file-000.parquet")
    print(f"{episodes} episodes, {info['total_frames']} frames, two cameras of 640 x 480")


def timed_audit(path):
    """Wall time, CPU time and memory of one `regrasp audit`."""
    start = time.perf_counter()
    process = subprocess.Popen(["regrasp", "audit", path, "--json"], stdout=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    return f"wall {wall:.2f} s, CPU {used.ru_utime + used.ru_stime:.2f} s, {used.ru_maxrss / 1024:.0f} MiB"


if __name__ == "__main__":
    main()
