"""What gate and monitor cost in each tick: `./run python benchmarks/control_cost.py --dataset DEMONSTRATIONS`.

Replays demonstrations as if a policy with chunks of 30 drove, with two cameras of 640x480, and prints the time that the
hand-over, the gate, the monitor and the flight recorder take: median, 99th percentile and longest. Processor time of
the thread is measured, so that other work on the machine does not count; `--wall` measures time on the clock.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from regrasp.control import Decision, SafetyGate, Tick
from regrasp.control.flight_recorder import FlightRecorder
from regrasp.control.monitor import UNCALIBRATED, Monitor
from regrasp.control.seams import HandOver
from regrasp.data.checkpoint import Checkpoint
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import read_dataset

CHUNK, EXECUTE = 30, 20


class Replay:
    """The commands of an episode, in chunks."""

    def __init__(self, actions: np.ndarray) -> None:
        self.actions = actions
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.tick = 0

    def decide(self, observation) -> Decision:
        """The next command with the rest of its chunk."""
        at, place = self.tick, self.tick % EXECUTE
        self.tick += 1
        return Decision(self.actions[at], 5.0, at // EXECUTE, place, self.actions[at : at + CHUNK - place])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--ticks", type=int, default=6000)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--wall", action="store_true", help="time on the clock instead of processor time")
    given = parser.parse_args()
    clock = time.perf_counter if given.wall else time.thread_time
    width, height = map(int, given.size.split("x"))
    data = read_dataset(given.dataset, video=False)
    contract = measure_contract(data, Checkpoint(Path("none"), "act", {}))
    gate = SafetyGate.for_contract(contract, data.joint_names, data.fps)
    monitor = Monitor(data.fps, contract)
    recorder = FlightRecorder(data.joint_names, data.fps, lambda tick: UNCALIBRATED.tripped(tick.scores))
    rng = np.random.default_rng(0)
    live = [rng.integers(0, 255, (height, width, 3), dtype=np.uint8) for _ in range(8)]
    step = np.array([joint.jump_p99 for joint in contract.joints])
    spent: dict[str, list[float]] = {"hand-over": [], "gate": [], "monitor": [], "flight recorder": []}
    while len(spent["gate"]) < given.ticks:
        for episode in data.episodes:
            policy = HandOver(Replay(episode.actions), data.fps, step)
            policy.reset()
            gate.reset()
            monitor.reset()
            recorder.reset()
            for index, state in enumerate(episode.states):
                pictures = {"front": live[index % 8], "wrist": live[(index + 3) % 8]}
                observation = {
                    f"{j}.pos": v for j, v in zip(data.joint_names, state.tolist(), strict=True)
                } | pictures
                began = clock()
                decision = policy.decide(observation)
                handed = clock()
                sent, changed = gate.check(decision.action, state)
                gated = clock()
                seen = Tick(index, index / data.fps, observation, decision, sent, changed, gate.reasons)
                scores = monitor.watch(seen, state)
                watched = clock()
                recorder(
                    Tick(index, index / data.fps, observation, decision, sent, changed, gate.reasons, scores)
                )
                kept = clock()
                steps = (handed - began, gated - handed, watched - gated, kept - watched)
                for name, seconds in zip(spent, steps, strict=True):
                    spent[name].append(seconds)
    print(f"| part ({len(spent['gate'])} ticks, two cameras of {given.size}) | median | p99 | longest |")
    print("| --- | --- | --- | --- |")
    both = np.array(spent["gate"]) + np.array(spent["monitor"])
    everything = np.sum([np.array(values) for values in spent.values()], axis=0)
    for name, values in {**spent, "gate + monitor": both, "all four": everything}.items():
        micros = 1e6 * np.asarray(values)
        print(
            f"| {name} | {np.median(micros):.0f} us | {np.percentile(micros, 99):.0f} us | {micros.max():.0f} us |"
        )


if __name__ == "__main__":
    main()
