"""How punctually the whole loop runs at the station's rate, and what each part of a tick costs.

python benchmarks/loop_timing.py --checkpoint RUN --episodes 5            the twin in real time
python benchmarks/loop_timing.py --checkpoint RUN --episodes 5 --ready    an arm with two ready 640x480 pictures

Both are ordinary rollouts, recorded, with gate and monitor. Physics and both pictures of the twin are drawn in every
tick, which a real arm need not do; `--ready` shows the loop by itself. Lateness is measured on the clock, so it depends
on what else the machine does; costs are processor time of the loop's thread, and of the whole process with the video
encoders.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np

from regrasp.control.clock import WallClock
from regrasp.data.checkpoint import read_checkpoint
from regrasp.data.rollouts import read_rollouts
from regrasp.data.station import Station, twin
from regrasp.lerobot_bridge.quiet import prepare_environment
from regrasp.stats import Rate

SIZE = (480, 640, 3)
PICTURES = 8


class ReadyArm:
    """An arm that stands where it is told to, and whose cameras' pictures are there already."""

    name = "so101_follower"

    def __init__(self, contract) -> None:
        self.pose = {f"{joint.name}.pos": joint.start_mean for joint in contract.joints}
        self.action_features = dict.fromkeys(self.pose, float)
        self.observation_features = self.action_features | dict.fromkeys(contract.camera_names, SIZE)
        rng = np.random.default_rng(0)
        smooth = rng.integers(0, 255, (PICTURES, 12, 16, 3)).repeat(40, axis=1).repeat(40, axis=2)
        self.pictures = (smooth + rng.normal(0, 2, smooth.shape)).clip(0, 255).astype(np.uint8)
        self.cameras, self.tick = contract.camera_names, 0

    def get_observation(self):
        """The pose, and the next picture of each camera."""
        self.tick += 1
        views = {name: self.pictures[(self.tick + i) % PICTURES] for i, name in enumerate(self.cameras)}
        return self.pose | views

    def send_action(self, action):
        """Go there at once."""
        self.pose = dict(action)
        return action


class Costs:
    """Processor time of this thread in each part of the loop."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    def of(self, owner, name: str, part: str):
        """Measure a method; a context."""
        original = getattr(owner, name)

        def timed(*values, **options):
            began = time.thread_time()
            given = original(*values, **options)
            self.spent.setdefault(part, []).append(time.thread_time() - began)
            return given

        return mock.patch.object(owner, name, timed)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--episodes", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of an episode of the ready arm")
    parser.add_argument("--ready", action="store_true")
    options = parser.parse_args()
    prepare_environment()
    from regrasp.control.flight_recorder import FlightRecorder
    from regrasp.control.gate import SafetyGate
    from regrasp.control.monitor import Monitor
    from regrasp.control.seams import HandOver
    from regrasp.lerobot_bridge import rollout as rollouts

    contract = read_checkpoint(options.checkpoint).contract
    task = next(iter(contract.instructions))
    station, seconds, costs = twin(size=96), None, Costs()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(rollouts, "FastClock", WallClock))
        if options.ready:
            cameras = {name: {"type": "opencv"} for name in contract.camera_names}
            station = Station(name="ready", robot={"type": "so101_follower", "cameras": cameras}, fps=30)
            seconds = options.seconds
            lend = contextlib.contextmanager(lambda _station: iter([ReadyArm(contract)]))
            stack.enter_context(mock.patch.object(rollouts, "held_robot", lend))
        for owner, name, part in (
            (HandOver, "decide", "policy"),
            (SafetyGate, "check", "gate"),
            (Monitor, "watch", "monitor"),
            (rollouts._Episode, "_keep", "recording"),
            (FlightRecorder, "__call__", "flight recorder"),
        ):
            stack.enter_context(costs.of(owner, name, part))
        out, began = Path(folder) / "rollouts", time.process_time()
        rollouts.rollout(
            options.checkpoint, station, task=task, episodes=options.episodes, out=out, seconds=seconds
        )
        used_s = time.process_time() - began
        ran = read_rollouts(out)
    print(f"success {Rate.of([outcome.success for outcome in ran.outcomes])}")
    report(ran.ticks, station.fps)
    print(
        f"processor time of the process, start and saving included: {1000 * used_s / len(ran.ticks):.1f} ms a tick"
    )
    print("\n| part | median | p99 | longest |\n| --- | --- | --- | --- |")
    for part, spent in costs.spent.items():
        ms = 1000 * np.array(spent)
        print(f"| {part} | {np.median(ms):.2f} ms | {np.percentile(ms, 99):.2f} ms | {ms.max():.2f} ms |")
    parts = [costs.spent[part] for part in ("gate", "monitor", "recording")]
    ticks = min(map(len, parts))  # homing passes the gate alone, before the first episode
    every = 1000 * np.sum([part[-ticks:] for part in parts], axis=0)
    three = f"{np.median(every):.2f} ms | {np.percentile(every, 99):.2f} ms | {every.max():.2f} ms"
    print(f"| gate + monitor + recording | {three} |")


def report(ticks, fps):
    """How much later than a period after the one before each tick begins; the loop makes up for no lost time."""
    by_episode = []
    for number in np.unique(ticks.episode):
        wall_s = ticks.wall_s[ticks.episode == number]
        by_episode.append(1000 * np.maximum(np.diff(wall_s) - 1 / fps, 0))
    late_ms = np.concatenate(by_episode)
    print(f"{len(late_ms)} ticks at {fps:g} Hz")
    print(f"late by: median {np.median(late_ms):.2f} ms, 99 of 100 below {np.percentile(late_ms, 99):.2f} ms")
    print(f"more than half a period late: {(late_ms > 500 / fps).sum()} ticks")
    for number, own in enumerate(by_episode):
        late = np.flatnonzero(own > 500 / fps)
        if len(late):
            print(f"  episode {number}: ticks {', '.join(map(str, late + 1))}, by up to {own.max():.0f} ms")


if __name__ == "__main__":
    main()
